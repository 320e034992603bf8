# SPDX-License-Identifier: Apache-2.0
"""Conditions and linked identities, yes or no only, by regular expressions and by merging sets: slow and plain.

Until when something holds is found by asking yes or no again at every possible end, with the visas that last so long.
"""

import re
from collections.abc import Iterable, Sequence

from megagenome.identity.linked_identities import Standing
from megagenome.standards.passport import VisaIdentity

Clauses = list[dict[str, str]]
"""A clause as it stands in JSON; all must be met."""


def pattern_fits(pattern: str, text: str) -> bool:
    expression = "".join({"?": ".", "*": ".*"}.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def clause_fits(clause: dict[str, str], visa: dict[str, str]) -> bool:
    """`visa`: its members as JSON, without conditions."""
    if "type" not in clause or len(clause) < 2 or visa["type"] != clause["type"]:
        return False
    for name, wanted in clause.items():
        if name == "type":
            continue
        kind, text = wanted.split(":", 1)
        stated = visa.get(name)
        if stated is None:
            return False
        parts = stated.split(";") if kind == "split_pattern" else [stated]
        if kind == "const" and stated != text:
            return False
        if kind != "const" and not any(pattern_fits(text, part) for part in parts):
            return False
    return True


def conditions_met(alternatives: list[Clauses], visas: Iterable[dict[str, str]]) -> bool:
    free = [visa for visa in visas if "conditions" not in visa]
    met = [[any(clause_fits(clause, visa) for visa in free) for clause in clauses] for clauses in alternatives]
    return any(clauses and all(clauses) for clauses in met)


def _usable(each: Standing, person: set[VisaIdentity], visas: Sequence[Standing]) -> bool:
    claim = each.visa.to_claim()
    if not claim.get("conditions"):
        return True
    return conditions_met(claim["conditions"], [other.visa.to_claim() for other in visas if other.identity in person])


def person_of(identity: VisaIdentity, visas: Sequence[Standing]) -> set[VisaIdentity]:
    """All identities of the person."""
    person = {identity}
    for _round in range(len(visas) + 1):
        for each in visas:
            group = {each.identity, *each.visa.linked()}
            if each.visa.type == "LinkedIdentities" and group & person and _usable(each, person, visas):
                person |= group
    return person


def lasts(visas: Sequence[Standing], end: int) -> list[Standing]:
    return [each for each in visas if each.until >= end]


def known_until(identity: VisaIdentity, until: int, visas: Sequence[Standing]) -> dict[VisaIdentity, int]:
    """Each identity of the person with the latest end at which it is still theirs."""
    ends = sorted(end for end in {until, *(each.until for each in visas)} if end <= until)
    return {each: end for end in ends for each in person_of(identity, lasts(visas, end))}


def usable_until(each: Standing, identity: VisaIdentity, until: int, visas: Sequence[Standing]) -> int | None:
    """The latest end at which the conditions of a visa are still met; None when they never are."""
    found = None
    for end in sorted({until, *(other.until for other in visas)}):
        lasting = lasts(visas, end)
        if end <= until and _usable(each, person_of(identity, lasting), lasting):
            found = end
    return found
