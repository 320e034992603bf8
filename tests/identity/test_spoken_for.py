# SPDX-License-Identifier: Apache-2.0
"""A hub speaks for its people to its nodes: what a node believes of that, and what it does not."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from megagenome.identity.spoken_for import Speaker, caller_spoken_for, is_spoken_by, trust_in_hub
from megagenome.kernel import clock
from megagenome.kernel.callers import PUBLIC, Caller, Role
from megagenome.kernel.errors import Unauthenticated
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.public_keys import PublicKeys, read_public_keys

HUB, NODE = "https://hub.example", "https://node.example"
ADA = Caller("ada@https://idp.example", "Ada", frozenset({Role.RESEARCHER, Role.AUDITOR}), registered=True)


@pytest.fixture
def speaker(tmp_path: Path) -> Speaker:
    return Speaker(HUB, SigningKeys.open(tmp_path / "hub"))


def public(keys: SigningKeys) -> PublicKeys:
    return read_public_keys(msgspec.json.encode(keys.jwks()))


def passport(speaker: Speaker, caller: Caller = ADA, audience: str = NODE) -> str:
    speaks = speaker.speak_for(caller)
    assert speaks
    return speaks(audience)


def believed(speaker: Speaker, token: str, audience: str = NODE, url: str = HUB) -> Caller:
    return caller_spoken_for(token, trust_in_hub(url, public(speaker.keys)), audience)


def test_a_person_is_the_one_that_the_hub_knows_and_brings_no_role(speaker: Speaker) -> None:
    assert believed(speaker, passport(speaker)) == Caller(ADA.subject, registered=True)
    unregistered = msgspec.structs.replace(ADA, registered=False)
    assert believed(speaker, passport(speaker, unregistered)) == Caller(ADA.subject)


def test_for_whom_nobody_speaks(speaker: Speaker) -> None:
    assert speaker.speak_for(PUBLIC) is None
    assert speaker.speak_for(Caller("node:node.fi", node="node.fi")) is None
    assert speaker.speak_for(Caller("x" * 256)) is None


def test_it_is_for_one_node_and_for_minutes(speaker: Speaker, monkeypatch: pytest.MonkeyPatch) -> None:
    token = passport(speaker)
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert claims["exp"] - claims["iat"] <= 300
    assert (claims["aud"], claims["iss"], len(claims["ga4gh_passport_v1"])) == ([NODE], HUB, 2)
    assert "Ada" not in str(claims)
    assert claims["jti"] != json.loads(base64.urlsafe_b64decode(passport(speaker).split(".")[1] + "=="))["jti"]
    with pytest.raises(Unauthenticated, match="another service"):
        believed(speaker, token, "https://other.example")
    for later in (timedelta(minutes=5, seconds=1), -timedelta(minutes=5)):
        then = clock.now() + later
        with monkeypatch.context() as patched:
            patched.setattr(clock, "now", lambda then=then: then)
            with pytest.raises(Unauthenticated):
                believed(speaker, token)


def test_nobody_else_speaks_as_the_hub(speaker: Speaker, tmp_path: Path) -> None:
    thief = Speaker(HUB, SigningKeys.open(tmp_path / "thief"))
    with pytest.raises(Unauthenticated):
        believed(speaker, passport(thief))
    with pytest.raises(Unauthenticated):
        believed(speaker, passport(Speaker("https://evil.example", speaker.keys)))
    token = passport(speaker)
    for broken in ("", "x", token[:-4] + "AAAA", token.split(".")[0] + ".e30."):
        with pytest.raises(Unauthenticated):
            believed(speaker, broken)


def test_a_visa_of_somebody_else_lends_nothing(speaker: Speaker) -> None:
    theirs = json.loads(base64.urlsafe_b64decode(passport(speaker).split(".")[1] + "=="))
    other = msgspec.structs.replace(ADA, subject="bob@https://idp.example", registered=False)
    mine = json.loads(base64.urlsafe_b64decode(passport(speaker, other).split(".")[1] + "=="))
    mixed = {**mine, "ga4gh_passport_v1": theirs["ga4gh_passport_v1"]}
    assert believed(speaker, speaker.keys.sign(mixed, "vnd.ga4gh.passport+jwt")) == Caller(other.subject)


def test_only_what_says_to_be_the_hubs_passport_is_read(speaker: Speaker) -> None:
    assert is_spoken_by(passport(speaker), HUB)
    assert not is_spoken_by(passport(speaker), "https://other.example")
    assert not is_spoken_by(speaker.keys.sign({"iss": HUB}, "vnd.ga4gh.visa+jwt"), HUB)
    assert not is_spoken_by("nonsense", HUB)
    assert not is_spoken_by("x" * 300_000, HUB)
