# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.access.attachments import AttachmentFolder, kind_of, shown_name
from megagenome.kernel.errors import Invalid, NotFound, TooLarge
from tests.access.hub import PDF

MARKUP = [
    b"<!DOCTYPE html><p>hi",
    b"  <html><script>alert(1)</script>",
    b"plain first, then <script src=x>",
    b"<svg onload=alert(1)>",
    b"<?xml version='1.0'?>",
    b"< HTML >",
]


def test_pdf_and_text_are_taken() -> None:
    assert kind_of("plan.PDF", PDF, 1000) == "pdf"
    assert kind_of("plan.txt", "p < 0.05, ü".encode(), 1000) == "text"
    assert kind_of("table.tsv", b"a\tb\r\n", 1000) == "text"


@pytest.mark.parametrize("content", MARKUP)
@pytest.mark.parametrize("name", ["plan.pdf", "plan.txt", "plan.html"])
def test_a_page_is_taken_under_no_name(name: str, content: bytes) -> None:
    with pytest.raises(Invalid):
        kind_of(name, content, 1000)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plan.pdf", b"just text"),
        ("plan.txt", PDF),
        ("plan.html", PDF),
        ("plan.pdf", b"%PDF-1.4 but no end"),
        ("plan.pdf", b"\n" + PDF.replace(b"%PDF", b"<b>%PDF\0")),
        ("plan.txt", b"\x00\x01"),
        ("plan.txt", b"\xff\xfe"),
        ("plan.txt", b""),
        ("plan", b"text"),
        ("plan.exe", b"MZ\x90\x00"),
    ],
)
def test_what_is_not_what_it_says_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(Invalid):
        kind_of(name, content, 1000)


def test_large_is_too_large() -> None:
    with pytest.raises(TooLarge):
        kind_of("plan.txt", b"x" * 1001, 1000)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\plan.pdf", "plan.pdf"),
        ("pl\u202ean\r\n.pdf", "plan.pdf"),
        (".pdf", "pdf"),
        ("x" * 500 + ".pdf", "x" * 120 + ".pdf"),
    ],
)
def test_names_are_for_showing_only(name: str, shown: str) -> None:
    assert shown_name(name).endswith(shown)


@given(st.text(min_size=1))
def test_no_name_leads_anywhere(name: str) -> None:
    shown = shown_name(name)
    assert shown
    assert not set(shown) & set("/\\\r\n\0\u202e")


def test_a_folder_keeps_by_id_alone(tmp_path: Path) -> None:
    folder = AttachmentFolder(tmp_path / "attachments")
    folder.erase("0" * 24)
    folder.put("0" * 24, PDF)
    folder.put("0" * 24, PDF)
    assert (folder.get("0" * 24), folder.ids()) == (PDF, ["0" * 24])
    folder.erase("0" * 24)
    for unknown in ("0" * 24, "../hub.db", "", "x"):
        with pytest.raises(NotFound):
            folder.get(unknown)
    with pytest.raises(NotFound):
        folder.put("../x", PDF)
