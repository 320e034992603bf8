# SPDX-License-Identifier: Apache-2.0
import inspect

import pytest

from megagenome.kernel import errors

CONDITIONS = [
    kind
    for kind in vars(errors).values()
    if inspect.isclass(kind) and issubclass(kind, errors.MegagenomeError) and kind is not errors.MegagenomeError
]


def test_the_conditions() -> None:
    assert sorted(kind.__name__ for kind in CONDITIONS) == [
        "Conflict",
        "Corrupt",
        "Invalid",
        "NoRoom",
        "NotEntitled",
        "NotFound",
        "RateLimited",
        "TooLarge",
        "Unauthenticated",
        "Unavailable",
    ]


@pytest.mark.parametrize("kind", CONDITIONS)
def test_exit_codes(kind: type[errors.MegagenomeError]) -> None:
    expected = {errors.Invalid: 2, errors.Unavailable: 1, errors.NoRoom: 1}.get(kind, 3)
    assert kind("why").exit_code == expected
    assert str(kind("why")) == "why"


def test_not_entitled_cannot_be_told_from_not_found_by_exit_code() -> None:
    assert errors.NotEntitled.exit_code == errors.NotFound.exit_code
