# SPDX-License-Identifier: Apache-2.0
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pytest
from cyclopts import App, Parameter

from megagenome import __version__
from megagenome.cli import main as cli
from megagenome.kernel.errors import Conflict, Invalid, MegagenomeError, Unavailable

ROLES = ["ask", "crypt4gh", "demo", "hub", "node", "passport", "study", "synth"]


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """A role `stub`, mounted as real roles are, for tests to fill with commands."""
    role = App(name="stub")
    monkeypatch.setattr(sys.modules[__name__], "stub_role", role, raising=False)
    monkeypatch.setitem(sys.modules, "stub_commands", sys.modules[__name__])
    cli.app.command("stub_commands:stub_role", name="stub", help="A stub.")
    yield role
    del cli.app["stub"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "megagenome", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def test_version() -> None:
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{__version__}\n", "")


def test_help_names_every_role() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert [role for role in ROLES if f" {role} " in done.stdout] == ROLES


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["nodes"]])
def test_roles_are_imported_only_when_their_command_runs(arguments: list[str]) -> None:
    heavy = "('numpy', 'litestar', 'granian', 'sqlalchemy', 'msprime', 'httpx', 'pysam')"
    code = (
        f"import sys; from megagenome.cli.main import main; main({arguments}); "
        f"sys.exit(', '.join(m for m in sys.modules if m in {heavy} or m.endswith('.commands')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr.strip().splitlines()[1 if arguments == ["nodes"] else 0 :] == []


@pytest.mark.parametrize(
    ("error", "code"), [(Invalid("x"), 2), (Conflict("x"), 3), (Unavailable("x"), 1), (MegagenomeError("x"), 1)]
)
def test_condition_becomes_one_line_and_its_code(
    stub: App, capsys: pytest.CaptureFixture[str], error: MegagenomeError, code: int
) -> None:
    @stub.command
    def fall() -> None:
        raise error

    assert cli.main(["stub", "fall"]) == code
    assert capsys.readouterr() == ("", "megagenome: x\n")


def test_message_of_several_lines_becomes_one(stub: App, capsys: pytest.CaptureFixture[str]) -> None:
    @stub.command
    def fall() -> None:
        raise Invalid("file x:\n  not TOML")

    cli.main(["stub", "fall"])
    assert capsys.readouterr().err == "megagenome: file x: not TOML\n"


def test_a_message_cannot_steer_the_terminal(stub: App, capsys: pytest.CaptureFixture[str]) -> None:
    @stub.command
    def fall() -> None:
        raise Invalid("contig \x1b]0;owned\x07 of a file that somebody sent")

    cli.main(["stub", "fall"])
    assert capsys.readouterr().err == "megagenome: contig \ufffd]0;owned\ufffd of a file that somebody sent\n"


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1), (3, 3)])
def test_command_may_return_its_code(stub: App, returned: int | None, code: int) -> None:
    @stub.command
    def give() -> int | None:
        return returned

    assert cli.main(["stub", "give"]) == code


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nodes"], "unknown command 'nodes'; known are ask, crypt4gh, demo, hub, node"),
        (["stub", "take", "--nodes", "many"], "--nodes"),
        (["stub", "take", "--node", "3"], "--node"),
        (["stub", "take"], "--nodes"),
        (["stub", "takes"], "unknown command 'takes'; known are take."),
        (["--data", "x"], "--data"),
    ],
)
def test_wrong_use_is_one_line_and_code_2(
    stub: App, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    @stub.command
    def take(*, nodes: Annotated[int, Parameter(help="How many.")]) -> None:
        pytest.fail(f"ran with {nodes}")

    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("megagenome: ")
    assert says in err


def test_unexpected_error_says_how_to_see_more(stub: App, capsys: pytest.CaptureFixture[str]) -> None:
    @stub.command
    def fall() -> None:
        raise KeyError("beacon")

    assert cli.main(["stub", "fall"]) == 1
    assert capsys.readouterr().err == "megagenome: unexpected KeyError: 'beacon'; add --debug to see where\n"
    with pytest.raises(KeyError):
        cli.main(["stub", "--debug", "fall"])


def test_interrupt_is_quiet(stub: App, capsys: pytest.CaptureFixture[str]) -> None:
    @stub.command
    def wait() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(10)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is born deaf to it
    try:
        assert cli.main(["stub", "wait"]) == 130
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr() == ("", "")


def test_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    script = tmp_path / "loud.py"
    script.write_text(
        "import sys; from megagenome.cli.main import app, main\n"
        "@app.command\n"
        "def shout():\n    [print('x' * 1000) for _ in range(1000)]\n"
        "sys.exit(main(['shout']))"
    )
    command = f"'{sys.executable}' {script} | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (1, "x" * 1000 + "\n", "")
