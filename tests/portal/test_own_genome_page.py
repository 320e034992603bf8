# SPDX-License-Identifier: Apache-2.0
"""A citizen's page and a steward's: in words for everybody, and hostile text stays text."""

import msgspec
import pytest

from megagenome.collection.acts import Act, effects
from megagenome.collection.model import Use
from megagenome.kernel.ledger import Kind
from megagenome.portal.own_genome_page import ACTS, MONTHS, USES, own_genome_page, steward_page, told
from megagenome.standards.own_genome import Effect, MonthUse, OwnGenome, PermitUse, Said, SaidBefore
from tests.portal.document import Document
from tests.portal.fake_hub import EVIL


def genome(says: str = "words") -> OwnGenome:
    days = ("2026-12-01", "2027-11-30")
    permit = PermitUse(says, (says,), ("research", says), *days, "active", 3, "2026-12-02T10:00:00Z")
    return OwnGenome(
        says,
        (says,),
        tuple(use.value for use in Use),
        ("aggregates",),
        (SaidBefore(says, ("research", says), "2026-11-22T10:00:00+00:00"), SaidBefore("withdraw", (), "2026-11-22")),
        (permit,),
        (MonthUse("2026-11", "aggregate", 1234), MonthUse("2026-11", says, 1), MonthUse("2026-10", "read", 2)),
        tuple(Effect(*row) for row in effects()),
    )


def test_each_use_act_and_kind_has_words() -> None:
    assert set(USES) == set(Use)
    assert set(ACTS) == set(Act)
    assert set(MONTHS) == set(Kind)


@pytest.mark.parametrize("for_steward", [True, False])
def test_the_page_is_whole_and_hostile_text_stays_text(for_steward: bool) -> None:
    page = own_genome_page(genome(EVIL), said=EVIL, problem=EVIL, for_steward=for_steward)
    found = Document(page)
    found.check()
    assert "<script>window" not in page
    forms = [form["action"] for form in found.all("form")]
    assert forms == ["/consent" if for_steward else "/my-genome"]
    assert [a["name"] for a in found.all("input") if a["type"] == "hidden"] == ["csrf", *["individual"] * for_steward]
    Document(steward_page(problem=EVIL)).check()


def test_it_says_what_was_done_and_when() -> None:
    text = Document(own_genome_page(genome())).text.replace("\u00a0", " ")
    assert "Answers with numbers for the public: 1,234" in text
    assert "1 Dec 2026 to 30 Nov 2027" in text
    assert "Research (without you)" in text
    empty = msgspec.structs.replace(genome(), permits=(), months=(), said=())
    assert "No permit covers data" in Document(own_genome_page(empty)).text


def test_what_an_act_did_in_words() -> None:
    assert told(Said((), ("research",), (), "")) == (
        "Done. Consent holds now for: nothing. Readings by permit follow at once."
    )
    assert "next release, on 22 Dec 2026 at the latest" in told(Said(("research",), (), ("A",), "2026-12-22"))
