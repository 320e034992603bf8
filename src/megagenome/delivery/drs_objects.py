# SPDX-License-Identifier: Apache-2.0
"""A node's files as objects of DRS: what they are, how they are got, and tickets for their bytes."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

from megagenome.collection.open_reading import OpenReading
from megagenome.delivery.asked import RANGES
from megagenome.delivery.delivery import Delivery, FoundFile
from megagenome.delivery.permitted import Terms
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import MegagenomeError, NotFound
from megagenome.standards import drs
from megagenome.standards.htsget import FORMATS, PREFIX, Kind

HTTPS = "https"
"""The one `access_id`."""

_COUNTED_S = 60
_READS = FORMATS[Kind.READS]
_SEALED = (
    "Comes as Crypt4GH, sealed for the environment of your permit. Size and checksums are of the file that is opened."
)
Found = TypeVar("Found")


class DrsObjects:
    """The objects of one node. Safe to use from many threads."""

    def __init__(self, delivery: Delivery, issuers: Sequence[str]) -> None:
        """`issuers`: those whose passports count here, beside whom the node trusts."""
        self._delivery, self._issuers = delivery, list(issuers)
        self._turn = threading.Lock()
        self._counted: tuple[float, drs.DrsCounts] | None = None

    def object(self, url: str, caller: Caller, identity: str, terms: Terms) -> drs.DrsObject:
        """One object, for whoever may read it now; `url` is the node's address. Raises what `Delivery.find` raises."""
        found = self._delivery.find(caller, identity, terms)
        file, is_open = found.file, isinstance(found.reading, OpenReading)
        content = self._delivery.content(found)
        return drs.DrsObject(
            file.id,
            f"drs://{urlsplit(url).netloc}/{file.id}",
            content.size_bytes,
            file.created,
            [drs.Checksum(value, kind) for kind, value in content.checksums.items()],
            name=drs.portable_name(found.name),
            mime_type="application/octet-stream",
            access_methods=self._ways(url, found, is_open=is_open),
            description="" if is_open else _SEALED,
        )

    def objects(self, url: str, caller: Caller, identities: Sequence[str], terms: Terms) -> drs.FoundObjects:
        """Many objects, each as `object` says."""
        found, refused = _each(identities, lambda identity: self.object(url, caller, identity, terms))
        return drs.FoundObjects(_summary(len(identities), len(found)), drs.unresolved(refused), found)

    def authorizations(self, identity: str) -> drs.Authorizations:
        """How somebody says who they are to get an object. Of objects of datasets that are not published it tells
        nothing: `NotFound`."""
        found = self._delivery.published(identity)
        if found is None:
            raise NotFound(f"there is no file {identity[:100]} here that you may read")
        return self._authorizations(identity, is_open=found[1])

    def all_authorizations(self, identities: Sequence[str]) -> drs.FoundAuthorizations:
        """The same of many."""
        found, refused = _each(identities, self.authorizations)
        return drs.FoundAuthorizations(_summary(len(identities), len(found)), drs.unresolved(refused), found)

    def access(self, url: str, caller: Caller, identity: str, access: str, terms: Terms) -> drs.AccessUrl:
        """Where the bytes are, with a ticket. Raises what `Delivery.file_ticket` raises."""
        if access != HTTPS:
            raise NotFound(f"there is no access {access[:40]!r} to {identity[:100]}")
        granted = self._delivery.file_ticket(caller, identity, terms)
        return drs.AccessUrl(f"{url}{RANGES}/{granted.object}", [f"Authorization: Bearer {granted.token}"])

    def accesses(self, url: str, caller: Caller, asked: Sequence[drs.ObjectAccess], terms: Terms) -> drs.FoundAccess:
        """The same of many."""
        pairs = [(each.bulk_object_id, access) for each in asked for access in each.bulk_access_ids]

        def one(pair: tuple[str, str]) -> drs.BulkAccessUrl:
            found = self.access(url, caller, *pair, terms)
            return drs.BulkAccessUrl(*pair, found.url, found.headers)

        found, refused = _each(pairs, one)
        said = drs.unresolved((identity, condition) for (identity, _), condition in refused)
        return drs.FoundAccess(_summary(len(pairs), len(found)), said, found)

    def counts(self) -> drs.DrsCounts:
        """How many objects of open datasets there are, and their size; at most a minute old. Of what needs a permit
        nothing is counted: that a file was added or shredded would show, and how large it is."""
        with self._turn:
            now = time.monotonic()
            if self._counted is None or now - self._counted[0] > _COUNTED_S:
                files = self._delivery.open_files()
                size = sum(each.size_bytes for each in files)
                self._counted = now, drs.DrsCounts(drs.MOST_AT_ONCE, len(files), size)
            return self._counted[1]

    def _ways(self, url: str, found: FoundFile, *, is_open: bool) -> list[drs.AccessMethod]:
        how = self._authorizations("", is_open=is_open)  # of which object it is, the object itself says
        ways = [drs.AccessMethod(HTTPS, access_id=HTTPS, available=True, authorizations=how)]
        if found.file.format in _READS:
            where = drs.AccessUrl(f"{url}{PREFIX}/{Kind.READS}/{found.file.id}")
            ways.append(drs.AccessMethod("htsget", access_url=where, available=True, authorizations=how))
        return ways

    def _authorizations(self, identity: str, *, is_open: bool) -> drs.Authorizations:
        if is_open:
            return drs.Authorizations([drs.AuthorizationType.NONE], identity)
        kinds = [drs.AuthorizationType.BEARER, drs.AuthorizationType.PASSPORT]
        return drs.Authorizations(kinds, identity, self._issuers, self._issuers)


Asked = TypeVar("Asked")


def _each(
    asked: Iterable[Asked], find: Callable[[Asked], Found]
) -> tuple[list[Found], list[tuple[Asked, MegagenomeError]]]:
    """What was found, and what was refused and why."""
    found, refused = [], []
    for each in asked:
        try:
            found.append(find(each))
        except MegagenomeError as condition:
            refused.append((each, condition))
    return found, refused


def _summary(asked: int, found: int) -> drs.Summary:
    return drs.Summary(asked, found, asked - found)
