# SPDX-License-Identifier: Apache-2.0
"""What a trust file may say; what could match by accident, or lead anywhere, stops the start."""

from typing import Any

import msgspec
import pytest

from megagenome.identity.trust_settings import TrustSettings

BROKER = {"issuer": "https://hub.example/", "jwks_url": "https://hub.example/jwks"}
SOURCE = {"source": "https://fi.example/dac", "values": ["https://fi.example/datasets/", "@uni.example"]}
ISSUER = {
    "issuer": "https://fi.example/",
    "jku": "https://fi.example/jwks",
    "types": ["ControlledAccessGrants"],
    "sources": [SOURCE],
}


def trust(**content: Any) -> TrustSettings:
    return msgspec.convert({"brokers": [BROKER], "issuers": [ISSUER]} | content, TrustSettings)


def test_addresses_of_keys_are_those_that_no_file_stands_for() -> None:
    by_hand = [BROKER | {"issuer": "https://b.example/", "jwks_url": "", "jwks_file": "b.json"}]
    assert trust().key_urls == {"https://hub.example/jwks", "https://fi.example/jwks"}
    assert trust(brokers=by_hand, issuers=[ISSUER | {"jwks_file": "fi.json"}]).key_urls == set()


def test_the_policy_is_what_the_file_says() -> None:
    stated = {"audiences": ["https://me"], "max_authz_ttl_s": 60, "grant_by": ["dac", "so"]}
    policy = trust(policy=stated).policy.policy("https://fi.example/datasets/1")
    assert (policy.audiences, policy.max_authz_ttl_s, policy.grant_by) == ({"https://me"}, 60, {"dac", "so"})
    assert policy.dataset == "https://fi.example/datasets/1"
    assert "self" not in trust().policy.policy().researcher_by


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"jwks_url": "http://hub.example/jwks"}, "https"),
        ({"jwks_url": "http://127.0.0.1/jwks"}, "loopback_http"),
        ({"jwks_url": "ftp://hub.example/jwks"}, "https"),
        ({"jwks_url": "file:///etc/passwd"}, "address"),
        ({"jwks_url": "https://a@hub.example/jwks"}, "address"),
        ({"jwks_url": "https://hub.example/jwks#x"}, "address"),
        ({"jwks_url": "https://hub.example:x/jwks"}, "address"),
        ({"jwks_url": " https://hub.example/jwks"}, "address"),
        ({"jwks_url": ""}, "one of"),
        ({"jwks_file": "hub.json"}, "one of"),
        ({"issuer": "hub"}, "issuer"),
        ({"issuer": "https://a@hub.example/"}, "issuer"),
        ({"issuer": "https://hub.example/ "}, "issuer"),
    ],
)
def test_brokers_that_cannot_be_right(change: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        trust(brokers=[BROKER | change])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"issuer": ""}, "issuer"),
        ({"jku": "http://fi.example/jwks"}, "https"),
        ({"types": ["LinkedIdentities"]}, "linking = true"),
        ({"types": ["ControlledAccessGrant"]}, "ControlledAccessGrant"),
        ({"sources": [{"source": "https://fi.example"}]}, "path"),
        ({"sources": [{"source": "@uni.example"}]}, "whole URL"),
        ({"sources": [{"source": "https://fi.example/", "values": ["https://fi.example"]}]}, "path"),
        ({"sources": [{"source": "https://fi.example/", "values": ["fi"]}]}, "whole URL"),
        ({"sources": [{"source": "https://fi.example/", "values": ["https://a@fi.example/"]}]}, "whole URL"),
        ({"sources": [{"source": "https://fi.example/", "values": ["@"]}]}, "@uni.example"),
        ({"sources": [{"source": "https://fi.example/", "values": [""]}]}, "whole URL"),
    ],
)
def test_issuers_that_cannot_be_right(change: dict[str, Any], says: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        trust(issuers=[ISSUER | change])


@pytest.mark.parametrize("host", ["127.0.0.1:8600", "localhost", "[::1]:1", "127.1.2.3"])
def test_this_machine_may_be_asked_by_http_where_the_file_says_so(host: str) -> None:
    brokers = [BROKER | {"jwks_url": f"http://{host}/jwks"}]
    assert f"http://{host}/jwks" in trust(brokers=brokers, keys={"loopback_http": True}).key_urls


@pytest.mark.parametrize("host", ["10.0.0.1", "localhost.evil.example", "169.254.169.254", "0x7f000001"])
def test_no_other_machine_may(host: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="https"):
        trust(brokers=[BROKER | {"jwks_url": f"http://{host}/jwks"}], keys={"loopback_http": True})


def test_one_issuer_stands_there_once() -> None:
    with pytest.raises(msgspec.ValidationError, match="twice"):
        trust(brokers=[BROKER, BROKER])
    with pytest.raises(msgspec.ValidationError, match="twice"):
        trust(issuers=[ISSUER, ISSUER])
    assert len(trust(issuers=[ISSUER, ISSUER | {"jku": "https://fi.example/other"}]).issuers) == 2


@pytest.mark.parametrize("seconds", [0, 59, 86_401])
def test_keys_are_neither_fetched_for_every_token_nor_kept_for_ever(seconds: int) -> None:
    with pytest.raises(msgspec.ValidationError, match="max_age_s"):
        trust(keys={"max_age_s": seconds})
