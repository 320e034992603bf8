# SPDX-License-Identifier: Apache-2.0
"""A hub speaks for the people who signed in at it: to each node that joined, by a passport of a few minutes that is
made for that node alone (GA4GH Passport 1.2; `standards.passport`).

The passport names a person as the hub knows them (`sub` is the hub's whole subject), because permits name them so. Who
has registered access at the hub has the two visas of it, asserted by the hub itself. A node believes its own hub in
this and in nothing else; roles at a node are its operator's to grant, and no passport brings any.
"""

import secrets
from collections.abc import Callable
from typing import NamedTuple

from megagenome.identity.clearinghouse import decide
from megagenome.identity.model import Policy
from megagenome.identity.trust import Broker, Issuer, Trust
from megagenome.identity.trust_settings import SourceSettings
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Corrupt, TooLarge, Unauthenticated
from megagenome.kernel.jwt import read_token
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.public_keys import PublicKeys
from megagenome.standards.descriptor import KEYS_PATH
from megagenome.standards.passport import (
    LONGEST_SUBJECT,
    MAX_PASSPORT_BYTES,
    PASSPORT_TYP,
    REGISTERED_ACCESS,
    VISA_TYP,
    By,
    PassportClaims,
    Visa,
    VisaClaims,
    VisaType,
)

LIFETIME_S = 240
"""Of a passport and its visas; with all clocks 60 s apart it is still over after five minutes."""
_ASSERTED = ((VisaType.ACCEPTED_TERMS_AND_POLICIES, By.SELF), (VisaType.RESEARCHER_STATUS, By.SYSTEM))


class Speaker(NamedTuple):
    """A hub that speaks for people: its address, which is the passports' `iss`, and its keys."""

    url: str
    keys: SigningKeys

    def speak_for(self, caller: Caller) -> Callable[[str], str] | None:
        """Makes a passport of `caller` for the node at an address; None for the public, and for whom no passport can
        name. Cost: a signature for each node and one for each visa."""
        subject = caller.subject
        if subject is None or caller.node or len(subject) > LONGEST_SUBJECT:
            return None
        now = int(clock.now().timestamp())
        visas = tuple(self._visa(subject, kind, by, now) for kind, by in _ASSERTED) if caller.registered else ()
        return lambda audience: self._passport(subject, visas, audience, now)

    def _visa(self, subject: str, kind: VisaType, by: By, now: int) -> str:
        visa = Visa(kind, now, REGISTERED_ACCESS, self.url + "/", by)
        claims = VisaClaims(
            iss=self.url, sub=subject, iat=now, exp=now + LIFETIME_S, jti=secrets.token_urlsafe(16), visa=visa
        )
        return self.keys.sign(claims.to_claims(), VISA_TYP, jku=self.url + KEYS_PATH)

    def _passport(self, subject: str, visas: tuple[str, ...], audience: str, now: int) -> str:
        claims = PassportClaims(
            iss=self.url,
            sub=subject,
            iat=now,
            exp=now + LIFETIME_S,
            jti=secrets.token_urlsafe(16),
            aud=(audience,),
            visas=visas,
        )
        return self.keys.sign(claims.to_claims(), PASSPORT_TYP)


def trust_in_hub(url: str, keys: PublicKeys) -> Trust:
    """Trust in the hub at `url` as one that speaks for its people, and in nothing else."""
    types = frozenset(str(kind) for kind, _ in _ASSERTED)
    source = SourceSettings(url + "/", (REGISTERED_ACCESS,))
    return Trust([Broker(url, keys)], [Issuer(url, url + KEYS_PATH, keys, types, (source,))])


def is_spoken_by(token: str, url: str) -> bool:
    """Whether a token says to be a passport of the hub at `url`; nothing is verified yet."""
    try:
        read = read_token(token, MAX_PASSPORT_BYTES)
    except (Corrupt, TooLarge):
        return False
    return read.header.media_type == PASSPORT_TYP and read.claims.get("iss") == url


def caller_spoken_for(token: str, trust: Trust, audience: str) -> Caller:
    """For whom the hub speaks by this passport, to the node at `audience`. Raises `Unauthenticated`, saying why."""
    decision = decide(token, trust, Policy(audiences=frozenset({audience})), int(clock.now().timestamp()))
    if not decision.accepted or decision.identity is None:
        raise Unauthenticated(f"the hub's passport does not count: {decision.reasons[0].says}")
    return Caller(decision.identity.sub, registered=decision.registered)
