# SPDX-License-Identifier: Apache-2.0
"""Forging: one change to one token of a valid passport, after which nothing may be granted.

A forger has a valid passport in hand, keys of their own, all public keys, and may hold a trusted issuer's key for
claims that are not that issuer's to make. Whatever is changed in a visa, the passport around it is signed as it must
be, for brokers pass visas on as they are.
"""

import random
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks.parts.passports.world import Draft, Shape, policy, sign, sign_passport
from megagenome.identity.model import Code, Policy
from megagenome.standards.passport import PASSPORT_CLAIM, VISA_CLAIM, VisaType

Forge = Callable[[Draft, random.Random], Draft | str | None]
"""Change a token: another draft, or text as it is; None where it cannot be done to this one."""

ANY, PASSPORT, VISA = "any", "passport", "visa"


class Forgery(NamedTuple):
    """A kind of forgery: to which tokens it is done (`ANY`, `PASSPORT`, `VISA` or a visa type), and the reasons of
    which one must be given for the token that was forged."""

    name: str
    done_to: str
    codes: frozenset[Code]
    forge: Forge


class Forged(NamedTuple):
    """A forged passport and what to ask of it. `place` is the forged visa's; None for the passport itself."""

    text: str
    policy: Policy
    place: int | None


class Kept:
    """The forgeries of one module, in its order. `kept(done_to, codes)` decorates what forges; its name says what."""

    def __init__(self) -> None:
        self.forgeries: list[Forgery] = []

    def __call__(self, done_to: str, *codes: Code) -> Callable[[Forge], Forge]:
        def keep(forge: Forge) -> Forge:
            self.forgeries.append(Forgery(forge.__name__.replace("_", " "), done_to, frozenset(codes), forge))
            return forge

        return keep


def forge(shape: Shape, forgery: Forgery, random_: random.Random) -> Forged | None:
    """Do a forgery to one token of a valid passport; None where this passport has no token for it."""
    places = [place for place in (None, *range(len(shape.needed))) if _is_done_to(forgery, shape, place)]
    if not places:
        return None
    place = random_.choice(places)
    visas = shape.visas()
    draft = altered(shape.passport, **{PASSPORT_CLAIM: visas}) if place is None else shape.needed[place]
    changed = forgery.forge(draft, random_)
    if changed is None:
        return None
    text = changed if isinstance(changed, str) else sign(changed)
    if place is not None:
        visas[place] = text
        text = sign_passport(shape.passport, visas)
    return Forged(text, policy(_dataset(shape, changed)), place)


def altered(draft: Draft, header: dict[str, Any] | None = None, /, **claims: Any) -> Draft:
    """The draft with other members of its header and claims."""
    return draft._replace(header=draft.header | (header or {}), claims=draft.claims | claims)


def stated(draft: Draft, **members: Any) -> Draft:
    """The draft with other members of its visa object."""
    return altered(draft, **{VISA_CLAIM: draft.claims[VISA_CLAIM] | members})


def without(mapping: dict[str, Any], name: str) -> dict[str, Any]:
    """The mapping without one member."""
    return {key: value for key, value in mapping.items() if key != name}


def _is_done_to(forgery: Forgery, shape: Shape, place: int | None) -> bool:
    if place is None:
        return forgery.done_to in (ANY, PASSPORT)
    return forgery.done_to in (ANY, VISA, shape.needed[place].claims[VISA_CLAIM]["type"])


def _dataset(shape: Shape, changed: Draft | str) -> str:
    """What a forger asks for: the dataset that they have written into a grant, or else that of the valid passport."""
    claim = changed.claims.get(VISA_CLAIM) if isinstance(changed, Draft) else None
    if isinstance(claim, dict) and claim.get("type") == VisaType.CONTROLLED_ACCESS_GRANTS:
        return claim["value"] if isinstance(claim.get("value"), str) else shape.dataset
    return shape.dataset
