# SPDX-License-Identifier: Apache-2.0
"""Key sets of trusted issuers, fetched by the addresses that the trust store has, and kept for a while.

No address ever comes from a token. A token only says which of the configured addresses are wanted, and with which
`kid`; a `kid` that is not known fetches again, but no address more often than every `LEAST_INTERVAL_S`, however many
tokens ask.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import httpx

from megagenome.identity.trust import Trust, TrustStore
from megagenome.kernel.errors import Corrupt, TooLarge, Unavailable
from megagenome.kernel.jwt import Token, read_token
from megagenome.kernel.public_keys import MAX_KEY_SET_BYTES, PublicKeys, read_public_keys
from megagenome.standards.passport import MAX_PASSPORT_BYTES, MAX_VISA_BYTES, MAX_VISAS, PASSPORT_CLAIM

LEAST_INTERVAL_S = 30.0
FETCH_S = 5.0

_log = logging.getLogger(__name__)


class Wanted(NamedTuple):
    """A key that a token names, at an address of the trust store."""

    url: str
    kid: str


class _Kept(NamedTuple):
    keys: PublicKeys
    fetched: float


class KeySets:
    """The key sets of one trust store. For one event loop; close it by `aclose` or as a context.

    clock  seconds that only grow, for tests to set
    """

    def __init__(self, store: TrustStore, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._client = httpx.AsyncClient(
            follow_redirects=False, trust_env=False, timeout=FETCH_S, headers={"accept-encoding": "identity"}
        )
        self._kept: dict[str, _Kept] = {}
        self._asked: dict[str, float] = {}
        self._locks = {url: asyncio.Lock() for url in store.settings.key_urls}

    async def __aenter__(self) -> "KeySets":
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def trust_for(self, passport: str) -> Trust:
        """Whom we believe now, with the keys that this passport and its visas name, fetched where they must be.

        Never raises: of an issuer whose keys cannot be had, `keys` is None in what comes back, and `decide` says so.
        Waits at most for one fetch of each address that is wanted (`FETCH_S`), all at the same time.
        """
        wanted: dict[str, set[str]] = {}
        for each in keys_wanted(passport, self._store):
            wanted.setdefault(each.url, set()).add(each.kid)
        await asyncio.gather(*(self._refresh(url, kids) for url, kids in wanted.items()))
        now = self._clock()
        return self._store.trust({url: kept.keys for url, kept in self._kept.items() if self._age(kept, now) <= 1})

    async def _refresh(self, url: str, kids: set[str]) -> None:
        if self._suffices(url, kids):
            return
        async with self._locks[url]:
            # whoever waited for the lock may find that somebody else has fetched meanwhile
            if self._suffices(url, kids) or self._clock() - self._asked.get(url, -LEAST_INTERVAL_S) < LEAST_INTERVAL_S:
                return
            self._asked[url] = self._clock()
            try:
                self._kept[url] = _Kept(await self._fetch(url), self._clock())
            except Unavailable as error:
                _log.warning("the keys of %s: %s", url, error)

    def _suffices(self, url: str, kids: set[str]) -> bool:
        kept = self._kept.get(url)
        return kept is not None and self._age(kept, self._clock()) <= 0.5 and kids <= kept.keys.keys()

    def _age(self, kept: _Kept, now: float) -> float:
        """As a share of the age at which keys are no longer used."""
        return (now - kept.fetched) / self._store.settings.keys.max_age_s

    async def _fetch(self, url: str) -> PublicKeys:
        try:
            async with asyncio.timeout(FETCH_S), self._client.stream("GET", url) as response:
                return read_public_keys(await _take(response))
        except TimeoutError:
            raise Unavailable(f"not whole within {FETCH_S:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # the last of a host that IDNA cannot have
            raise Unavailable(f"no connection: {type(error).__name__}") from None
        except Corrupt as error:
            raise Unavailable(str(error)) from None


def keys_wanted(passport: str, store: TrustStore) -> frozenset[Wanted]:
    """The keys that a passport and its visas name, all unverified, where trusted issuers have an address for them."""
    settings = store.settings
    brokers = {broker.issuer: broker.jwks_url for broker in settings.brokers if broker.jwks_url}
    issuers = {(issuer.issuer, issuer.jku): issuer.jku for issuer in settings.issuers if not issuer.jwks_file}
    found = _tokens(passport)
    opened = next(found, None)
    if opened is None:
        return frozenset()
    wanted = [(_of(brokers, opened.claims.get("iss")), opened.header.kid)]
    wanted += [(_of(issuers, (visa.claims.get("iss"), visa.header.jku)), visa.header.kid) for visa in found]
    return frozenset(Wanted(url, kid) for url, kid in wanted if url is not None and kid)


def _of(addresses: Mapping[Any, str], key: object) -> str | None:
    return next((url for known, url in addresses.items() if known == key), None)


def _tokens(passport: str) -> Iterator[Token]:
    """The passport and then its visas, as far as they can be read."""
    try:
        opened = read_token(passport, MAX_PASSPORT_BYTES)
    except (Corrupt, TooLarge):
        return
    yield opened
    visas = opened.claims.get(PASSPORT_CLAIM)
    for text in visas[:MAX_VISAS] if isinstance(visas, list) else ():
        try:
            yield read_token(text if isinstance(text, str) else "", MAX_VISA_BYTES)
        except (Corrupt, TooLarge):
            continue


async def _take(response: httpx.Response) -> bytes:
    if response.status_code != 200:
        raise Unavailable(f"HTTP {response.status_code}, where the trust store has their address")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise Unavailable("they come compressed, though they were asked for as they are")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_KEY_SET_BYTES:
            raise Unavailable(f"longer than {MAX_KEY_SET_BYTES} bytes")
    return bytes(body)
