# SPDX-License-Identifier: Apache-2.0
"""What the clearinghouse is asked, and what it answers."""

from collections.abc import Container
from enum import StrEnum
from typing import NamedTuple

import msgspec

from megagenome.standards.passport import By, VisaIdentity

SKEW_S = 60
"""How far an issuer's clock may be from ours."""

DAY_S = 86_400


class Rule(StrEnum):
    """What a passport or visa must pass, in the order in which it is asked. Whoever fails one is asked no further."""

    FORM = "form"
    NEEDED = "needed"
    HEADER = "header"
    ISSUER = "issuer"
    KEY = "key"
    SIGNATURE = "signature"
    CLAIMS = "claims"
    TIME = "time"
    AUDIENCE = "audience"
    REPLAY = "replay"
    SCOPE = "scope"
    SOURCE = "source"
    BY = "by"
    AGE = "age"
    REVOCATION = "revocation"
    PERSON = "person"
    ENTITLEMENT = "entitlement"
    CONDITIONS = "conditions"
    DATASET = "dataset"


class Code(StrEnum):
    """Machine code of a reason; `explain.RULE_OF` has the rule that was not passed."""

    # what passed every rule
    ACCEPTED = "accepted"  # the passport
    USED = "used"  # a visa
    GRANTED = "granted"  # the dataset that was asked for
    # what is set aside, which is no fault
    NOT_NEEDED = "not-needed"
    # what is refused
    TOO_LARGE = "too-large"
    MALFORMED = "malformed"
    ALGORITHM = "algorithm"
    WRONG_TYP = "wrong-typ"
    FOREIGN_KEY = "foreign-key"
    UNTRUSTED_ISSUER = "untrusted-issuer"
    UNTRUSTED_JKU = "untrusted-jku"
    NO_KID = "no-kid"
    NO_KEYS = "no-keys"
    UNKNOWN_KID = "unknown-kid"
    AMBIGUOUS_KID = "ambiguous-kid"
    BAD_SIGNATURE = "bad-signature"
    BAD_CLAIMS = "bad-claims"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    NO_AUDIENCE = "no-audience"
    WRONG_AUDIENCE = "wrong-audience"
    NO_JTI = "no-jti"
    REPLAYED = "replayed"
    OPENID_SCOPE = "openid-scope"
    UNTRUSTED_TYPE = "untrusted-type"
    UNTRUSTED_SOURCE = "untrusted-source"
    UNTRUSTED_VALUE = "untrusted-value"
    UNTRUSTED_BY = "untrusted-by"
    TOO_OLD = "too-old"
    REVOKED = "revoked"
    OTHER_PERSON = "other-person"
    ENTITLEMENT_REVOKED = "entitlement-revoked"
    CONDITIONS_UNMET = "conditions-unmet"
    NOT_GRANTED = "not-granted"


class TokenId(NamedTuple):
    """A token's `iss` and `jti`, which together name one token for ever."""

    iss: str
    jti: str


class Entitlement(NamedTuple):
    """A person's access to one dataset. `subject` is as `VisaIdentity` writes it."""

    subject: str
    dataset: str


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What this service wants, of everybody and for one request.

    audiences          who we are: texts of which one must stand in a passport's `aud`
    dataset            the dataset's URL that is asked for; None: whichever are granted
    requested_ttl_s    for how long access is wanted; every visa that is used must last so long
    max_authz_ttl_s    how old an assertion (`asserted`) may become
    grant_by ...       who may have asserted, by type of visa; a visa that does not say is by nobody of these
    spent              single-use tokens that were seen already; None where passports may be shown more than once.
                       Whoever has a decision adds its `token` before they act on it
    revoked_tokens     visas and passports that no longer count
    revoked_grants     entitlements that no longer count, whatever visas say
    """

    audiences: frozenset[str]
    dataset: str | None = None
    requested_ttl_s: int = 0
    max_authz_ttl_s: int = 365 * DAY_S
    grant_by: frozenset[str] = frozenset({By.DAC})
    terms_by: frozenset[str] = frozenset(By)
    researcher_by: frozenset[str] = frozenset({By.PEER, By.SYSTEM, By.SIGNING_OFFICIAL, By.DAC})
    spent: Container[TokenId] | None = None
    revoked_tokens: Container[TokenId] = frozenset()
    revoked_grants: Container[Entitlement] = frozenset()


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why the passport (`visa` is None) or the visa at that place in it, from 0, was taken, set aside or refused.

    says  one plain sentence; foreign words in it are short and quoted, and none is a token, a key or a person
    type  the visa's type as far as it could be read, believed or not
    """

    code: Code
    says: str
    visa: int | None = None
    type: str = ""


class Grant(msgspec.Struct, frozen=True):
    """Access to a dataset that a visa gives, until `expires` (excluded): the earliest end of all that it rests on."""

    dataset: str
    source: str
    by: str
    expires: int
    visa: int


class Decision(msgspec.Struct, frozen=True):
    """What follows from a passport.

    accepted          the passport counts and, where a dataset was asked for, grants it
    reasons           of the passport, of each visa by its place, then of the dataset that was asked for
    identity          whose it is; None where the passport does not count. All below is empty then
    linked            other identities of the same person, as trusted issuers say
    registered_until  end of registered access; None where it is not proven
    grants            datasets that may be accessed, in the order of their visas
    expires           end of the passport
    token             the passport's id, where it has one
    """

    accepted: bool
    reasons: tuple[Reason, ...]
    identity: VisaIdentity | None = None
    linked: tuple[VisaIdentity, ...] = ()
    registered_until: int | None = None
    grants: tuple[Grant, ...] = ()
    expires: int = 0
    token: TokenId | None = None

    @property
    def subject(self) -> str | None:
        """Who it is, as callers, roles and permits name them."""
        return self.identity.subject if self.identity else None

    @property
    def registered(self) -> bool:
        """Whether terms and researcher status of registered access are both proven."""
        return self.registered_until is not None
