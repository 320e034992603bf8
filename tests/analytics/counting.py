# SPDX-License-Identifier: Apache-2.0
"""Cohorts of the people of `sites`, and what is counted of them, person by person."""

from collections.abc import Iterable

import msgspec

from megagenome.collection.cohort import All, Everyone, HasAge, Not
from megagenome.collection.cohort import Any as AnyOf
from megagenome.standards.study import Group
from tests.analytics.sites import RealWorld
from tests.collection import clocks
from tests.network.studies.nodes import ADA

SIZES = {"node.a": 20, "node.b": 21, "node.c": 22}
LARGER = {"node.a": 40, "node.b": 41, "node.c": 42}
HET, HOM, MISSING, COPIES, CALLED = "het", "hom", "missing", "ac", "an"
EVERYONE = '{"type":"everyone"}'


def expected(at: RealWorld) -> dict[str, int]:
    """Counts of the allele on 22 in everybody, person by person."""
    return counts_of(number for node in at.nodes.values() for number in node.numbers)


def everybody_but(out: Iterable[int]) -> str:
    """A cohort: in 2020 everybody's age tells who they are."""
    ages = tuple(HasAge(120 - number, 120 - number) for number in out)
    return msgspec.json.encode(Not(AnyOf(ages)) if ages else Everyone()).decode()


def cases_but(out: Iterable[int]) -> Group:
    """The thirty oldest of each node but these."""
    old = AnyOf(tuple(HasAge(120 - first - 29, 120 - first) for first in (0, 60, 121)))
    cases = msgspec.json.encode(All((old, Not(AnyOf(tuple(HasAge(120 - k, 120 - k) for k in out))))) if out else old)
    return Group(cases.decode(), EVERYONE)


def counts_of(people: Iterable[int]) -> dict[str, int]:
    calls = [clocks.calls(number)[0] for number in people]
    het, hom = sum(sum(call) == 1 for call in calls), sum(sum(call) == 2 for call in calls)
    return {HET: het, HOM: hom, MISSING: 0, COPIES: het + 2 * hom, CALLED: 2 * len(calls)}


def counted(at: RealWorld, run: str) -> dict[str, int]:
    table = at.studies.result(ADA, run).tables["frequencies"]
    assert [table[name] for name in ("contig", "pos1", "ref", "alt")] == [["22"], [101], ["A"], ["C"]]
    return {name: int(table[name][0] or 0) for name in (HET, HOM, MISSING, COPIES, CALLED)}
