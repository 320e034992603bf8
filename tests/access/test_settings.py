# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import msgspec
import pytest

from megagenome.access.settings import AccessSettings, Window
from megagenome.kernel.errors import Invalid
from megagenome.kernel.settings import load_settings


class File(msgspec.Struct, frozen=True):
    """A settings file that has access in it."""

    access: AccessSettings = AccessSettings()


def read(folder: Path, text: str) -> AccessSettings:
    (folder / "hub.toml").write_text(text)
    return load_settings(File, folder / "hub.toml", {}).access


def test_windows_by_country(tmp_path: Path) -> None:
    text = '[access]\ncalendar = "EE"\n[[access.windows]]\ncountry = "FI"\nworking_days = 10\nreason = "law"\n'
    settings = read(tmp_path, text)
    assert settings.window("FI") == Window("FI", 10, "law")
    assert settings.window("EE") == Window("EE", 11, settings.window_reason)


@pytest.mark.parametrize(
    "text",
    [
        "quorum = 1",  # four eyes
        'calendar = "Estonia"',
        'calendar = "EL"',
        "assessment_days = 0",
        "unknown = 1",
        '[[access.windows]]\ncountry = "fi"\nworking_days = 10\nreason = "law"',
        '[[access.windows]]\ncountry = "FI"\nworking_days = 10',
        "\n".join(['[[access.windows]]\ncountry = "FI"\nworking_days = 10\nreason = "law"'] * 2),
    ],
)
def test_settings_that_would_not_do_what_they_say(tmp_path: Path, text: str) -> None:
    with pytest.raises(Invalid):
        read(tmp_path, f"[access]\n{text}\n")
