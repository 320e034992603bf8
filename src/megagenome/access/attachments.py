# SPDX-License-Identifier: Apache-2.0
"""Attached documents: what is taken, and the folder that keeps them.

Taken are PDF and plain text, by their bytes and not by their name. They are never shown, only handed out as downloads
under a type of ours, so that a document cannot become a page of this site.
"""

import re
import unicodedata
from pathlib import Path

from megagenome.kernel.durable_files import fsync_folder, write_durably
from megagenome.kernel.errors import Invalid, NotFound, TooLarge

MEDIA_TYPES = {"pdf": "application/pdf", "text": "text/plain; charset=utf-8"}
_ENDINGS = {"pdf": (".pdf",), "text": (".txt", ".md", ".csv", ".tsv")}
_MARKUP = re.compile(rb"<\s*(!doctype|\?xml|html|head|body|script|svg|iframe|img|meta|style)", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LONGEST_NAME = 120
_ID = re.compile(r"[0-9a-f]{24}")


def kind_of(name: str, content: bytes, largest_bytes: int) -> str:
    """`pdf` or `text`. Raises `TooLarge`, or `Invalid` for anything else and for a name that says something else."""
    if len(content) > largest_bytes:
        raise TooLarge(f"the document has {len(content)} bytes; at most {largest_bytes} are taken")
    kind = "pdf" if _is_pdf(content) else "text" if _is_text(content) else ""
    if not kind:
        raise Invalid("the document is neither a PDF nor a plain text: attach one of these")
    if not name.lower().endswith(_ENDINGS[kind]):
        raise Invalid(f"the document is a {kind}, but its name does not end with {' or '.join(_ENDINGS[kind])}")
    return kind


def shown_name(name: str) -> str:
    """What a document is called to people: no folders, no controls or text direction marks, not too long."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    clean = "".join(char for char in last if unicodedata.category(char)[0] != "C").strip(" .")
    stem, dot, ending = clean.rpartition(".")
    return f"{(stem or 'document')[:_LONGEST_NAME]}{dot}{ending[:10]}"


def _is_pdf(content: bytes) -> bool:
    return content.startswith(b"%PDF-") and b"%%EOF" in content[-1024:]


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return False
    return bool(text.strip()) and not _CONTROLS.search(text) and not _MARKUP.search(content)


class AttachmentFolder:
    """Attachments as files of one folder, by id. Names of their senders appear nowhere in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, attachment: str, content: bytes) -> None:
        """Store durably."""
        with write_durably(self._path(attachment)) as file:
            file.write(content)

    def get(self, attachment: str) -> bytes:
        """The content. Raises `NotFound`."""
        try:
            return self._path(attachment).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"attachment {attachment} was erased") from None

    def erase(self, attachment: str) -> None:
        """Remove, durably. Idempotent."""
        self._path(attachment).unlink(missing_ok=True)
        if self._folder.is_dir():
            fsync_folder(self._folder)

    def ids(self) -> list[str]:
        """All that are stored."""
        return sorted(path.name for path in self._folder.glob("*") if _ID.fullmatch(path.name))

    def _path(self, attachment: str) -> Path:
        if not _ID.fullmatch(attachment):
            raise NotFound("there is no such attachment")
        return self._folder / attachment
