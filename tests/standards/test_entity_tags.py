# SPDX-License-Identifier: Apache-2.0
"""`If-Match` and `If-None-Match`, by RFC 9110, 13.1.1, 13.1.2 and 13.2.2."""

import time

import pytest

from megagenome.standards.entity_tags import status_instead

TAG = '"a,b"'


@pytest.mark.parametrize(
    ("field", "strongly", "weakly"),
    [
        (TAG, True, True),
        ("*", True, True),
        (" * ", True, True),
        (f'"x", {TAG}', True, True),
        (f'"x",{TAG},"y"', True, True),
        (f', "x" ,, {TAG} ,', True, True),
        (f"W/{TAG}", False, True),
        (f'W/"x", W/{TAG}', False, True),
        (f"W/{TAG}, {TAG}", True, True),
        ('"x"', False, False),
        ('""', False, False),
        ('"A,B"', False, False),
        ("a,b", False, False),
        ("", False, False),
        (f"*, {TAG}", False, False),
        (f"w/{TAG}", False, False),
        (f'"x" {TAG}', False, False),
        (f"{TAG}, x", False, False),
        (f"{TAG}, *", False, False),
        (f'"x{TAG}', False, False),
    ],
)
def test_tags_are_compared_strongly_by_one_and_weakly_by_the_other(field: str, strongly: bool, weakly: bool) -> None:
    assert status_instead(field, None, TAG) == (None if strongly else 412)
    assert status_instead(None, field, TAG) == (304 if weakly else None)


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "status"),
    [(None, None, None), ('"x"', TAG, 412), ('"x"', '"x"', 412), (TAG, TAG, 304), (TAG, '"x"', None), ("*", "*", 304)],
)
def test_what_must_match_is_looked_at_first(if_match: str | None, if_none_match: str | None, status: int) -> None:
    assert status_instead(if_match, if_none_match, TAG) == status


@pytest.mark.parametrize("field", ['"x",' * 20_000, '"' * 60_000, "," * 60_000, " ,\t" * 20_000 + "x", '"x" ' * 20_000])
def test_a_long_field_costs_little(field: str) -> None:
    before = time.process_time()
    assert status_instead(None, field, TAG) is None
    assert time.process_time() - before < 0.5
