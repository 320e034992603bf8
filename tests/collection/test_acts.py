# SPDX-License-Identifier: Apache-2.0
"""What people say of the uses of their genome, and the table of what follows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from megagenome.collection.acts import TERMS, Act, effects, read_acts, say, uses_of
from megagenome.collection.collection import Collection
from megagenome.collection.load import load
from megagenome.collection.model import Use
from megagenome.collection.people import YES
from megagenome.kernel.errors import Invalid, NotFound
from megagenome.kernel.ids import IndividualId
from tests.collection import clocks
from tests.collection.clocks import CLOSED, OPEN

EVERY = frozenset(Use)
ENDS = {
    Act.WITHDRAW: {"aggregates", "research", "policy", "quality", "healthcare"},
    Act.OBJECT: {"research", "policy", "quality"},
    Act.OPT_OUT: {"aggregates", "research", "policy", "quality"},
}
I3 = IndividualId("I3")


@pytest.fixture
def node(collection: Collection) -> Collection:
    """Twenty people who say yes to every use, in an open dataset and in one that is not."""
    collection.journal = clocks.NoJournal()
    for dataset in (OPEN, CLOSED):
        table = clocks.table(dict.fromkeys(range(20), EVERY))
        load(collection, clocks.statement(dataset), table, [clocks.source_of(range(20))], "GRCh38")
    return collection


@pytest.mark.parametrize("act", list(ENDS))
def test_each_act_ends_its_uses_and_renewing_gives_them_back(node: Collection, act: Act) -> None:
    report = say(node, I3, act, by="desk", longest_delay_days=30)
    assert set(report.changed) == ENDS[act]
    assert set(report.holds) == EVERY - ENDS[act]
    again = say(node, I3, act, by="desk", longest_delay_days=30)
    assert (again.changed, again.holds) == ((), report.holds)
    back = say(node, I3, Act.RENEW, by="desk", longest_delay_days=30)
    assert (set(back.changed), set(back.holds), back.public_until) == (ENDS[act], EVERY, ())


def test_one_use_may_be_named_where_the_act_lets_people_choose(node: Collection) -> None:
    assert say(node, I3, Act.WITHDRAW, [Use.POLICY], by="desk", longest_delay_days=30).changed == ("policy",)
    say(node, I3, Act.OPT_OUT, by="desk", longest_delay_days=30)
    assert set(say(node, I3, Act.RENEW, [Use.RESEARCH], by="desk", longest_delay_days=30).holds) == {
        "research",
        "healthcare",
    }
    for act in (Act.OBJECT, Act.OPT_OUT):
        with pytest.raises(Invalid, match=f"{act} is always about"):
            uses_of(act, [Use.RESEARCH])


def test_no_table_brings_back_what_a_person_ended(node: Collection) -> None:
    say(node, I3, Act.WITHDRAW, [Use.RESEARCH], by="desk", longest_delay_days=30)
    report = load(node, clocks.statement("NEW"), clocks.table({3: EVERY}))
    assert (report.consenting, report.overruled) == (1, 0)
    assert set(say(node, I3, Act.WITHDRAW, [Use.RESEARCH], by="desk", longest_delay_days=30).holds) == EVERY - {
        "research"
    }
    say(node, I3, Act.WITHDRAW, by="desk", longest_delay_days=30)
    assert load(node, clocks.statement("NEWER"), clocks.table({3: YES})).overruled == 1


def test_renewing_does_not_overrule_a_table(node: Collection) -> None:
    load(node, clocks.statement("NEW"), clocks.table({3: YES}))
    assert set(say(node, I3, Act.RENEW, by="desk", longest_delay_days=30).holds) == YES


def test_the_report_says_where_the_person_is_still_told_of_and_until_when(node: Collection) -> None:
    report = say(node, I3, Act.OPT_OUT, by="desk", longest_delay_days=7)
    assert report.public_until == (OPEN, CLOSED)
    assert report.leaves_by == (datetime.now(UTC) + timedelta(days=7)).date().isoformat()
    assert say(node, I3, Act.OBJECT, by="desk", longest_delay_days=7).leaves_by == report.leaves_by
    other = say(node, IndividualId("I4"), Act.OBJECT, by="desk", longest_delay_days=7)
    assert (other.public_until, other.leaves_by) == ((), "")


def test_what_was_said_is_kept_and_entered(node: Collection) -> None:
    say(node, I3, Act.OBJECT, by="desk", longest_delay_days=30)
    say(node, I3, Act.RENEW, [Use.POLICY], by="I3 herself", longest_delay_days=30)
    with node.engine.connect() as connection:
        kept = read_acts(connection, I3)
        assert read_acts(connection, IndividualId("I4")) == ()
    assert [(act, set(uses)) for act, uses, _ in kept] == [(Act.OBJECT, ENDS[Act.OBJECT]), (Act.RENEW, {"policy"})]
    assert [datetime.fromisoformat(at) for *_, at in kept] == sorted(datetime.fromisoformat(at) for *_, at in kept)
    assert isinstance(node.journal, clocks.NoJournal)
    assert node.journal.said == [("desk", "object", (OPEN, CLOSED)), ("I3 herself", "renew", (OPEN, CLOSED))]


def test_nobody_here_is_not_found_and_nothing_is_kept(node: Collection) -> None:
    version = node.version
    with pytest.raises(NotFound, match="individual I99 is not in this node"):
        say(node, IndividualId("I99"), Act.WITHDRAW, by="desk", longest_delay_days=30)
    node.refresh()
    assert node.version == version


def test_a_withdrawal_that_cannot_be_entered_does_not_happen(node: Collection) -> None:
    def full(*_: object) -> None:
        raise OSError("disk full")

    assert node.journal is not None
    node.journal.enter_consent = full
    with pytest.raises(OSError, match="disk full"):
        say(node, I3, Act.WITHDRAW, by="desk", longest_delay_days=30)
    node.journal = None
    assert say(node, I3, Act.WITHDRAW, by="desk", longest_delay_days=30).changed != ()


def test_the_table_of_effects_is_what_the_acts_do_and_stands_in_the_docs(node: Collection) -> None:
    rows = effects()
    assert {(row[0], row[1]) for row in rows} == {(act, use) for act in Act for use in Use}
    for row in rows:
        assert (row[2] != "stays") == (row[1] in TERMS[Act(row[0])].uses)
    for act, ended in ENDS.items():
        assert {row[1] for row in rows if row[0] == act and row[2].startswith("ends")} == ended
    page = (Path(__file__).parents[2] / "docs" / "consent.md").read_text()
    assert printed() in page


def printed() -> str:
    """The table as it stands in docs/consent.md."""
    lines = [
        "| act | use | what it does | for readings by permit | for the public | basis | undone by |",
        "|" + "---|" * 7,
    ]
    return "\n".join([*lines, *("| " + " | ".join(cell or "-" for cell in row) + " |" for row in effects())])
