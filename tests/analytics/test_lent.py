# SPDX-License-Identifier: Apache-2.0
"""With which sites sums were made: what a node holds itself to after a restart, and over all runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.analytics.lent import LentSums
from megagenome.kernel.errors import NotEntitled
from tests.network.joining import server

pytestmark = pytest.mark.usefixtures("database")

FOUR = ("a", "b", "c", "d")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    with server(tmp_path, "org.example.node") as at:
        yield at.engine


@pytest.mark.parametrize(
    ("sites", "apart"),
    [
        (FOUR, True),
        (FOUR[:3], False),
        (("a", "b"), False),
        (("a", "b", "c", "e"), False),
        ((*FOUR, "e"), False),
        ((*FOUR, "e", "f", "g"), True),
        (("a", "e", "f"), True),
    ],
)
def test_the_same_people_are_studied_with_the_same_sites_or_clearly_others(
    engine: sa.Engine, sites: tuple[str, ...], apart: bool
) -> None:
    lent = LentSums(engine)
    lent.note("one", "sha256:x", FOUR)
    lent.require_apart("one", "sha256:x", sites)
    lent.require_apart("two", "sha256:y", sites)
    lent.require_apart("two", "", sites)
    for look in (lent.require_apart, lent.note):
        if apart:
            look("two", "sha256:x", sites)
        else:
            with pytest.raises(NotEntitled, match="nearly the same sites"):
                look("two", "sha256:x", sites)


def test_a_run_goes_on_with_fewer_sites_only_until_its_sum_is_known(engine: sa.Engine) -> None:
    lent = LentSums(engine)
    lent.require("one", FOUR, goes_on=False)
    lent.note("one", "sha256:x", FOUR)
    lent.require("one", FOUR, goes_on=False)
    lent.require("one", FOUR[:3], goes_on=True)
    with pytest.raises(NotEntitled, match="with other sites"):
        lent.require("one", FOUR[:3], goes_on=False)  # a process that was restarted does not know what was asked since
    lent.open(["one"])
    with pytest.raises(NotEntitled, match="with other sites"):
        lent.require("one", FOUR[:3], goes_on=True)
    lent.require("one", FOUR, goes_on=True)
    lent.open(["one"], ends=True)
    with pytest.raises(NotEntitled, match="ended here"):
        LentSums(engine).require("one", FOUR, goes_on=True)
