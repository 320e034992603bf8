# SPDX-License-Identifier: Apache-2.0
"""GA4GH Data Repository Service 1.5.0: objects, how their bytes are got, and many at once.

https://ga4gh.github.io/data-repository-service-schemas/  Errors are its own `{msg, status_code}`.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar

import msgspec

from megagenome.kernel.errors import Invalid, MegagenomeError, TooLarge
from megagenome.standards.problem import status_of
from megagenome.standards.service_info import ServiceInfo

VERSION = "1.5.0"
PREFIX = "/ga4gh/drs/v1"
MOST_AT_ONCE = 1000
MOST_PASSPORTS = 10
"""In a body. Each that is not believed costs signatures to check, and keys to fetch."""
LARGEST_BODY_BYTES = 4 << 20

_PORTABLE = re.compile(r"[^A-Za-z0-9._-]")


class AuthorizationType(StrEnum):
    """How somebody says who they are."""

    NONE = "None"
    BEARER = "BearerAuth"
    PASSPORT = "PassportAuth"


class Checksum(msgspec.Struct, frozen=True):
    """`type` is a name of IANA's registry, such as `sha-256`; `checksum` is hexadecimal."""

    checksum: str
    type: str


class AccessUrl(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the bytes are; `headers`, each `Name: value`, are to be sent with the request."""

    url: str
    headers: list[str] = []


class Authorizations(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a server takes for an object; `passport_auth_issuers` are issuers of visas that count."""

    supported_types: list[AuthorizationType]
    drs_object_id: str = ""
    passport_auth_issuers: list[str] = []
    bearer_auth_issuers: list[str] = []


class AccessMethod(msgspec.Struct, frozen=True, omit_defaults=True):
    """One way to the bytes: an `access_url`, or an `access_id` to ask for one by."""

    type: str
    access_id: str = ""
    access_url: AccessUrl | None = None
    available: bool | None = None
    authorizations: Authorizations | None = None


class DrsObject(msgspec.Struct, frozen=True, omit_defaults=True):
    """A blob. Size and checksums are of the bytes that `https` brings whole.

    created_time  RFC 3339
    """

    id: str
    self_uri: str
    size: int
    created_time: str
    checksums: list[Checksum]
    name: str = ""
    updated_time: str = ""
    version: str = ""
    mime_type: str = ""
    access_methods: list[AccessMethod] = []
    description: str = ""
    aliases: list[str] = []


class Passports(msgspec.Struct, frozen=True):
    """Body of a POST for one object or its access."""

    passports: list[str] = []
    expand: bool = False


class BulkObjects(msgspec.Struct, frozen=True):
    """Body of a POST or OPTIONS for many objects."""

    bulk_object_ids: list[str]
    passports: list[str] = []


class ObjectAccess(msgspec.Struct, frozen=True):
    """Ways to one object."""

    bulk_object_id: str
    bulk_access_ids: list[str]


class BulkAccess(msgspec.Struct, frozen=True):
    """Body of a POST for ways to many objects."""

    bulk_object_access_ids: list[ObjectAccess]
    passports: list[str] = []


class Summary(msgspec.Struct, frozen=True):
    """How many were asked for, found, and not."""

    requested: int
    resolved: int
    unresolved: int


class Unresolved(msgspec.Struct, frozen=True):
    """Objects that were not found or may not be seen, by HTTP status."""

    error_code: int
    object_ids: list[str]


class BulkAccessUrl(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the bytes of one of many objects are."""

    drs_object_id: str
    drs_access_id: str
    url: str
    headers: list[str] = []


class FoundObjects(msgspec.Struct, frozen=True):
    """Answer for many objects."""

    summary: Summary
    unresolved_drs_objects: list[Unresolved]
    resolved_drs_object: list[DrsObject]


class FoundAuthorizations(msgspec.Struct, frozen=True):
    """Answer of OPTIONS for many objects."""

    summary: Summary
    unresolved_drs_objects: list[Unresolved]
    resolved_drs_object: list[Authorizations]


class FoundAccess(msgspec.Struct, frozen=True):
    """Answer for ways to many objects."""

    summary: Summary
    unresolved_drs_objects: list[Unresolved]
    resolved_drs_object_access_urls: list[BulkAccessUrl]


class DrsCounts(msgspec.Struct, frozen=True, rename="camel"):
    """What a service has; the two counts are of objects that are open to everybody."""

    max_bulk_request_length: int
    object_count: int
    total_object_size: int


class DrsServiceInfo(ServiceInfo, frozen=True, kw_only=True):
    """Answer of `/service-info`."""

    max_bulk_request_length: int
    drs: DrsCounts


class _Error(msgspec.Struct, frozen=True):
    msg: str
    status_code: int


Body = TypeVar("Body", Passports, BulkObjects, BulkAccess)


def read_body(content: bytes, kind: type[Body]) -> Body:
    """The body of a POST. An empty one is one without passports. Raises `Invalid`, `TooLarge` for too many at once."""
    try:
        body = msgspec.json.decode(content or b"{}", type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"the body is no DRS request: {error}") from None
    if isinstance(body, BulkObjects):
        _require_few(len(body.bulk_object_ids))
    elif isinstance(body, BulkAccess):
        _require_few(sum(len(each.bulk_access_ids) for each in body.bulk_object_access_ids))
    if len(body.passports) > MOST_PASSPORTS:
        raise TooLarge(f"{len(body.passports):,} passports; at most {MOST_PASSPORTS}")
    return body


def _require_few(asked: int) -> None:
    if asked == 0:
        raise Invalid("nothing is asked for; name an object")
    if asked > MOST_AT_ONCE:
        raise TooLarge(f"{asked:,} at once; at most {MOST_AT_ONCE:,}")


def unresolved(refused: Iterable[tuple[str, MegagenomeError]]) -> list[Unresolved]:
    """Objects that could not be had, by status, in the order asked for."""
    of: dict[int, list[str]] = {}
    for identity, condition in refused:
        of.setdefault(status_of(condition), []).append(identity)
    return [Unresolved(status, identities) for status, identities in sorted(of.items())]


def portable_name(name: str) -> str:
    """A name of the characters that the standard lets a name have; others become `_`."""
    return _PORTABLE.sub("_", name)


def error(condition: Exception) -> bytes:
    """A refusal, as JSON."""
    status = status_of(condition)
    message = str(condition) if isinstance(condition, MegagenomeError) else "something failed here; try again later"
    return msgspec.json.encode(_Error(message, status))
