# SPDX-License-Identifier: Apache-2.0
"""Conditions of HTTP on what a requester has (RFC 9110, 13): `If-Match` and `If-None-Match`, by entity tags (8.8.3)."""

import re

_TAG = re.compile(r'(W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_BETWEEN = re.compile(r"[ \t]*(?:,[ \t]*)+")
_MOST_TAGS = 1000


def status_instead(if_match: str | None, if_none_match: str | None, tag: str) -> int | None:
    """What answers a GET or HEAD in the place of what has this strong tag: 412, 304, or None where it is sent.

    In the order of RFC 9110, 13.2.2; `Range` counts only after that. Fields that were sent several times are joined by
    commas.
    """
    if if_match is not None and not _is_among(tag, if_match, weakly=False):
        return 412
    if if_none_match is not None and _is_among(tag, if_none_match, weakly=True):
        return 304
    return None


def _is_among(tag: str, field: str, *, weakly: bool) -> bool:
    """Whether a field names this strong tag. A field that is no list of tags names none."""
    if field.strip(" \t") == "*":
        return True
    return any(each == tag and (weakly or not weak) for weak, each in _tags(field))


def _tags(field: str) -> list[tuple[bool, str]]:
    """Whether each is weak, and without that; a comma within a tag parts nothing."""
    found: list[tuple[bool, str]] = []
    text = field.strip(" \t,")
    at = 0
    while (tag := _TAG.match(text, at)) and len(found) < _MOST_TAGS:
        found.append((tag[1] is not None, tag[2]))
        if tag.end() == len(text):
            return found
        between = _BETWEEN.match(text, tag.end())
        if between is None:
            break
        at = between.end()
    return []
