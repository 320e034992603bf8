# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import msgspec
import pytest

from benchmarks.parts.passports.world import FINLAND, HUB, STRANGER
from megagenome.identity.trust import Broker, Trust, load_trust, within
from megagenome.kernel.errors import Invalid

TOML = """
[policy]
audiences = ["https://me.example"]
[keys]
max_age_s = 600
[[brokers]]
issuer = "https://hub.example/"
jwks_file = "keys/hub.json"
[[brokers]]
issuer = "https://login.example/"
jwks_url = "https://login.example/jwks"
needs_audience = false
[[issuers]]
issuer = "https://fi.example/"
jku = "https://fi.example/jwks"
types = ["ControlledAccessGrants"]
linking = true
[[issuers.sources]]
source = "https://fi.example/dac"
values = ["https://fi.example/datasets/"]
"""


def key_set() -> bytes:
    [key] = [key for _kid, key in HUB.keys[:1]]
    return msgspec.json.encode({"keys": [dict(key.as_dict(private=False)) | {"kid": "h"}]})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "trust.toml").write_text(TOML)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "hub.json").write_bytes(key_set())
    return tmp_path


def test_a_trust_file_is_read(folder: Path) -> None:
    trust = load_trust(folder / "trust.toml").trust({"https://fi.example/jwks": FINLAND.published()})
    hub, login = trust.broker("https://hub.example/"), trust.broker("https://login.example/")
    assert hub is not None
    assert login is not None
    assert (set(hub.keys or {}), hub.needs_audience, hub.jwks_url) == ({"h"}, True, "")
    assert (login.keys, login.needs_audience) == (None, False)
    finland = trust.issuer("https://fi.example/", "https://fi.example/jwks")
    assert finland is not None
    assert finland.types == {"ControlledAccessGrants", "LinkedIdentities"}
    assert finland.keys == FINLAND.published()
    assert trust.names_issuer("https://fi.example/")
    assert trust.issuer("https://fi.example/", "https://fi.example/jwks/") is None
    assert not trust.names_issuer("https://hub.example/")


def test_those_who_joined_are_believed_too_and_displace_nobody(folder: Path) -> None:
    configured = load_trust(folder / "trust.toml").trust({})
    joined = configured.joined_with([Broker("https://new.example/", {}), Broker("https://hub.example/", {})])
    assert joined.broker("https://new.example/") == Broker("https://new.example/", {})
    assert joined.broker("https://hub.example/") == configured.broker("https://hub.example/")
    assert configured.broker("https://new.example/") is None


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('jwks_file = "keys/hub.json"', 'jwks_file = "keys/none.json"', "none.json: cannot be read"),
        ("max_age_s", "max_age", "did you mean 'max_age_s'"),
        ("linking = true", "linkin = true", "did you mean 'linking'"),
        ("values = [", "value = [", "did you mean 'values'"),
        ("https://login.example/jwks", "http://login.example/jwks", "by https"),
    ],
)
def test_a_fault_of_the_file_is_named(folder: Path, old: str, new: str, says: str) -> None:
    path = folder / "trust.toml"
    path.write_text(TOML.replace(old, new))
    with pytest.raises(Invalid, match=says):
        load_trust(path)


def test_a_file_that_is_not_there_is_no_settings_file(folder: Path) -> None:
    with pytest.raises(Invalid, match=r"no\.toml: there is no trust file here; docs/identity\.md"):
        load_trust(folder / "no.toml")


def test_a_key_file_that_is_none_is_named(folder: Path) -> None:
    (folder / "keys" / "hub.json").write_text("{}")
    with pytest.raises(Invalid, match=r"hub\.json: no JSON Web Key Set"):
        load_trust(folder / "trust.toml")


def test_nobody_is_believed_from_the_start() -> None:
    assert Trust([], []).broker(STRANGER.iss) is None


@pytest.mark.parametrize(
    ("url", "scope", "inside"),
    [
        ("https://fi.example/dac", "https://fi.example/dac", True),
        ("https://fi.example/dac/1", "https://fi.example/dac", False),
        ("https://fi.example/dac/1", "https://fi.example/dac/", True),
        ("https://fi.example/dac", "https://fi.example/dac/", False),
        ("https://fi.example.evil/dac/1", "https://fi.example/", False),
        ("https://fi.example@evil/dac/1", "https://fi.example/", False),
        ("https://FI.example/1", "https://fi.example/", False),
        ("https://fi.example/a/../b", "https://fi.example/a/", False),
        ("https://fi.example/a/..", "https://fi.example/a/", False),
        ("https://fi.example/a/./b", "https://fi.example/a/", False),
        ("https://fi.example/a/%2E%2e/b", "https://fi.example/a/", False),
        ("https://fi.example/a/x%2f..%2Fb", "https://fi.example/a/", False),
        ("https://fi.example/a/..b/c...", "https://fi.example/a/", True),
    ],
)
def test_scopes_are_exact_or_end_in_a_slash(url: str, scope: str, inside: bool) -> None:
    assert within(url, scope) is inside
