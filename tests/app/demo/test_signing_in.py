# SPDX-License-Identifier: Apache-2.0
"""The demo's sign-in without its servers; with them: tests/journeys/test_demo.py."""

import io
import sys
from pathlib import Path

import msgspec
import pytest

from megagenome.app.demo import serve_provider
from megagenome.app.demo.signing_in import ProviderStart, logins, prepare, settings_of
from megagenome.app.settings import HubSettings
from megagenome.kernel.errors import Invalid
from megagenome.kernel.settings import load_settings


def test_everybody_is_shown_where_they_act_with_a_password_of_this_run() -> None:
    signing = prepare(["FI", "EE"], 8699)
    shown = logins(signing, "http://hub", {"FI": "http://fi", "EE": "http://ee"})
    assert {login.name: login.first for login in shown} == {
        "researcher": "http://hub/cohort",
        "colleague": "http://hub/for-you",
        "official": "http://hub/desk",
        "chair": "http://hub/desk",
        "member": "http://hub/desk",
        "decider-fi": "http://fi/desk",
        "decider-ee": "http://ee/desk",
        "provider": "http://fi/submissions",
        "steward": "http://fi/consent",
        "checker": "http://hub/study/waiting",
        "citizen": "http://fi/my-genome",
        "auditor": "http://hub/ledger",
    }
    assert all(login.does for login in shown)
    again = logins(prepare(["FI", "EE"], 8699), "http://hub", {})
    assert not {login.password for login in shown} & {login.password for login in again}


def test_servers_take_the_sign_in_from_their_environment(tmp_path: Path) -> None:
    (tmp_path / "hub.toml").write_text('[hub]\nid = "x"\nname = "x"\n')
    settings = load_settings(HubSettings, tmp_path / "hub.toml", settings_of(prepare(["FI"], 8699), "hub", "demo"))
    assert settings.server.notice == "demo"
    assert (settings.signin.issuer, settings.signin.client_id) == ("http://127.0.0.1:8699", "hub")


def test_the_providers_process_is_told_no_password_and_serves_this_machine_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signing = prepare(["FI"], 8699)
    told = msgspec.json.encode(ProviderStart("http://10.0.0.1:8699", signing.accounts, ()))
    assert not [password for password in signing.passwords.values() if password.encode() in told]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(told)))
    with pytest.raises(Invalid, match="this machine only"):
        serve_provider.main(tmp_path)
