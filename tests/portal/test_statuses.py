# SPDX-License-Identifier: Apache-2.0
"""How nodes took part, in words."""

import pytest

from megagenome.portal.numbers import NO_BREAK
from megagenome.portal.statuses import BADGES, SPOKE, explain, missing, node_message, summary, told_none
from megagenome.standards.federation import DatasetAnswer, NodeAnswer, NodeStatus
from tests.portal.fake_hub import node, ordinary


def test_every_status_has_a_word_of_its_own() -> None:
    assert set(BADGES) == set(NodeStatus)
    assert len(set(BADGES.values())) == len(NodeStatus)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (node("FI", NodeStatus.WITHHELD), "Either fewer than 10 or none at all: nobody can tell which."),
        (node("FI", NodeStatus.WITHHELD, floor=25), "Either fewer than 25 or none at all: nobody can tell which."),
        (
            node("FI", NodeStatus.WITHHELD, floor=None),
            "Nothing that it may tell you: too few people, data that are not open to you, or none at all.",
        ),
        (node("FI", NodeStatus.LATE, message="5 s"), "It did not answer in time: 5 s"),
        (node("FI", NodeStatus.UNREACHABLE), "It could not be reached"),
        (node("FI"), "Nothing found; it tells every count, so this means none."),
        (node("FI", count=3), ""),
        (node("FI", datasets=(DatasetAnswer("a", True),)), ""),
    ],
)
def test_one_sentence_on_a_nodes_part(answer: NodeAnswer, sentence: str) -> None:
    assert explain(answer) == sentence


def test_a_node_that_withholds_has_not_told_that_there_is_none() -> None:
    assert told_none(node("FI"))
    assert not told_none(node("FI", NodeStatus.WITHHELD, floor=0))
    assert not told_none(node("FI", NodeStatus.LATE))


def test_a_long_message_becomes_one_short_line() -> None:
    message = node_message(node("FI", NodeStatus.FAULTY, message="a\n b\t" + "c " * 1000))
    assert message.startswith("a b c c")
    assert len(message) <= 220
    assert message.endswith("…")


def test_the_summary_counts_every_status() -> None:
    assert summary(ordinary().nodes) == f"5{NO_BREAK}nodes answered, 1 withheld, 1 too late, 1 faulty"
    assert summary([node("FI", NodeStatus.LATE)]) == f"1{NO_BREAK}node too late"
    assert summary([]) == "No node takes part in this network yet"


def test_missing_are_those_whose_people_are_in_no_number() -> None:
    assert [one.country for one in missing(ordinary().nodes)] == ["SE", "DE"]
    assert all(one.status not in SPOKE for one in missing(ordinary().nodes))
