# SPDX-License-Identifier: Apache-2.0
"""Studies to those who run them: who may begin and see what."""

from pathlib import Path

import pytest

from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Conflict, Invalid, NotFound, RateLimited, Unauthenticated
from megagenome.network.studies.settle import Settled
from megagenome.standards.study import encode
from megagenome.standards.study_exchange import Terms
from megagenome.standards.study_shown import RunState
from tests.network.studies.nodes import ADA, AUDITOR, BOB, CHECKER, stopped, world


def test_only_its_owner_and_an_auditor_see_a_run(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = at.begin()
        for look in (at.studies.show, at.studies.result, at.studies.cancel):
            with pytest.raises(NotFound, match="no study"):
                look(BOB, run)
            with pytest.raises(Unauthenticated):
                look(Caller(), run)
        assert at.studies.listed(BOB).studies == ()
        assert [each.id for each in at.studies.listed(AUDITOR).studies] == [run]
        assert at.studies.show(AUDITOR, run).id == run
        with pytest.raises(NotFound):
            at.studies.cancel(AUDITOR, run)
        at.studies.cancel(ADA, run)
        at.studies.cancel(ADA, run)
        stopped(at, run, "cancelled by its owner")
        [listed] = at.studies.listed(ADA).studies
        assert (listed.title, listed.method, listed.state) == ("A study", "frequencies", RunState.STOPPED)


def test_what_is_against_a_study_is_said_before_it_begins(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        good = at.document()
        for document, why in (
            (at.document(permit="permit-2"), "no permit with this id"),
            (at.document(sites=good.sites[::-1]), "in the order of their names"),
            (at.document(least_sites=4, when_one_fails="go on"), "there are 3 sites"),
        ):
            shown = at.studies.check(ADA, encode(document))
            assert any(why in each for each in shown.findings), shown.findings
            with pytest.raises(Invalid, match=why):
                at.studies.begin(ADA, encode(document))
        assert at.studies.check(ADA, encode(good)).findings == ()
        assert (
            at.studies.check(BOB, encode(good)).findings
            == at.studies.check(ADA, encode(at.document(permit="permit-2"))).findings
        )
        with pytest.raises(Invalid, match="not a study document"):
            at.studies.check(ADA, b"{}")
        with pytest.raises(Unauthenticated):
            at.studies.check(Caller(), encode(good))
        for _ in range(5):
            at.begin()
        with pytest.raises(RateLimited):
            at.begin()


def test_a_result_may_wait_for_a_person(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        at.settle = lambda result, terms: Settled(result, f"a checker ({terms.least_cell})")
        at.start()
        at.nodes["node.a"].terms = Terms(1, 7, 1)
        run = at.begin()
        at.go()
        shown = at.show(run)
        assert (shown.state, shown.reason) == (RunState.WAITING, "a checker (7)")
        with pytest.raises(Conflict, match="waiting"):
            at.studies.result(ADA, run)
        assert [each.id for each in at.studies.listed(CHECKER).studies] == [run]
        assert at.studies.result(CHECKER, run).tables.keys() == {"y"}
