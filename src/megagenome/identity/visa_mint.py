# SPDX-License-Identifier: Apache-2.0
"""Visas and passports that this server signs for those who have access to its datasets.

GA4GH Passport 1.2.1, AAI OpenID Connect Profile 1.2. A visa says that the dataset's committee has granted access. It is
made from what holds now and lasts an hour at most, so that whoever believes it is wrong for an hour at most after
access has ended. At this server itself it opens nothing: there each read asks what holds then.
"""

import uuid
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from megagenome.identity.needs import Granted, GrantsOf
from megagenome.identity.trust import Broker, Issuer
from megagenome.identity.trust_settings import SourceSettings
from megagenome.kernel.errors import Invalid
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.public_keys import read_public_keys
from megagenome.standards.passport import (
    LONGEST_SUBJECT,
    MAX_VISAS,
    PASSPORT_TYP,
    VISA_TYP,
    By,
    PassportClaims,
    Visa,
    VisaClaims,
    VisaType,
)

LONGEST_S = 3600
"""A passport and its visas last so long at most; no recipient would accept much longer ones, either."""


class Minted(NamedTuple):
    """A signed passport, and in how many seconds it ends."""

    passport: str
    lasts_s: int


class VisaMint:
    """Mints for one server. Safe to use from many threads.

    `url` is the server's public address without a slash at its end: the issuer of all that it signs.
    """

    def __init__(self, keys: SigningKeys, url: str, grants_of: GrantsOf) -> None:
        self.url = url
        self.jwks: Mapping[str, Any] = keys.jwks()
        self.jku = f"{url}/visas/jwks"
        self._keys = keys
        self._grants_of = grants_of
        self._source = f"{url}/dac"
        self._datasets = f"{url}/datasets/"

    def mint(self, subject: str, audiences: Collection[str], now: int) -> Minted:
        """A passport for `subject` with a visa for each dataset that they have access to at `now` (seconds since 1970),
        the longest lasting `MAX_VISAS` where there are more; none is a passport, too. It is for `audiences`.

        Cost: what `GrantsOf` takes, and 0.1 ms for each signature. Raises `Invalid` for a subject that no token holds.
        """
        if len(subject) > LONGEST_SUBJECT:
            raise Invalid(f"subjects of more than {LONGEST_SUBJECT} characters stand in no passport")
        longest: dict[str, Granted] = {}
        for each in self._grants_of(subject):
            if each.until.timestamp() > now and (
                each.dataset not in longest or each.until > longest[each.dataset].until
            ):
                longest[each.dataset] = each
        granted = sorted(longest.values(), key=lambda each: (-each.until.timestamp(), each.dataset))[:MAX_VISAS]
        claims = PassportClaims(
            iss=self.url,
            sub=subject,
            iat=now,
            exp=now + LONGEST_S,
            visas=tuple(self._visa(subject, each, now) for each in granted),
            jti=uuid.uuid4().hex,
            aud=tuple(audiences),
        )
        return Minted(self._keys.sign(claims.to_claims(), PASSPORT_TYP), LONGEST_S)

    def broker(self) -> Broker:
        """This server as one that it believes itself: it knows its own people by whole subjects."""
        keys = read_public_keys(self.jwks)
        return Broker(self.url, keys, self.jku, whole_subjects=True)

    def issuer(self) -> Issuer:
        """This server as an issuer of visas for its own datasets."""
        keys = read_public_keys(self.jwks)
        scope = SourceSettings(self._source, (self._datasets,))
        return Issuer(self.url, self.jku, keys, frozenset({VisaType.CONTROLLED_ACCESS_GRANTS}), (scope,))

    def _visa(self, subject: str, granted: Granted, now: int) -> str:
        visa = Visa(
            VisaType.CONTROLLED_ACCESS_GRANTS,
            min(now, int(granted.asserted.timestamp())),
            self._datasets + granted.dataset,
            self._source,
            By.DAC,
        )
        ends = min(now + LONGEST_S, int(granted.until.timestamp()))
        claims = VisaClaims(iss=self.url, sub=subject, iat=now, exp=ends, visa=visa, jti=uuid.uuid4().hex)
        return self._keys.sign(claims.to_claims(), VISA_TYP, jku=self.jku)
