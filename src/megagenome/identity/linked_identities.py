# SPDX-License-Identifier: Apache-2.0
"""Which identities are the passport's person, and until when each is known to be.

GA4GH Passport 1.2.1, LinkedIdentities: the identity of the visa and those in its value are one person, transitively.
Every identity gets the latest time until which some chain of visas to it lasts; a chain ends with its first visa.
"""

from collections.abc import Sequence
from typing import NamedTuple

from megagenome.identity.conditions import met_until
from megagenome.standards.passport import LATEST_TIME, Visa, VisaIdentity, VisaType


class Standing(NamedTuple):
    """A visa that passed every rule that concerns it alone. `until`: its end, or that of what it asserts."""

    place: int
    identity: VisaIdentity
    visa: Visa
    until: int


def same_person(person: VisaIdentity, until: int, visas: Sequence[Standing]) -> dict[VisaIdentity, int]:
    """Identities of `person`, whose passport lasts `until`, each with the time until which that is known.

    A linking visa may have conditions of its own; visas of identities that are known already can meet them. Grows from
    the passport's identity until nothing changes, so that no visa vouches for itself.
    """
    known = {person: until}
    links = [each for each in visas if each.visa.type == VisaType.LINKED_IDENTITIES]
    groups = [(link, (link.identity, *link.visa.linked())) for link in links]
    while any(_join(link, group, known, visas) for link, group in groups):
        pass
    return known


def usable_until(each: Standing, known: dict[VisaIdentity, int], visas: Sequence[Standing]) -> int | None:
    """Until when the conditions of a visa are met by those of `visas` whose identities are `known`."""
    if not each.visa.conditions:
        return LATEST_TIME
    asked = [(other.visa, min(other.until, known[other.identity])) for other in visas if other.identity in known]
    return met_until(each.visa.conditions, asked)


def _join(
    link: Standing, group: tuple[VisaIdentity, ...], known: dict[VisaIdentity, int], visas: Sequence[Standing]
) -> bool:
    """Spread what is known over the group of one linking visa; whether that changed anything."""
    reached = max((known[identity] for identity in group if identity in known), default=None)
    met = usable_until(link, known, visas) if reached is not None else None
    if reached is None or met is None:
        return False
    until = min(reached, link.until, met)
    later = {identity: until for identity in group if known.get(identity, -1) < until}
    known.update(later)
    return bool(later)
