# SPDX-License-Identifier: Apache-2.0
"""A test that needs a real component is never skipped silently, and in CI never at all."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import os
import pytest

@pytest.mark.shared
def test_by_marker(): ...

@pytest.fixture(scope="session")
def genomes(shared):
    return shared / "genomes"

def test_by_fixture(genomes):
    assert genomes.parent.name == "real"

def test_free():
    assert "MEGAGENOME_SHARED" not in os.environ

@pytest.mark.promise
def test_in_time(): ...

@pytest.fixture
def browser(): ...

def test_free_too(browser): ...
"""


by_processes = pytest.mark.parametrize("processes", [[], ["-p", "xdist", "-n", "1"]], ids=["here", "elsewhere"])


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small house of its own under `tmp_path`, with this conftest: five tests of a module, one of a journey."""
    (tmp_path / "tests").mkdir()
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path / "tests")
    (tmp_path / "tests" / "test_five.py").write_text(TESTS)
    (tmp_path / "tests/journeys").mkdir()
    (tmp_path / "tests/journeys/test_one.py").write_text("def test_by_folder(): ...")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n shared\n browser\n promise\n unit\n")
    return tmp_path


def run_pytest(house: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    ours = ("CI", "TESTS_SHARED", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT")
    kept = {key: value for key, value in os.environ.items() if key not in ours}
    kept["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    command = [sys.executable, "-m", "pytest", "-q", "--strict-markers", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=house, env=kept | environment, capture_output=True, text=True, check=False)


@by_processes
def test_tests_run_where_the_folder_is(house: Path, processes: list[str]) -> None:
    (house / "real").mkdir()
    done = run_pytest(house, *processes, MEGAGENOME_SHARED=str(house / "real"), CI="1")
    assert done.returncode == 0, done.stdout
    assert "6 passed" in done.stdout


@by_processes
def test_absent_folder_leaves_tests_out_with_one_line(house: Path, processes: list[str]) -> None:
    done = run_pytest(house, *processes, MEGAGENOME_SHARED=str(house / "nowhere"))
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout
    assert sum("left out 2 tests marked 'shared'" in line for line in done.stdout.splitlines()) == 1


@by_processes
def test_absent_folder_fails_ci(house: Path, processes: list[str]) -> None:
    done = run_pytest(house, *processes, MEGAGENOME_SHARED=str(house / "nowhere"), CI="true")
    assert done.returncode != 0
    assert "2 tests marked 'shared' need the shared folder" in done.stdout + done.stderr
    assert "passed" not in done.stdout


def test_each_test_is_run_once_by_the_makefile(house: Path) -> None:
    (house / "real").mkdir()
    parts = {
        "unit": {"test_free", "test_free_too"},
        "not unit and not promise": {"test_by_folder", "test_by_marker", "test_by_fixture"},
        "promise": {"test_in_time"},
    }
    makefile = Path(__file__).parents[1].joinpath("Makefile").read_text()
    commands = [line for line in makefile.splitlines() if "/pytest -m" in line]
    assert re.findall(r"-m (?:'([^']+)'|(\w+))", "\n".join(commands)) == [
        ("", "unit"),
        ("not unit and not promise", ""),
        ("", "promise"),
    ]
    assert ["numprocesses" in line for line in commands] == [True, True, False]
    for part, tests in parts.items():
        done = run_pytest(house, "-vv", "-m", part, MEGAGENOME_SHARED=str(house / "real"))
        found = {line.split("::")[1].split()[0] for line in done.stdout.splitlines() if "::" in line}
        assert (done.returncode, found) == (0, tests), done.stdout


def test_no_promised_time_is_asserted_beside_other_tests(house: Path) -> None:
    done = run_pytest(house, "-p", "xdist", "-n", "2", MEGAGENOME_SHARED=str(house))
    assert done.returncode != 0
    assert "1 tests assert a promised time and run beside nothing: -m 'not promise'" in done.stdout
    assert "passed" not in done.stdout
