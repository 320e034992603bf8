# SPDX-License-Identifier: Apache-2.0
import pytest

from megagenome.kernel.callers import PUBLIC, Caller


def test_public_is_nobody_in_particular() -> None:
    assert Caller() == PUBLIC
    assert PUBLIC.subject is None
    assert Caller("https://idp.example|1") != PUBLIC


def test_caller_cannot_be_changed_on_its_way() -> None:
    with pytest.raises(AttributeError):
        PUBLIC.subject = "me"
