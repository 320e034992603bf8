# SPDX-License-Identifier: Apache-2.0
"""Every difference is found and named. Right answers of a real network are in the journeys."""

import pytest

from megagenome.app.demo import answers, check
from megagenome.app.demo.expect import Expectation, Facts
from megagenome.app.demo.model import Address, Checked, Running
from megagenome.kernel.errors import Unavailable
from megagenome.synthetic.truth import AlleleTruth, Cell, DatasetTruth, Truth

ALLELE = AlleleTruth("22-101-A-G", "22", 100, 101, "rare", (Cell("FI", "FI-1", "female", 3, 20, 3, 0, 0),))
TRUTH = Truth(
    1,
    "GRCh38",
    1,
    10,
    1.0,
    (DatasetTruth("FI-1", "FI", True, 2024, 10, {"female": 10, "male": 0}),),
    {},
    (),
    (),
    (ALLELE,),
    (),
    (),
)
NETWORK = Running("", Address("hub", "hub", "http://hub"), (Address("node.fi", "FI", "http://fi"),), ())
SUM = "3 of 20 (0 hom, 3 het, 0 hemi)"
LABELS = ("Total", "F", "FI", "FI_F")
RIGHT = {"found": "yes", **dict.fromkeys(LABELS, SUM)}
HUB = RIGHT | {"node.fi": "answered"} | {f"{who} {label}": SUM for who in ("node.fi", "FI-1") for label in LABELS}


def ask(monkeypatch: pytest.MonkeyPatch, hub: Facts | Exception, beacon: Facts) -> list[Checked]:
    def answer(*_: object) -> Facts:
        if isinstance(hub, Exception):
            raise hub
        return hub

    monkeypatch.setattr(answers, "ask_variant", answer)
    monkeypatch.setattr(answers, "beacon_allele", lambda *_: beacon)
    return list(check.check_network(Expectation(TRUTH), NETWORK))


def test_right_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    checked = ask(monkeypatch, HUB, RIGHT)
    assert [each.asked for each in checked] == ["hub", "hub's Beacon", "node.fi"]
    assert checked == [Checked("22-101-A-G (rare)", each.asked, SUM, SUM, ok=True) for each in checked]


@pytest.mark.parametrize(
    ("change", "expected", "got"),
    [
        ({"FI": "4 of 20"}, f"FI: {SUM}", "FI: 4 of 20"),
        ({"node.fi": "late"}, "node.fi: answered", "node.fi: late"),
        ({"EE": "1 of 2"}, "EE: nothing told", "EE: 1 of 2"),
        ({"FI-1 FI_F": None}, f"FI-1 FI_F: {SUM}", "FI-1 FI_F: nothing told"),
    ],
    ids=["other number", "other status", "told too much", "told too little"],
)
def test_any_difference_is_wrong(monkeypatch: pytest.MonkeyPatch, change: Facts, expected: str, got: str) -> None:
    answer = {key: value for key, value in (HUB | change).items() if value is not None}
    wrong = [each for each in ask(monkeypatch, answer, RIGHT) if not each.ok]
    assert wrong == [Checked("22-101-A-G (rare)", "hub", expected, got, ok=False)]


def test_no_answer_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    [wrong, *others] = ask(monkeypatch, Unavailable("the hub is gone"), RIGHT)
    assert (wrong.ok, wrong.got) == (False, "the hub is gone")
    assert all(each.ok for each in others)
