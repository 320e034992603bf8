# SPDX-License-Identifier: Apache-2.0
"""Key sets over real sockets: only configured addresses are asked, seldom, and whatever they answer is survived."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import msgspec
import pytest

from benchmarks.parts.passports.world import (
    FINLAND,
    HUB,
    ME,
    NOW,
    STRANGER,
    Draft,
    Mint,
    Signer,
    policy,
    sign,
    sign_passport,
)
from megagenome.identity import jwks
from megagenome.identity.clearinghouse import decide
from megagenome.identity.jwks import KeySets, Wanted, keys_wanted
from megagenome.identity.model import Code
from megagenome.identity.trust import Trust, TrustStore
from megagenome.identity.trust_settings import (
    BrokerSettings,
    IssuerSettings,
    KeySettings,
    SourceSettings,
    TrustSettings,
)
from tests.network import stubs
from tests.network.stubs import Behaviour, running, says

T = TypeVar("T")
MINT = Mint(random.Random(2))
SOURCES = (SourceSettings(f"{FINLAND.iss}dac", (f"{FINLAND.iss}datasets/",)),)


def key_set(*signers: Signer, rotated: int = 0) -> dict[str, Any]:
    chosen = [signer.keys[rotated] for signer in signers]
    return {"keys": [dict(key.as_dict(private=False)) | {"kid": kid} for kid, key in chosen]}


def store(url: str, issuer: Signer = HUB, **settings: Any) -> TrustStore:
    """A hub whose keys are at `url`, and a Finnish visa issuer whose keys were brought by hand."""
    keys = KeySettings(loopback_http=True, **settings)
    brokers = (BrokerSettings(issuer.iss, jwks_url=url),)
    finland = IssuerSettings(FINLAND.iss, FINLAND.jku, SOURCES, ("ControlledAccessGrants",), jwks_file="fi.json")
    return TrustStore(TrustSettings(keys=keys, brokers=brokers, issuers=(finland,)), {"fi.json": FINLAND.published()})


def passport(*visas: str, kid: str | None = None, key: int = 0) -> str:
    draft = MINT.passport(HUB, "h-1")
    chosen = HUB.keys[key]
    header = draft.header | {"kid": kid or chosen[0]}
    return sign_passport(draft._replace(header=header, key=chosen[1], claims=draft.claims | {"aud": ME}), list(visas))


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def against(
    behave: Behaviour, act: Callable[[stubs.Stub, KeySets, Clock], Coroutine[Any, Any, T]], **settings: Any
) -> T:
    """Run `act` with key sets whose hub's keys are at a server that behaves so."""

    async def run() -> T:
        clock = Clock()
        async with running(behave) as stub, KeySets(store(f"{stub.url}/jwks", **settings), clock=clock) as key_sets:
            return await act(stub, key_sets, clock)

    return asyncio.run(run())


def has_keys(trust: Trust) -> bool:
    broker = trust.broker(HUB.iss)
    assert broker is not None
    return broker.keys is not None


def test_keys_are_fetched_once_and_decide() -> None:
    async def act(stub: stubs.Stub, key_sets: KeySets, _clock: Clock) -> None:
        for _time in range(5):
            assert decide(passport(), await key_sets.trust_for(passport()), policy(), NOW).accepted
        [asked] = stub.asked
        assert (asked.method, asked.path) == ("GET", "/jwks")
        assert asked.headers["accept-encoding"] == "identity"
        assert "authorization" not in asked.headers

    against(says(key_set(HUB)), act)


@pytest.mark.parametrize("trusted_issuer", [False, True], ids=["own issuer", "trusted issuer"])
def test_an_address_in_a_token_is_never_asked(trusted_issuer: bool) -> None:
    """The peer's fault: it fetches whichever key set an unverified visa names, takes the first key, and accepts.

    The server really has the key that the visa is signed with, so whoever asks it would be convinced.
    """

    async def act(evil: stubs.Stub, key_sets: KeySets, _clock: Clock) -> None:
        signer = FINLAND if trusted_issuer else STRANGER
        visa = MINT.grant(signer, "h-1", f"{FINLAND.iss}datasets/1", conditions=[[{"type": "X", "value": "const:x"}]])
        kid, key = STRANGER.keys[0]
        names = {"jku": f"{evil.url}/evil.json", "x5u": f"{evil.url}/x5u", "kid": kid}
        for header in (names, names | {"jku": evil.url}, {"jku": names["jku"], "kid": kid}):
            forged = sign(visa._replace(header=visa.header | header, alg="ES256", key=key))
            decision = decide(passport(forged), await key_sets.trust_for(passport(forged)), policy(), NOW)
            assert decision.grants == ()
            assert decision.reasons[1].code in {Code.UNTRUSTED_ISSUER, Code.UNTRUSTED_JKU, Code.FOREIGN_KEY}
        own = MINT.passport(HUB, "h-1")
        stolen = sign(own._replace(header=own.header | names, key=key))
        await key_sets.trust_for(stolen)
        assert [asked.path for asked in evil.asked] == ["/jwks"]  # the hub's own, as configured

    against(says(key_set(HUB, STRANGER)), act)


def test_a_visas_address_gets_no_request_at_all() -> None:
    """The same with a server of its own, which nobody has configured."""

    async def run() -> None:
        async with running(says(key_set(STRANGER))) as evil:
            settings = store("https://hub.example/jwks").settings
            brokers = (BrokerSettings(HUB.iss, jwks_file="hub.json"),)
            by_hand = TrustStore(
                TrustSettings(brokers=brokers, issuers=settings.issuers),
                {"hub.json": HUB.published(), "fi.json": FINLAND.published()},
            )
            kid, key = STRANGER.keys[0]
            visa = MINT.grant(FINLAND, "h-1", f"{FINLAND.iss}datasets/1")
            forged = sign(visa._replace(header=visa.header | {"jku": f"{evil.url}/jwks", "kid": kid}, key=key))
            async with KeySets(by_hand) as key_sets:
                decision = decide(passport(forged), await key_sets.trust_for(passport(forged)), policy(), NOW)
            assert (decision.accepted, decision.grants) == (True, ())
            assert decision.reasons[1].code is Code.UNTRUSTED_JKU
            assert evil.connections == 0

    asyncio.run(run())


def test_unknown_kids_fetch_again_but_seldom() -> None:
    async def act(stub: stubs.Stub, key_sets: KeySets, clock: Clock) -> None:
        for number in range(50):
            await key_sets.trust_for(passport(kid=f"made-up-{number}"))
        assert len(stub.asked) == 1
        clock.now += jwks.LEAST_INTERVAL_S
        await asyncio.gather(*(key_sets.trust_for(passport(kid=f"made-up-{number}")) for number in range(50)))
        assert len(stub.asked) == 2

    against(says(key_set(HUB)), act)


def test_a_new_key_is_found_and_an_old_one_forgotten() -> None:
    served = [key_set(HUB), key_set(HUB, rotated=1)]

    async def behave(asked: stubs.Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(stubs.response(msgspec.json.encode(served[0])))
        await writer.drain()

    async def act(_stub: stubs.Stub, key_sets: KeySets, clock: Clock) -> None:
        old, new = passport(key=0), passport(key=1)
        assert decide(old, await key_sets.trust_for(old), policy(), NOW).accepted
        served.pop(0)
        assert decide(new, await key_sets.trust_for(new), policy(), NOW).reasons[0].code is Code.UNKNOWN_KID
        clock.now += jwks.LEAST_INTERVAL_S
        assert decide(new, await key_sets.trust_for(new), policy(), NOW).accepted
        assert decide(old, await key_sets.trust_for(old), policy(), NOW).reasons[0].code is Code.UNKNOWN_KID

    against(behave, act)


def test_keys_are_fetched_anew_at_half_their_age_and_not_used_beyond_it() -> None:
    answers = [says(key_set(HUB)), says(b"", status=500), says(key_set(HUB)), says(b"", status=500)]

    async def behave(asked: stubs.Asked, writer: asyncio.StreamWriter) -> None:
        await answers[0](asked, writer)

    async def act(stub: stubs.Stub, key_sets: KeySets, clock: Clock) -> None:
        assert has_keys(await key_sets.trust_for(passport()))
        clock.now += 300
        assert has_keys(await key_sets.trust_for(passport()))
        assert len(stub.asked) == 1
        answers.pop(0)
        clock.now += 1  # half of the age is over: asked again in vain, and the old ones still count
        assert has_keys(await key_sets.trust_for(passport()))
        assert len(stub.asked) == 2
        clock.now += 300
        assert not has_keys(await key_sets.trust_for(passport()))
        answers.pop(0)
        clock.now += jwks.LEAST_INTERVAL_S
        assert has_keys(await key_sets.trust_for(passport()))

    against(behave, act, max_age_s=600)


async def redirects(asked: stubs.Asked, writer: asyncio.StreamWriter) -> None:
    body = msgspec.json.encode(key_set(HUB))
    if asked.path == "/jwks":
        writer.write(stubs.response(body, 302, more="location: /elsewhere\r\n"))
    else:
        writer.write(stubs.response(body))
    await writer.drain()


NO_KEY_SETS: dict[str, Behaviour] = {
    "redirect": redirects,
    "404": says(key_set(HUB), status=404),
    "201": says(key_set(HUB), status=201),
    "page": says(b"<html>"),
    "twice": says(b'{"keys":[],"keys":[]}'),
    "deep": says(b"[" * 10_000),
    "long": says(b'{"keys":[' + b" " * jwks.MAX_KEY_SET_BYTES + b"]}"),
    "compressed": says(key_set(HUB), more="content-encoding: gzip\r\n"),
    "flood": stubs.floods,
    "death": stubs.dies,
    "silence": stubs.closes,
}


@pytest.mark.parametrize("behave", NO_KEY_SETS.values(), ids=NO_KEY_SETS.keys())
def test_what_is_no_key_set_is_none(behave: Behaviour) -> None:
    async def act(stub: stubs.Stub, key_sets: KeySets, _clock: Clock) -> None:
        assert not has_keys(await key_sets.trust_for(passport()))
        assert {asked.path for asked in stub.asked} == {"/jwks"}

    against(behave, act)


@pytest.mark.parametrize("behave", [stubs.hangs, stubs.trickles, stubs.trickles_headers])
def test_a_slow_server_is_left(behave: Behaviour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "FETCH_S", 0.2)

    async def act(stub: stubs.Stub, key_sets: KeySets, _clock: Clock) -> None:
        assert not has_keys(await key_sets.trust_for(passport()))
        await asyncio.wait_for(stub.left.wait(), 10)

    against(behave, act)


def test_a_dead_server_is_no_keys() -> None:
    async def run() -> None:
        async with running(says(b"")) as stub:
            url = stub.url
        for dead in (f"{url}/jwks", "https://no such host.invalid/jwks", "https://xn--.invalid/jwks"):
            async with KeySets(store(dead)) as key_sets:
                assert not has_keys(await key_sets.trust_for(passport()))

    asyncio.run(run())


def _linked(draft: Draft, **header: Any) -> str:
    return sign(draft._replace(header=draft.header | header))


def test_only_keys_of_trusted_pairs_without_a_file_are_wanted() -> None:
    settings = store("http://127.0.0.1/hub").settings
    other = IssuerSettings(STRANGER.iss, STRANGER.jku, SOURCES)
    both = TrustStore(msgspec.structs.replace(settings, issuers=(*settings.issuers, other)), {})
    good = MINT.grant(STRANGER, "x", "https://x.example/")
    text = passport(
        _linked(good, kid="g"),
        _linked(good, kid=""),
        _linked(good, jku="https://elsewhere.example/jwks"),
        _linked(MINT.grant(FINLAND, "x", "https://x.example/")),
        "no token",
    )
    assert keys_wanted(text, both) == {Wanted("http://127.0.0.1/hub", HUB.keys[0][0]), Wanted(STRANGER.jku, "g")}
    assert keys_wanted("no token", both) == frozenset()
    strange = MINT.passport(STRANGER, "x")
    odd = strange._replace(claims=strange.claims | {"iss": ["x"], "ga4gh_passport_v1": [1, None, {}]})
    assert keys_wanted(sign(odd), both) == frozenset()
