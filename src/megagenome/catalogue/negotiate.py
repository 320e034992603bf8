# SPDX-License-Identifier: Apache-2.0
"""Which form of a description a request asks for: by a suffix, or by `Accept` with its weights (RFC 9110, 12.5.1); and
in which profile."""

import re

from megagenome.catalogue.model import Profile
from megagenome.catalogue.serialise import Form
from megagenome.kernel.errors import Invalid

_ALIASES = {
    "application/xhtml+xml": Form.HTML,
    "application/json": Form.JSON_LD,
    "application/x-turtle": Form.TURTLE,
    "text/n3": Form.TURTLE,  # which Turtle is part of
    "text/plain": Form.N_TRIPLES,
}
_OFFERED: tuple[tuple[str, Form], ...] = (*((form.media_type, form) for form in Form), *_ALIASES.items())
"""In the order of our own preference: Turtle, as the reference FAIR Data Point."""
_WEIGHT = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")
_LONGEST = 4_000
_MOST_RANGES = 50


def negotiate(accept: str) -> Form | None:
    """The form of the greatest weight; of several the first in the order of `Form`. Turtle where nothing is asked for,
    None where nothing that is asked for is served.

    As the specification has it, the most specific range that fits a form gives its weight: `text/*;q=0.1,
    text/turtle` prefers Turtle. What is no range is passed over.
    """
    ranges = _ranges(accept[:_LONGEST])
    if not ranges:
        return Form.TURTLE
    best: tuple[float, Form] | None = None
    for offered, form in _OFFERED:
        weight = _weight(offered, ranges)
        if weight > 0 and (best is None or weight > best[0]):
            best = weight, form
    return best[1] if best else None


def split_suffix(name: str) -> tuple[str, Form | None]:
    """A name without the suffix that asks for a form, and the form."""
    for form in Form:
        if name.endswith(form.suffix) and len(name) > len(form.suffix):
            return name[: -len(form.suffix)], form
    return name, None


def profile_named(text: str) -> Profile:
    """The profile of this name; GDI's where none is asked for. Raises `Invalid`."""
    for profile in Profile:
        if profile.value == (text or Profile.GDI.value):
            return profile
    raise Invalid(f"profile={text[:40]!r}: the profiles are {', '.join(each.value for each in Profile)}")


def _ranges(accept: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in accept.split(",")[:_MOST_RANGES]:
        media_range, *parameters = (each.strip() for each in part.split(";"))
        kind, slash, subtype = media_range.lower().partition("/")
        if not (kind and slash and subtype) or (kind == "*" and subtype != "*"):
            continue
        weights = [each[2:].strip() for each in parameters if each[:2].lower() == "q="]
        weight = float(weights[0]) if weights and _WEIGHT.fullmatch(weights[0]) else 1.0
        name = f"{kind}/{subtype}"
        found[name] = max(weight, found.get(name, 0.0))
    return found


def _weight(offered: str, ranges: dict[str, float]) -> float:
    exact = ranges.get(offered)
    if exact is not None:
        return exact
    # a name that nobody asked for is no better than the one that we call the form by
    if offered in _ALIASES:
        return 0.0
    of_kind = ranges.get(f"{offered.partition('/')[0]}/*")
    return of_kind if of_kind is not None else ranges.get("*/*", 0.0)
