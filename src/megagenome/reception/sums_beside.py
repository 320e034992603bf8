# SPDX-License-Identifier: Apache-2.0
"""Checksums that lie beside a provider's files: `FILE.sha256` of one, `SHA256SUMS` and others of several.

They were made when the files were, so what they name and is not there was forgotten, and what is not as they say
changed on the way. They are read as GNU coreutils write them (`sha256sum`, also `--tag` and escaped names), of MD5 and
of SHA of any length.
"""

import os
import re
import unicodedata
from collections.abc import Container, Iterator
from pathlib import Path
from typing import NamedTuple

from megagenome.kernel.errors import Corrupt, Invalid

_DIGITS = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
_KIND = f"({'|'.join(_DIGITS.values())})(?:sums?)?"
# a `notes.txt` may tell of people, so only what can be nothing else is taken for a list
_NAME = re.compile(rf"(?:(.+)\.)?{_KIND}(?:\.txt)?|checksums?(?:\.txt)?", re.IGNORECASE | re.ASCII)
_LINE = re.compile(r"([0-9A-Fa-f]+)(?:(?: [ *]|[ \t])(.+))?")
_TAGGED = re.compile(r"[\w-]+ ?\((.+)\) ?= ?([0-9A-Fa-f]+)")
_ESCAPES = {r"\\": "\\", r"\n": "\n", r"\r": "\r"}
_ESCAPED = re.compile(r"\\[\\nr]")


class SumBeside(NamedTuple):
    """A checksum that lies beside a file.

    of         the file, below the folder
    kind       the algorithm, as `hashlib` calls it
    value      lower-case hexadecimal
    is_listed  whether it stands in a list of files, which says of what a delivery is
    """

    of: str
    kind: str
    value: str
    is_listed: bool


class _Line(NamedTuple):
    number: int
    name: str
    kind: str
    value: str


def is_of_sums(name: str) -> bool:
    """Whether a file that is called like this has checksums in it."""
    return _NAME.fullmatch(name) is not None


def sums_beside(folder: Path) -> list[SumBeside]:
    """All checksums that lie in a folder.

    A file of one checksum that is called as another file with an ending more is that one's, whatever name stands in it;
    every other is a list, of names from the folder on that it is in. Raises `Invalid` for a line that is none, and for
    a name of which there is no file; `Corrupt` where one file is to have two. Cost: reading the lists.
    """
    there = {_below(folder, path): path for path in folder.rglob("*") if path.is_file()}
    sums: dict[tuple[str, str], SumBeside] = {}
    for shown, path in sorted(there.items()):
        if f"/{shown}".count("/."):
            continue  # what is hidden is nothing of a submission
        for each in _sums_in(folder, path, there):
            if sums.setdefault((each.of, each.kind), each).value != each.value:
                raise Corrupt(f"{each.of}: the checksums beside it differ among themselves, that in {shown} is another")
    return list(sums.values())


def _sums_in(folder: Path, path: Path, there: Container[str]) -> Iterator[SumBeside]:
    called = _NAME.fullmatch(path.name)
    if called is None:
        return
    shown, kind = _below(folder, path), (called[2] or "").lower()
    lines = list(_lines(path, shown, kind))
    of = _below(folder, path.parent / (called[1] or ""))
    if of in there and len(lines) == 1:
        yield SumBeside(of, lines[0].kind, lines[0].value, is_listed=False)
        return
    for line in lines:
        if not line.name:
            raise Invalid(f"{shown} line {line.number}: says not of which file it is")
        of = _below(folder, path.parent / line.name)
        if of not in there:
            raise Invalid(f"{shown} line {line.number}: lists {line.name[:200]!r}, which is not in the folder")
        yield SumBeside(of, line.kind, line.value, is_listed=True)


def _below(folder: Path, path: Path) -> str:
    """The path from the folder on, without `.` and, where it does not leave the folder, without `..`."""
    return unicodedata.normalize("NFC", os.path.relpath(path, folder))


def _lines(path: Path, shown: str, kind: str) -> Iterator[_Line]:
    """The checksums in a file, of this algorithm; "": by their lengths."""
    try:
        content = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise Invalid(f"{shown}: {error.strerror or error}") from None
    # no `splitlines`, which also parts names at what is no end of a line
    for number, line in enumerate(content.split("\n"), start=1):
        text = line.strip(" \t\r")
        if not text or text.startswith("#"):
            continue
        name, value = _name_and_value(text)
        found = _DIGITS.get(len(value), "")
        if not found or kind not in ("", found):
            raise Invalid(f"{shown} line {number}: not a checksum{f' ({kind})' if kind else ''} and a name")
        yield _Line(number, name, found, value.lower())


def _name_and_value(text: str) -> tuple[str, str]:
    """Of one line; "" for what it does not have."""
    is_escaped = text.startswith("\\")
    text = text.removeprefix("\\")
    if found := _TAGGED.fullmatch(text):
        name, value = found[1], found[2]
    elif found := _LINE.fullmatch(text):
        name, value = found[2] or "", found[1]
    else:
        return "", ""
    if is_escaped:
        return _ESCAPED.sub(lambda each: _ESCAPES[each[0]], name), value
    return name.replace("\\", "/"), value  # which no coreutils wrote, and so parts folders
