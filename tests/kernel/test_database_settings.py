# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from megagenome.app.settings import NodeSettings
from megagenome.kernel.database import open_database
from megagenome.kernel.database_settings import DatabaseSettings
from megagenome.kernel.errors import Invalid
from megagenome.kernel.settings import read_settings

NODE = '[node]\nid = "node.ee"\nname = "EE"\ncountry = "EE"\n'


def test_without_settings_it_is_sqlite_in_the_folder(tmp_path: Path) -> None:
    url = DatabaseSettings().url_or(tmp_path / "node.sqlite")
    assert url.render_as_string() == f"sqlite:///{tmp_path}/node.sqlite"


def test_the_password_comes_from_the_environment_and_is_not_shown() -> None:
    text = NODE + '[database]\nurl = "postgresql://me@db.example.org/node"\n'
    settings = read_settings(NodeSettings, text, "node.toml", {"MEGAGENOME_DATABASE_PASSWORD": "hid/den"}).database
    url = settings.url_or(Path("x"))
    assert url.password == "hid/den"
    for shown in (repr(settings), str(url), repr(url), repr(open_database(url))):
        assert "den" not in shown


def test_without_a_password_postgresqls_own_ways_hold() -> None:
    assert DatabaseSettings("postgresql:///node?host=/run/postgresql").url_or(Path("x")).password is None


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://host/name", "postgresql://"),
        ("postgresql://host", "postgresql://"),
        ("node.sqlite", "postgresql://"),
        ("postgresql://me:hidden@host/name", "database.password"),
        ("postgresql://me@host/name?password=hidden", "database.password"),
    ],
)
def test_another_url_is_refused_and_its_password_not_repeated(url: str, says: str) -> None:
    with pytest.raises(Invalid, match=says) as caught:
        read_settings(NodeSettings, NODE + f'[database]\nurl = "{url}"\n', "node.toml", {})
    assert "hidden" not in str(caught.value)
