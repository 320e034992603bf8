# SPDX-License-Identifier: Apache-2.0
import tomllib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.kernel.errors import Invalid
from megagenome.kernel.settings import load_settings, toml_table


class Server(msgspec.Struct, frozen=True, kw_only=True):
    host: str = "127.0.0.1"
    port: int = 8600
    quiet: bool = False


class Disclosure(msgspec.Struct, frozen=True, kw_only=True):
    floor: int = 10


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    deadline_s: float = 10.0


class NodeSettings(msgspec.Struct, frozen=True, kw_only=True):
    server: Server = Server()
    disclosure: Disclosure = Disclosure()
    peers: tuple[Peer, ...] = ()
    names: tuple[str, ...] = ()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "node.toml"


def load(file: Path, content: str, **environ: str) -> NodeSettings:
    file.write_text(content, encoding="utf-8")
    return load_settings(NodeSettings, file, environ)


def test_empty_file_gives_the_defaults(file: Path) -> None:
    assert load(file, "") == NodeSettings()


def test_file_wins_over_default_and_environment_over_file(file: Path) -> None:
    content = '[server]\nport = 1\nhost = "::1"\n'
    assert load(file, content).server == Server(port=1, host="::1")
    environ = {"MEGAGENOME_SERVER_PORT": "2", "MEGAGENOME_SERVER_QUIET": "true", "HOME": "/x"}
    assert load(file, content, **environ).server == Server(port=2, host="::1", quiet=True)


def test_what_is_exported_for_other_commands_is_no_setting(file: Path) -> None:
    exported = {"MEGAGENOME_TOKEN": "mgt_x", "MEGAGENOME_HUB": "http://127.0.0.1:1", "MEGAGENOME_PASSPHRASE": "x"}
    assert load(file, "", **exported) == load(file, "")


def test_environment_alone_is_enough(file: Path) -> None:
    assert load(file, "", MEGAGENOME_DISCLOSURE_FLOOR="20").disclosure.floor == 20


def test_lists_of_tables(file: Path) -> None:
    loaded = load(file, 'names = ["a"]\n[[peers]]\nurl = "u"\n[[peers]]\nurl = "v"\ndeadline_s = 1\n')
    assert loaded.peers == (Peer(url="u"), Peer(url="v", deadline_s=1.0))
    assert loaded.names == ("a",)


@pytest.mark.parametrize(
    ("content", "environ", "says"),
    [
        ("[servr]\n", {}, "node.toml: unknown setting 'servr'; did you mean 'server'?"),
        ("[server]\nprot = 1\n", {}, "node.toml [server]: unknown setting 'prot'; did you mean 'port'?"),
        ("[server]\nzzz = 1\n", {}, "node.toml [server]: unknown setting 'zzz'; known are host, port, quiet"),
        ("server = 1\n", {}, "node.toml: 'server' must be a table, [server]"),
        (
            '[[peers]]\nurl = "u"\ndedline_s = 1\n',
            {},
            "node.toml [[peers]] 1: unknown setting 'dedline_s'; did you mean",
        ),
        ("peers = [1]\n", {}, "node.toml: 'peers' must be a list of tables, [[peers]]"),
        ("[peers]\n", {}, "node.toml: 'peers' must be a list of tables, [[peers]]"),
        ("[[peers]]\n", {}, "missing required field `url`"),
        ('[server]\nport = "many"\n', {}, "Expected `int`, got `str` - at `$.server.port`"),
        ("[server\n", {}, "node.toml: not valid TOML: "),
        (
            "",
            {"MEGAGENOME_SERVER_PROT": "1"},
            "environment: unknown setting MEGAGENOME_SERVER_PROT; did you mean 'MEGAGENOME_SERVER_PORT'?",
        ),
        ("", {"MEGAGENOME_SERVER_PORT": "many"}, "Expected `int`"),
    ],
)
def test_what_is_no_setting_stops_the_start(file: Path, content: str, environ: dict[str, str], says: str) -> None:
    with pytest.raises(Invalid) as refused:
        load(file, content, **environ)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def test_file_that_is_not_there_says_how_to_make_one(file: Path) -> None:
    with pytest.raises(Invalid, match="there is no settings file here; make one with `megagenome node init`"):
        load_settings(NodeSettings, file, {})


def test_file_that_is_no_text_or_no_file(file: Path) -> None:
    file.write_bytes(b'[server]\nhost = "\xff"\n')
    with pytest.raises(Invalid, match="not valid TOML"):
        load_settings(NodeSettings, file, {})
    with pytest.raises(Invalid, match="cannot be read: Is a directory"):
        load_settings(NodeSettings, file.parent, {})


def test_settings_cannot_change_while_running() -> None:
    with pytest.raises(AttributeError):
        NodeSettings().server.port = 1


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(-(2**63), 2**63 - 1))
def test_a_written_table_is_read_back(text: str, number: int) -> None:
    written = toml_table("[server]", {"host": text, "port": number}) + toml_table("[[peers]]", {"url": text})
    assert tomllib.loads(written) == {"server": {"host": text, "port": number}, "peers": [{"url": text}]}
