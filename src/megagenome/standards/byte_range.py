# SPDX-License-Identifier: Apache-2.0
"""Byte ranges of HTTP (RFC 9110 §14): the one range of a `Range` field that is served."""

import re
from typing import NamedTuple

_ONE = re.compile(r"([0-9]*)-([0-9]*)")
_DIGITS = 20
"""More than any size has: a number is as good as its first ones."""


class Unsatisfiable(Exception):
    """No byte of the content is in the range: 416, with `Content-Range: bytes */size`."""


class ByteRange(NamedTuple):
    """0-based, half-open, within the content, with at least one byte."""

    start: int
    end: int

    def content_range(self, size: int) -> str:
        """The field `Content-Range` of a 206."""
        return f"bytes {self.start}-{self.end - 1}/{size}"


def read_range(field: str | None, size: int) -> ByteRange | None:
    """The range that a `Range` field asks of `size` bytes; None where the whole content is the answer.

    As the standard allows, a field of another unit, that is malformed, or asks for several ranges is passed over.
    Raises `Unsatisfiable` where it asks for no byte that there is.
    """
    if field is None:
        return None
    unit, _, ranges = field.partition("=")
    found = _ONE.fullmatch(ranges.strip())
    if unit.strip().lower() != "bytes" or not found or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, end = max(0, size - _number(found[2])), size
    else:
        start, end = _number(found[1]), min(size, _number(found[2]) + 1) if found[2] else size
        if found[2] and _number(found[2]) < start:
            return None  # malformed: it ends before it begins
    if start >= end:
        raise Unsatisfiable
    return ByteRange(start, end)


def _number(digits: str) -> int:
    return int(digits.lstrip("0")[:_DIGITS] or "0")
