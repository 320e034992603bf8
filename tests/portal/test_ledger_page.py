# SPDX-License-Identifier: Apache-2.0
"""The auditor's page as a function of what the ledger told (tests/app/test_ledger_routes.py)."""

import msgspec

from megagenome.kernel.ledger import Kind
from megagenome.kernel.ledger_chain import Entry, Verdict
from megagenome.kernel.ledger_pages import Page
from megagenome.portal.ledger_page import KINDS, Asked, ledger_page
from tests.portal.document import Document
from tests.portal.fake_hub import EVIL

ENTRY = Entry(12, "2026-11-22T10:12:00.123456Z", EVIL, EVIL, EVIL, EVIL, EVIL, 3, "ab" * 32)
FINE = Verdict("hub", True, 12, 2, 10, 1, "ab" * 32)


def test_every_kind_has_words() -> None:
    assert set(KINDS) == set(Kind)


def test_entries_choice_and_verdict_are_shown_as_text() -> None:
    asked = Asked(*[EVIL] * len(Asked.__struct_fields__))
    for verdict in (None, FINE, msgspec.structs.replace(FINE, fine=False, says=EVIL, wrong=3)):
        for on_node in (True, False):
            page = ledger_page(asked, Page((ENTRY,), 11), verdict, on_node=on_node, problem=EVIL)
            Document(page).check()
            assert "<script>window" not in page


def test_a_verdict_is_said_in_words() -> None:
    right = Document(ledger_page(Asked(), Page((), None), FINE, on_node=False)).text.replace("\u00a0", " ")
    assert "Yes: all 12 entries are as they were written, and 2 signed heads agree with them." in right
    wrong = msgspec.structs.replace(FINE, fine=False, says="entry 3 is not what was written", entries=2)
    assert (
        "No: entry 3 is not what was written."
        in Document(ledger_page(Asked(), Page((), None), wrong, on_node=False)).text
    )


def test_older_entries_and_verifying_keep_the_choice() -> None:
    page = Document(ledger_page(Asked(permit="p 1", before="99"), Page((ENTRY,), 11), None, on_node=False))
    links = [a["href"] for a in page.all("a")]
    assert "/ledger?permit=p+1&before=11" in links
    assert "/ledger?permit=p+1&verify=1" in links
    assert "/ledger/export" in links
