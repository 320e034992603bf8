# SPDX-License-Identifier: Apache-2.0
"""How long something took is never less than it did."""

import time

import pytest

from megagenome.app.demo import patience
from megagenome.app.demo.patience import until, within


def test_counts_from_the_moment_that_is_given() -> None:
    began = time.monotonic() - 2
    assert until(lambda: True, began) >= 2
    assert until(lambda: True) < 1


def test_a_look_takes_its_time_as_well() -> None:
    looks = iter([False, True])

    def look() -> bool:
        time.sleep(0.05)
        return next(looks)

    assert until(look) >= 0.1


def test_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PATIENCE_S", 0.05)
    assert until(lambda: False) > 0.05


def test_a_broken_promise_is_told_with_its_time() -> None:
    assert within(0.4, 1) == "within 1 s"
    assert within(1.0, 1) == "after 1.0 s"
    assert within(7.25, 5) == "after 7.2 s"
