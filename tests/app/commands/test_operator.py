# SPDX-License-Identifier: Apache-2.0
import getpass

import pytest

from megagenome.app.commands.operator import given_by


def test_a_command_is_given_by_an_office_and_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "jane" + 300 * "e")
    assert given_by() == "operator jane" + 96 * "e"
    assert given_by("contact point").startswith("contact point jane")
