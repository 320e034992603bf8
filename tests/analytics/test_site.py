# SPDX-License-Identifier: Apache-2.0
"""Sites with real collections: what they answer is of all who may be counted, and what a hub may not have it never
gets, whatever it asks."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from megagenome.analytics.masking import RoundSecret
from megagenome.analytics.settings import AnalyticsSettings
from megagenome.analytics.site import _FAULT
from megagenome.collection.permits import change_permit
from megagenome.collection.values import PeopleValues
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import PermitId
from megagenome.standards.permit import PermitState
from megagenome.standards.study import Linear, Measured, Variants, digest, encode
from megagenome.standards.study_arrays import pack
from megagenome.standards.study_exchange import (
    PEOPLE_COUNTS,
    PEOPLE_STEP,
    Agreed,
    Changed,
    Failed,
    Forgot,
    Keyed,
    Place,
    Refused,
    Sent,
    Stage,
    Summed,
    Task,
    Terms,
    encode_keys,
)
from megagenome.standards.study_masks import Round, sign_key
from megagenome.standards.study_shown import RunState
from tests.analytics.counting import EVERYONE, LARGER, SIZES, counted, expected
from tests.analytics.sites import MODEST, RealNode, RealWorld, real_world
from tests.network.studies.nodes import ADA, PERMIT


def test_counts_over_nodes_are_those_of_everybody(tmp_path: Path) -> None:
    with real_world(tmp_path, SIZES) as at:
        run = at.begin()
        at.go()
        shown = at.show(run)
        assert (shown.state, shown.reason, shown.people) == (RunState.FINISHED, "", 63)
        assert counted(at, run) == expected(at)
        assert at.nodes["node.a"].acts() == [
            ("node.a-data", "begun", 20),
            ("node.a-data", "sent:0:0", 7),
            ("node.a-data", "sent:1:0", 0),
            ("node.a-data", "sent:2:0", 6),
        ]
        assert all(node.site.holds() == () for node in at.nodes.values())


@pytest.mark.parametrize("by_watching", [True, False])
def test_a_permit_that_ends_at_a_node_ends_the_run(tmp_path: Path, by_watching: bool) -> None:
    with real_world(tmp_path, SIZES) as at:
        run = at.begin()
        at.until(run, "count", Stage.SUMS)
        node = at.nodes["node.b"]
        with node.collection.engine.begin() as connection:
            change_permit(connection, PermitId(PERMIT), PermitState.REVOKED, "consents changed")
        if by_watching:
            node.site.watch()
            node.speak(at.coordinator)
        at.go()
        shown = at.show(run)
        assert shown.state is RunState.STOPPED
        assert shown.reason == "node.b refuses: permit permit-1: it is revoked: consents changed"


def test_a_node_that_was_restarted_computes_the_same(tmp_path: Path) -> None:
    with real_world(tmp_path, SIZES) as at:
        run = at.begin()
        at.until(run, "count", Stage.SUMS)
        at.nodes["node.a"].turn(at.coordinator)
        at.nodes["node.c"].start()
        at.go()
        assert at.show(run).epoch == 1
        assert counted(at, run) == expected(at)


@pytest.mark.parametrize(
    ("settings", "document", "why"),
    [
        (AnalyticsSettings(enabled=False), {}, "takes part in no studies"),
        (AnalyticsSettings(methods=("linear",)), {}, "does not compute frequencies"),
        (AnalyticsSettings(least_people=23), {}, "fewer than 23 people"),
        (MODEST, {"least_people": 23}, "fewer than 23 people"),
        (AnalyticsSettings(least_people_in_all=64), {}, "fewer than 64 people"),
        (AnalyticsSettings(least_people_in_all=30, least_allele_count=100), {}, "no node has an allele"),
        (MODEST, {"cohort": "everybody"}, "not a cohort"),
        (MODEST, {"cohort": '{"type":"sex","sex":"female"}'}, "fewer than 20 people for the study: so few are in its"),
    ],
)
def test_a_rule_of_a_node_is_named(tmp_path: Path, settings: AnalyticsSettings, document: Any, why: str) -> None:
    with real_world(tmp_path, SIZES, settings) as at:
        run = at.begin(**document)
        at.go()
        assert at.show(run).state is RunState.STOPPED
        assert why in at.show(run).reason


def test_of_few_people_nothing_that_is_recorded_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(*_: Any) -> Any:
        raise Invalid("height is recorded in several units (cm, m)")

    monkeypatch.setattr(PeopleValues, "measured", measured)
    method = Linear(Variants("GRCh38", ("22",), 1), Measured("height"))
    with real_world(tmp_path, SIZES) as at:
        for cohort, why in ((EVERYONE, "several units"), ('{"type":"sex","sex":"female"}', "fewer than 20 people")):
            run = at.begin(method=method, cohort=cohort)
            at.go()
            assert why in at.show(run).reason


def test_rules_of_numbers_do_not_hold_of_open_data(tmp_path: Path) -> None:
    few = {"node.a": 3, "node.b": 4, "node.c": 5}
    with real_world(tmp_path, few, AnalyticsSettings(), is_open=True) as at:
        run = at.begin()
        at.go()
        assert at.show(run).reason == ""
        assert counted(at, run) == expected(at)


def test_parameters_are_few_for_the_people(tmp_path: Path) -> None:
    columns = tuple(Measured(f"c{k}") for k in range(3))
    method = Linear(Variants("GRCh38", ("22",), 1), Measured("height"), columns)
    with real_world(tmp_path, SIZES) as at:
        run = at.begin(method=method)
        at.go()
        assert "more than 0.2 parameters" in at.show(run).reason


def test_a_name_that_nobody_has_recorded_is_told(tmp_path: Path) -> None:
    columns = tuple(Measured(f"c{k}") for k in range(3))
    method = Linear(Variants("GRCh38", ("22",), 1), Measured("height"), columns)
    with real_world(tmp_path, LARGER) as at:
        run = at.begin(method=method)
        at.go()
        assert "fewer than 20 people" in at.show(run).reason, "nobody has the columns"
        assert "fewer have c0, c1, c2, height recorded" in at.show(run).reason, "so that a misspelt name is seen"


def test_two_nodes_only_where_both_agreed(tmp_path: Path) -> None:
    with real_world(tmp_path, {"node.a": 20, "node.b": 21}) as at:
        run = at.begin()
        at.go()
        assert "shows each the other's sums" in at.show(run).reason
        for node, other in (("node.a", "node.b"), ("node.b", "node.a")):
            run = at.begin()
            at.go()
            assert at.show(run).state is RunState.STOPPED
            at.nodes[node].start(msgspec.structs.replace(MODEST, partners=(other,)))
        run = at.begin()
        at.go()
        assert counted(at, run) == expected(at)


def test_one_node_alone_only_where_it_lets_it_or_all_is_open(tmp_path: Path) -> None:
    with real_world(tmp_path, {"node.a": 40}) as at:
        run = at.begin()
        at.go()
        assert "does not compute a study alone" in at.show(run).reason
        at.nodes["node.a"].start(msgspec.structs.replace(MODEST, alone=True))
        run = at.begin()
        at.go()
        assert counted(at, run) == expected(at)
    with real_world(tmp_path / "open", {"node.a": 40}, is_open=True) as at:
        run = at.begin()
        at.go()
        assert counted(at, run) == expected(at)


def test_two_studies_whose_sites_differ_by_one_do_not_show_what_it_sent(tmp_path: Path) -> None:
    """Counts of the second, taken from those of the first, would be the fourth node's own."""
    sizes = {**SIZES, "node.d": 20}
    with real_world(tmp_path, sizes) as at:
        run = at.begin()
        at.go()
        assert at.show(run).state is RunState.FINISHED
        for node in at.nodes.values():
            node.start()
        three = at.document().sites[:3]
        run = at.begin(sites=three)
        at.go()
        assert "fewer than 3 nodes sent" in at.show(run).reason
        run = at.begin()
        at.go()
        assert at.show(run).state is RunState.FINISHED, "with the same sites as often as wanted"


def test_a_node_whose_key_is_another_than_before_is_not_computed_with(tmp_path: Path) -> None:
    with real_world(tmp_path, SIZES) as at:
        at.begin()
        at.go()
        node = at.nodes["node.b"]
        node.keys = type(node.keys).open(tmp_path / "stolen")
        node.start()
        run = at.begin()
        at.go()
        assert "node.b has another key than when this node first computed with it" in at.show(run).reason


class Hub:
    """A hub that asks one node what it likes."""

    def __init__(self, at: RealWorld, **document: Any) -> None:
        self.at, self.node = at, at.nodes["node.a"]
        self.document = at.document(**document)
        self.content = encode(self.document)
        self.digest = digest(self.document)

    def ask(self, stage: Stage = Stage.SUMS, *, keys: bytes = b"", **other: Any) -> Any:
        parameters = pack({})
        epoch, round_ = other.pop("epoch", 0), other.pop("round", 0)
        document = other.pop("document", self.content)
        fields: dict[str, Any] = {
            "place": Place("S1", epoch, round_, stage),
            "digest": self.digest,
            "subject": ADA.subject,
            "name": "Ada",
            "sites": tuple(sorted(self.at.nodes)),
            "step": "",
            "sums": (),
            "opened": (),
            "document_bytes": len(document),
            "parameters_bytes": len(parameters),
            "keys_bytes": len(keys),
        }
        self.node.site.give(Task(**{**fields, **other}), document + parameters + keys)
        spoken = self.node.site.next_reply()
        if spoken is None:
            return None
        self.node.site.taken(spoken[0])
        return spoken[0].said

    def keys(self, mine: Keyed, epoch: int = 0, round_: int = 0) -> bytes:
        """The keys of all, of others true ones."""
        turn = Round(self.digest, epoch, round_, tuple(sorted(self.at.nodes)))
        found = {"node.a": mine.key}
        for name in ("node.b", "node.c"):
            found[name] = sign_key(self.at.nodes[name].keys, turn, name, RoundSecret().public)
        return encode_keys(found)


PEOPLE = tuple(Summed(name, (), 0) for name in PEOPLE_COUNTS)


def test_what_a_hub_may_not_have(tmp_path: Path) -> None:
    with real_world(tmp_path, SIZES) as at:
        hub = Hub(at)
        assert hub.ask(Stage.CHECK) == Agreed(Terms(30, 10, 2, 0.2))
        for asked in ({"step": "count", "opened": ("counts",)}, {"step": PEOPLE_STEP, "opened": ("people",)}):
            assert "leaves this node in sums only" in hub.ask(**asked).reason
        lone = hub.ask(step=PEOPLE_STEP, sums=PEOPLE, sites=("node.a",), epoch=1)
        assert "does not go on with so few" in lone.reason
        assert "other sites" in hub.ask(Stage.CHECK, sites=("node.a", "node.x"), epoch=1).reason
        assert "does not name node.a" in hub.ask(Stage.CHECK, sites=("node.b", "node.c")).reason
        assert "no permit with this id" in hub.ask(Stage.CHECK, subject="eve@https://idp.example").reason
        assert "whose digest" in hub.ask(Stage.CHECK, digest="sha256:0").reason
        assert hub.ask(Stage.CHECK, document=b"") is None, "of a run that it does not hold it says nothing"
        assert isinstance(hub.ask(Stage.CHECK, document=b"{}"), Failed)


def test_survivors_are_no_fewer_than_the_study_says(tmp_path: Path) -> None:
    with real_world(tmp_path, {**SIZES, "node.d": 20}) as at:
        hub = Hub(at, when_one_fails="go on", least_sites=3)
        assert isinstance(hub.ask(Stage.CHECK, sites=("node.a", "node.b", "node.c")), Agreed)
        assert "so few" in hub.ask(Stage.CHECK, sites=("node.a", "node.b"), epoch=1).reason


def test_a_key_masks_one_vector(tmp_path: Path) -> None:
    with real_world(tmp_path, SIZES) as at:
        hub = Hub(at)
        assert hub.ask(step=PEOPLE_STEP, sums=PEOPLE) == Forgot(), "no vector without a key"
        mine = hub.ask(Stage.KEYS)
        assert isinstance(mine, Keyed)
        keys = hub.keys(mine)
        assert isinstance(hub.ask(step=PEOPLE_STEP, sums=PEOPLE, keys=keys), Sent)
        assert hub.ask(step=PEOPLE_STEP, sums=PEOPLE, keys=keys) == Forgot()
        assert hub.ask(step=PEOPLE_STEP, sums=PEOPLE, keys=keys, round=1) == Forgot()


def test_a_node_holds_its_hub_to_the_method_s_course(tmp_path: Path) -> None:
    with real_world(tmp_path, SIZES) as at:
        hub = Hub(at)
        assert hub.ask(step="alleles", round=1, opened=("start",)).opened_bytes > 0
        assert "oftener" in hub.ask(step="alleles", round=2, opened=("start",)).reason
        assert "does not come now" in Hub(at).ask(step="multiply", round=2).reason


@pytest.mark.parametrize("ending", ["over", "refused"])
def test_a_run_whose_sums_are_known_does_not_begin_again(tmp_path: Path, ending: str) -> None:
    with real_world(tmp_path, SIZES) as at:
        hub = Hub(at)
        assert isinstance(hub.ask(Stage.CHECK), Agreed)
        hub.node.site._lent.note("S1", "", tuple(sorted(at.nodes)))
        hub.node.site._held["S1"].is_opened = True
        if ending == "over":
            hub.node.site.forget(["S1"])
        else:
            assert "in sums only" in hub.ask(step="count", opened=("counts",)).reason
        hub.node.start()
        assert "ended here after sums of it were opened" in hub.ask(Stage.CHECK, epoch=1).reason


def test_keys_that_are_not_the_sites_own_mask_nothing(tmp_path: Path) -> None:
    with real_world(tmp_path, SIZES) as at:
        hub = Hub(at)
        for epoch, round_ in ((0, 1), (1, 0)):
            mine = hub.ask(Stage.KEYS)
            wrong = hub.ask(step=PEOPLE_STEP, sums=PEOPLE, keys=hub.keys(mine, epoch, round_))
            assert "of another round" in wrong.reason
        mine = hub.ask(Stage.KEYS)
        assert isinstance(hub.ask(step=PEOPLE_STEP, sums=PEOPLE, keys=b"{}"), Failed)
        mine = hub.ask(Stage.KEYS)
        assert isinstance(hub.ask(step=PEOPLE_STEP, sums=PEOPLE, keys=b"no"), Failed)


@pytest.mark.parametrize("restarted", [False, True])
def test_after_a_sum_that_the_hub_knows_the_sites_stay_the_same(tmp_path: Path, restarted: bool) -> None:
    with real_world(tmp_path, {**SIZES, "node.d": 20}) as at:
        run = at.begin(when_one_fails="go on", least_sites=3)
        at.until(run, "count", Stage.SUMS)
        node = at.nodes["node.a"]
        node.turn(at.coordinator)
        held = node.site._held[run]
        assert (held.summed, held.is_opened) == (2, False)
        node.site._lent.open([run])  # as when a next round is asked
        if restarted:
            node.start()
        at.nodes["node.d"].is_dead = True
        at.go()
        at.wait(11)
        at.go()
        assert "sums with other sites were opened" in at.show(run).reason


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (np.array([[np.nan]]), "x is not finite"),
        (np.array([[np.inf]]), "x is not finite"),
        (np.array([[1e18]]), "too large for a sum of 3"),
        (np.zeros((2, 1)), "x is not what was asked"),
    ],
)
def test_what_is_no_number_or_out_of_bounds_does_not_leave(tmp_path: Path, wrong: Any, why: str) -> None:
    class Wrong:
        def answer(self, _step: str, _parameters: Any) -> Any:
            return {"x": wrong}

    with real_world(tmp_path, SIZES) as at:
        hub = Hub(at)
        mine = hub.ask(Stage.KEYS)
        hub.node.site._held["S1"].method = Wrong()
        said = hub.ask(step="alleles", sums=(Summed("x", (1, 1), 30),), keys=hub.keys(mine))
        assert isinstance(said, Failed)
        assert why in said.reason


def test_a_fault_of_the_node_tells_nothing(tmp_path: Path) -> None:
    class Broken:
        def answer(self, _step: str, _parameters: Any) -> Any:
            raise ZeroDivisionError("I7 has 3 copies")

    with real_world(tmp_path, SIZES) as at:
        hub = Hub(at)
        hub.ask(Stage.CHECK)
        hub.node.site._held["S1"].method = Broken()
        assert hub.ask(step="alleles") == Failed(_FAULT)


def test_it_says_when_there_is_something_to_say(tmp_path: Path) -> None:
    with real_world(tmp_path, SIZES) as at:
        hub, woken = Hub(at), []
        hub.node.site.listen(lambda: woken.append(1))
        hub.ask(Stage.CHECK)
        assert woken == [1]
        assert hub.node.site.holds() == ("S1",)
        node: RealNode = hub.node
        node.withdraw(min(node.numbers))
        node.site.watch()
        assert (woken, node.said(), node.site.holds()) == ([1, 1], Changed(), ())
        node.site.watch()
        assert node.site.next_reply() is None
        assert isinstance(hub.ask(Stage.CHECK, epoch=1, sites=("node.x",)), Refused)
