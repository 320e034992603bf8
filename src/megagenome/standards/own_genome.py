# SPDX-License-Identifier: Apache-2.0
"""What a node tells a person of their own genome, and its contact point for them, version 1; no outside standard.

GET  /own/genome                         -> OwnGenome      the citizen who is signed in
POST /own/genome/consent                 -> Said           {"act": "withdraw", "uses": ["research"]}
GET  /own/genomes/{individual}           -> OwnGenome      a data steward
POST /own/genomes/{individual}/consent   -> Said
"""

import msgspec


class Effect(msgspec.Struct, frozen=True):
    """What one act does to one use, in words; `does` is `stays` where it is not about that use."""

    act: str
    use: str
    does: str
    for_permits: str
    for_public: str
    basis: str
    undone: str


class SaidBefore(msgspec.Struct, frozen=True):
    """One act of the past."""

    act: str
    uses: tuple[str, ...]
    at: str


class PermitUse(msgspec.Struct, frozen=True):
    """A permit over datasets that the person is in, and how often these were read by it. Days: both included."""

    permit: str
    datasets: tuple[str, ...]
    uses: tuple[str, ...]
    starts: str
    ends: str
    state: str
    readings: int
    last_read: str


class MonthUse(msgspec.Struct, frozen=True):
    """Of one month, what was entered for the person's datasets: how many answers of this kind."""

    month: str
    kind: str
    count: int


class OwnGenome(msgspec.Struct, frozen=True):
    """What a person's genome is used for. `holds` are the kinds of use that they consent to now, of `uses`."""

    individual: str
    datasets: tuple[str, ...]
    uses: tuple[str, ...]
    holds: tuple[str, ...]
    said: tuple[SaidBefore, ...]
    permits: tuple[PermitUse, ...]
    months: tuple[MonthUse, ...]
    effects: tuple[Effect, ...]


class Said(msgspec.Struct, frozen=True):
    """What holds after an act; `public_until` are datasets whose public numbers the person is in until a release takes
    them out, `leaves_by` the day from which any release does."""

    holds: tuple[str, ...]
    changed: tuple[str, ...]
    public_until: tuple[str, ...]
    leaves_by: str
