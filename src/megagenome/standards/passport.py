# SPDX-License-Identifier: Apache-2.0
"""Claims of GA4GH passports and visas.

GA4GH Passport 1.2.1 (https://ga4gh.github.io/data-security/ga4gh-passport) and AAI OpenID Connect Profile 1.2
(https://ga4gh.github.io/data-security/aai-openid-connect-profile). Types from and to claims; nothing here verifies a
signature or believes an issuer. Unknown claims are ignored, as the standards want; what is known must be exact, and
whatever is read has a longest length. Times are whole seconds since 1970, UTC.
"""

import math
import re
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, TypeVar
from urllib.parse import unquote

import msgspec

from megagenome.kernel.errors import Corrupt
from megagenome.standards.visa_conditions import Conditions, conditions_to_builtins, read_conditions

PASSPORT_TYP = "vnd.ga4gh.passport+jwt"
VISA_TYP = "vnd.ga4gh.visa+jwt"
PASSPORT_CLAIM = "ga4gh_passport_v1"
VISA_CLAIM = "ga4gh_visa_v1"

REGISTERED_ACCESS = "https://doi.org/10.1038/s41431-018-0219-y"
"""The value that AcceptedTermsAndPolicies and ResearcherStatus both must have for registered access."""

MAX_PASSPORT_BYTES = 256 * 1024
MAX_VISA_BYTES = 16 * 1024
MAX_VISAS = 100
MAX_LINKED = 64
MAX_URL_LENGTH = 255
LATEST_TIME = 253_402_300_799
"""The last second of the year 9999."""


class VisaType(StrEnum):
    """The standard's own types; custom ones are URLs."""

    AFFILIATION_AND_ROLE = "AffiliationAndRole"  # value: role@organisation
    ACCEPTED_TERMS_AND_POLICIES = "AcceptedTermsAndPolicies"  # value: URL of the terms
    RESEARCHER_STATUS = "ResearcherStatus"  # value: URL of the standard that is met
    CONTROLLED_ACCESS_GRANTS = "ControlledAccessGrants"  # value: URL of the dataset
    LINKED_IDENTITIES = "LinkedIdentities"  # value: identities of the same person


class By(StrEnum):
    """Who within the source asserts; a visa that does not say is by nobody known."""

    SELF = "self"
    PEER = "peer"
    SYSTEM = "system"
    SIGNING_OFFICIAL = "so"
    DAC = "dac"


class VisaIdentity(NamedTuple):
    """A person as one issuer knows them. Two are the same person only where a trusted LinkedIdentities visa says so."""

    sub: str
    iss: str

    @property
    def subject(self) -> str:
        """The person as one opaque text, by which the whole house names them; never parsed again. Two identities never
        share one, for an issuer has no @."""
        return f"{self.sub}@{self.iss}"


# Printable ASCII without white space (so does OpenID Connect Core 2 for `sub`): nothing looks like something else. An
# issuer has no @, so that subject, @, issuer is one text with one meaning.
_PRINTABLE = r"\A[!-~]+\Z"
_URL = r"\A[A-Za-z][A-Za-z0-9+.-]*://[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+\Z"
_ISSUER = _URL.replace("@", "")

LONGEST_SUBJECT = 255
"""Of a `sub`, by OpenID Connect Core 1.0, section 2."""

Subject = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_SUBJECT, pattern=_PRINTABLE)]
Issuer = Annotated[str, msgspec.Meta(max_length=MAX_URL_LENGTH, pattern=_ISSUER)]
Url = Annotated[str, msgspec.Meta(max_length=MAX_URL_LENGTH, pattern=_URL)]
Value = Annotated[str, msgspec.Meta(min_length=1, max_length=4096, pattern=_PRINTABLE)]
TokenName = Annotated[str, msgspec.Meta(max_length=255, pattern=_PRINTABLE.replace("+", "*"))]
Time = Annotated[int, msgspec.Meta(ge=0, le=LATEST_TIME)]

_TIMES = frozenset({"iat", "exp", "nbf", "asserted"})
_AT = re.compile(r"`\$\.?(?P<claim>[\w.\[\]]*)`\Z")
_MISSING = re.compile(r"missing required field `(?P<claim>\w+)`")
_AFFILIATION = re.compile(r"[^@]+@[^@].*")
_ENCODED = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+=-]|%[0-9A-Fa-f]{2})+")  # all but the two separators and %


class Visa(msgspec.Struct, frozen=True):
    """A visa object: what is asserted, when, by whom.

    conditions  None where the claim is absent; a visa that has the claim, even empty, can meet no other's condition
    """

    type: Value
    asserted: Time
    value: Value
    source: Url
    by: str | None = None
    conditions: Conditions | None = None

    def linked(self) -> tuple[VisaIdentity, ...]:
        """The identities that a LinkedIdentities visa joins to its own; of other types none.

        Those that no visa or passport that is read can have (`Subject`, `Issuer`) are left out: they join nothing.
        """
        if self.type != VisaType.LINKED_IDENTITIES:
            return ()
        return tuple(
            identity
            for identity in decode_identities(self.value)
            if is_subject(identity.sub) and is_issuer(identity.iss)
        )

    def to_claim(self) -> dict[str, Any]:
        """The claim `ga4gh_visa_v1`."""
        claim: dict[str, Any] = {
            "type": str(self.type),
            "asserted": self.asserted,
            "value": self.value,
            "source": self.source,
        }
        if self.by is not None:
            claim["by"] = str(self.by)
        if self.conditions is not None:
            claim["conditions"] = conditions_to_builtins(self.conditions)
        return claim


class VisaClaims(msgspec.Struct, frozen=True, kw_only=True):
    """All claims of a visa."""

    iss: Issuer
    sub: Subject
    iat: Time
    exp: Time
    visa: Visa
    nbf: Time = 0
    jti: str = ""
    scope: str = ""

    @property
    def identity(self) -> VisaIdentity:
        """Of whom it speaks."""
        return VisaIdentity(self.sub, self.iss)

    def to_claims(self) -> dict[str, Any]:
        """The claims to sign."""
        return _registered(self) | ({"scope": self.scope} if self.scope else {}) | {VISA_CLAIM: self.visa.to_claim()}


class PassportClaims(msgspec.Struct, frozen=True, kw_only=True):
    """All claims of a passport. `visas` are still signed text; `aud` is empty where the passport names nobody."""

    iss: Issuer
    sub: Subject
    iat: Time
    exp: Time
    visas: tuple[str, ...]
    nbf: Time = 0
    jti: str = ""
    aud: tuple[str, ...] = ()

    @property
    def identity(self) -> VisaIdentity:
        """Whose passport it is."""
        return VisaIdentity(self.sub, self.iss)

    def to_claims(self) -> dict[str, Any]:
        """The claims to sign."""
        return _registered(self) | ({"aud": list(self.aud)} if self.aud else {}) | {PASSPORT_CLAIM: list(self.visas)}


class _Registered(msgspec.Struct, kw_only=True):
    iss: Issuer
    sub: Subject
    iat: Time
    exp: Time
    nbf: Time = 0
    jti: TokenName = ""


class _VisaObject(msgspec.Struct):
    type: Value
    asserted: Time
    value: Value
    source: Url
    by: str | None = None
    conditions: Any = msgspec.UNSET


class _VisaToken(_Registered, kw_only=True):
    scope: str = ""
    ga4gh_visa_v1: _VisaObject


class _PassportToken(_Registered, kw_only=True):
    aud: str | list[str] = msgspec.field(default_factory=list)
    ga4gh_passport_v1: list[str]


_Token = TypeVar("_Token", bound=_Registered)


def read_passport_claims(claims: dict[str, Any]) -> PassportClaims:
    """Raises `Corrupt` where a required claim is missing or any known one is not what it must be."""
    found = _convert(claims, _PassportToken)
    if len(found.ga4gh_passport_v1) > MAX_VISAS:
        raise Corrupt(f"{PASSPORT_CLAIM}: more than {MAX_VISAS} visas")
    return PassportClaims(
        iss=found.iss,
        sub=found.sub,
        iat=found.iat,
        exp=found.exp,
        nbf=found.nbf,
        jti=found.jti,
        aud=(found.aud,) if isinstance(found.aud, str) else tuple(found.aud),
        visas=tuple(found.ga4gh_passport_v1),
    )


def read_visa_claims(claims: dict[str, Any]) -> VisaClaims:
    """Raises `Corrupt` where a required claim is missing or any known one is not what it must be."""
    found = _convert(claims, _VisaToken)
    stated = found.ga4gh_visa_v1
    _require_value(stated.type, stated.value)
    conditions = None if stated.conditions is msgspec.UNSET else read_conditions(stated.conditions)
    visa = Visa(stated.type, stated.asserted, stated.value, stated.source, stated.by, conditions)
    return VisaClaims(
        iss=found.iss,
        sub=found.sub,
        iat=found.iat,
        exp=found.exp,
        nbf=found.nbf,
        jti=found.jti,
        scope=found.scope,
        visa=visa,
    )


def is_subject(sub: object) -> bool:
    """Whether this is a `sub` as OpenID Connect and visas have it, and so fit to name a person here."""
    return isinstance(sub, str) and len(sub) <= LONGEST_SUBJECT and re.match(_PRINTABLE, sub) is not None


def is_issuer(iss: object) -> bool:
    """Whether this is the address of an issuer who may name people."""
    return isinstance(iss, str) and len(iss) <= MAX_URL_LENGTH and re.match(_ISSUER, iss) is not None


def decode_identities(value: str) -> tuple[VisaIdentity, ...]:
    """The identities in the value of a LinkedIdentities visa. Raises `Corrupt` for any other text."""
    entries = [entry.split(",") for entry in value.split(";")]
    if len(entries) > MAX_LINKED:
        raise Corrupt(f"value: more than {MAX_LINKED} linked identities")
    if not all(len(entry) == 2 and all(_ENCODED.fullmatch(part) for part in entry) for entry in entries):
        raise Corrupt("value: not a list of linked identities")
    return tuple(VisaIdentity(unquote(sub), unquote(iss)) for sub, iss in entries)


def _convert(claims: dict[str, Any], kind: type[_Token]) -> _Token:
    stated = claims.get(VISA_CLAIM)
    if isinstance(stated, dict):
        claims = claims | {VISA_CLAIM: _in_whole_seconds(stated)}
    try:
        return msgspec.convert(_in_whole_seconds(claims), kind)
    except msgspec.ValidationError as error:
        missing, at = _MISSING.search(str(error)), _AT.search(str(error))
        if missing:
            raise Corrupt(f"the claim {missing['claim']} is missing") from None
        raise Corrupt(f"the claim {at['claim'] if at else 'set'} is not what it must be") from None


def _in_whole_seconds(claims: dict[str, Any]) -> dict[str, Any]:
    """Times may have fractions (RFC 7519, 2: NumericDate), which nothing here needs."""
    return {
        name: math.floor(value) if name in _TIMES and isinstance(value, float) else value
        for name, value in claims.items()
    }


def _require_value(type_: str, value: str) -> None:
    match type_:
        case VisaType.AFFILIATION_AND_ROLE:
            if not _AFFILIATION.fullmatch(value):
                raise Corrupt("value: not a role, @ and an organisation")
        case VisaType.LINKED_IDENTITIES:
            decode_identities(value)
        case VisaType.ACCEPTED_TERMS_AND_POLICIES | VisaType.RESEARCHER_STATUS | VisaType.CONTROLLED_ACCESS_GRANTS:
            if len(value) > MAX_URL_LENGTH or not re.match(_URL, value):
                raise Corrupt(f"value: no URL of at most {MAX_URL_LENGTH} characters")
        case _:
            pass  # of a custom type we know nothing


def _registered(claims: VisaClaims | PassportClaims) -> dict[str, Any]:
    stated: dict[str, Any] = {"iss": claims.iss, "sub": claims.sub, "iat": claims.iat, "exp": claims.exp}
    return stated | ({"nbf": claims.nbf} if claims.nbf else {}) | ({"jti": claims.jti} if claims.jti else {})
