# SPDX-License-Identifier: Apache-2.0
from pathlib import Path
from typing import Any

import pytest

from megagenome.app.settings import HubSettings
from megagenome.identity.settings import SignInSettings
from megagenome.kernel.errors import Invalid
from megagenome.kernel.settings import load_settings

HUB = '[hub]\nid = "org.hub"\nname = "Hub"\n'


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example.org",
        "ftp://login.example.org",
        "login.example.org",
        "https://",
        "https://user:secret@login.example.org",
        "https://login.example.org/?realm=x",
        "https://login.example.org/#x",
        "https://login.example.org/a b",
        "https://login.example.org\\@evil.example",
        "https://lögin.example.org",
        "http://127.0.0.1.evil.example",
        "https://login.example.org:99999",
    ],
)
def test_an_issuer_that_is_not_safe_stops_the_start(issuer: str) -> None:
    with pytest.raises(ValueError, match="issuer"):
        SignInSettings(issuer=issuer, client_id="x")


@pytest.mark.parametrize(
    "issuer",
    [
        "https://login.elixir-czech.org/oidc/",
        "https://k.example/realms/x",
        "http://127.0.0.1:8080",
        "http://localhost:1",
    ],
)
def test_issuers_as_they_are(issuer: str) -> None:
    assert SignInSettings(issuer=issuer, client_id="x").issuer == issuer


@pytest.mark.parametrize(
    "wrong",
    [{"client_id": ""}, {"scopes": "profile"}, {"terms": "none"}, {"idle_s": 10}, {"idle_s": 7200, "longest_s": 3600}],
)
def test_what_could_not_work_stops_the_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SignInSettings(**{"issuer": "https://login.example.org", "client_id": "x", **wrong})


def test_the_secret_comes_from_the_environment_and_shows_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(HUB + '[signin]\nissuer = "https://login.example.org"\nclient_id = "x"\n')
    settings = load_settings(HubSettings, path, {"MEGAGENOME_SIGNIN_CLIENT_SECRET": "s3cret"})
    assert settings.signin.client_secret.reveal() == "s3cret"
    assert "s3cret" not in repr(settings)
    path.write_text(HUB + "[signin]\nclient_secret = 3\n")
    with pytest.raises(Invalid, match="expected a text"):
        load_settings(HubSettings, path, {})


def test_people_read_the_providers_name_or_host() -> None:
    assert SignInSettings(issuer="https://login.example.org/x", client_id="x").provider_name == "login.example.org"
    assert (
        SignInSettings(issuer="https://a.org", client_id="x", provider="Life Science").provider_name == "Life Science"
    )
    assert SignInSettings().provider_name == ""
