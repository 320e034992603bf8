# SPDX-License-Identifier: Apache-2.0
"""What the hub finds against a study, one sentence each."""

from datetime import date
from typing import Any

import pytest

from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Invalid
from megagenome.network.studies.check import findings, permit_ended
from megagenome.network.studies.needs import KnownPermit
from megagenome.standards.permit import PermitState
from megagenome.standards.study import (
    Age,
    Arm,
    Frequencies,
    Group,
    Linear,
    Logistic,
    Measured,
    Site,
    StudyDocument,
    Survival,
    Variants,
)

HEIGHT = Measured("height")
ADA, TODAY = Caller("ada", "Ada"), date(2026, 6, 1)
KEYS = {"node.a": "key-a", "node.b": "key-b"}
PERMIT = KnownPermit(
    PermitState.ACTIVE,
    frozenset({"ada"}),
    frozenset({("node.a", "A"), ("node.b", "B")}),
    frozenset({"research"}),
    date(2026, 1, 1),
    date(2026, 12, 31),
)
SITES = (Site("node.a", ("A",), "key-a"), Site("node.b", ("B",), "key-b"))


def document(**other: Any) -> StudyDocument:
    fields: dict[str, Any] = {"version": 1, "title": "T", "permit": "P", "cohort": "{}", "sites": SITES}
    return StudyDocument(**{**fields, "method": Frequencies(Variants("GRCh38")), "least_sites": 2, **other})


def found(permit: KnownPermit | None = PERMIT, caller: Caller = ADA, **other: Any) -> str:
    return "; ".join(findings(document(**other), caller, permit, KEYS, TODAY))


def test_nothing_is_against_a_study_that_may_run() -> None:
    assert found() == ""
    assert found(PERMIT._replace(starts=TODAY, ends=TODAY)) == ""


@pytest.mark.parametrize(
    ("permit", "why"),
    [
        ({"state": PermitState.SUSPENDED}, "permit P is suspended"),
        ({"state": PermitState.REVOKED}, "permit P is revoked"),
        ({"starts": date(2026, 6, 2)}, "begins on 2026-06-02"),
        ({"ends": date(2026, 5, 31)}, "ended on 2026-05-31"),
        ({"uses": frozenset({"policy"})}, "is for policy, not for research"),
        ({"datasets": frozenset({("node.a", "A")})}, "does not let dataset B be read"),
        ({"datasets": frozenset({("node.a", "A"), ("node.a", "B")})}, "node.b: permit P does not let dataset B"),
    ],
)
def test_a_permit_that_does_not_let_it(permit: Any, why: str) -> None:
    assert why in found(PERMIT._replace(**permit))


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"sites": SITES[::-1]}, "in the order of their names"),
        ({"sites": (SITES[0], SITES[0])}, "each node once"),
        ({"sites": (Site("node.x", ("A",), "key-a"),)}, "node.x does not belong to this network"),
        ({"sites": (Site("node.a", ("A",), "key-b"),)}, "signs with another key than the study names: it is key-a"),
        ({"sites": (Site("node.a", ("A", "A"), "key-a"),)}, "a dataset stands twice"),
        ({"least_sites": 3, "when_one_fails": "go on"}, "least_sites is 3, and there are 2 sites"),
    ],
)
def test_sites_that_cannot_be(other: Any, why: str) -> None:
    assert why in found(**other)


def test_to_whom_it_does_not_name_a_permit_is_as_none() -> None:
    revoked = PERMIT._replace(state=PermitState.REVOKED)
    assert found(None) == found(PERMIT, Caller("eve")) == found(revoked, Caller("eve")) == found(PERMIT, Caller())


@pytest.mark.parametrize(
    ("permit", "why"),
    [
        (PERMIT, ""),
        (None, "is no more"),
        (PERMIT._replace(people=frozenset()), "is no more"),
        (PERMIT._replace(state=PermitState.SUSPENDED), "is suspended"),
        (PERMIT._replace(ends=date(2026, 5, 31)), "has ended"),
        (PERMIT._replace(ends=TODAY), ""),
    ],
)
def test_a_permit_that_ends_ends_a_run(permit: KnownPermit | None, why: str) -> None:
    said = permit_ended(permit, "ada", TODAY)
    assert (why in said) if why else said == ""


VARIANTS = Variants("GRCh38")


@pytest.mark.parametrize(
    ("method", "why"),
    [
        (Frequencies(Variants("GRCh38", ("22:5-2",))), "region '22:5-2': positions count from 1"),
        (Frequencies(Variants("GRCh38", ("chr 22",))), "region 'chr 22': write 22, or"),
        (Linear(VARIANTS, Age(), (Age(),)), "the trait is a covariate, too"),
        (Linear(VARIANTS, Age(), (HEIGHT, HEIGHT)), "covariate height stands twice"),
    ],
)
def test_a_method_that_cannot_be_computed(method: Any, why: str) -> None:
    assert why in found(method=method)


def test_every_text_that_defines_no_cohort_is_named() -> None:
    def refuse(text: str) -> object:
        raise Invalid(f"{text} is none")

    bad = Group("the ill", "the others")
    for method, names in (
        (Logistic(VARIANTS, bad, (bad,)), ["trait, cases: the ill", "covariates, controls: the others"]),
        (Survival(HEIGHT, "dead", groups=(Arm("men", "sex=male"),)), ["group men: sex=male"]),
    ):
        said = findings(document(method=method), ADA, PERMIT, KEYS, TODAY, refuse)
        assert said[0].startswith("cohort: {} is none; write JSON such as")
        for name in names:
            assert any(each.startswith(f"{name} is none") for each in said)


def test_the_datasets_that_a_permit_gives_are_named() -> None:
    sites = (Site("node.a", ("a",), "key-a"), SITES[1])
    assert "does not let dataset a be read, or not yet; of this node it does A" in found(sites=sites)
