# SPDX-License-Identifier: Apache-2.0
"""A test that needs a real component is never skipped silently, and in CI never at all."""

import os
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
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small house of its own under `tmp_path`, with this conftest and three tests."""
    (tmp_path / "tests").mkdir()
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path / "tests")
    (tmp_path / "tests" / "test_three.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n shared\n browser\n bcftools\n")
    return tmp_path


def run_pytest(house: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if key != "CI"} | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "--strict-markers", "-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=house, env=kept | environment, capture_output=True, text=True, check=False)


def test_tests_run_where_the_folder_is(house: Path) -> None:
    (house / "real").mkdir()
    done = run_pytest(house, MEGAGENOME_SHARED=str(house / "real"), CI="1")
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


def test_absent_folder_leaves_tests_out_with_one_line(house: Path) -> None:
    done = run_pytest(house, MEGAGENOME_SHARED=str(house / "nowhere"))
    assert done.returncode == 0, done.stdout
    assert "1 passed, 2 deselected" in done.stdout
    assert sum("left out 2 tests marked 'shared'" in line for line in done.stdout.splitlines()) == 1


def test_absent_folder_fails_ci(house: Path) -> None:
    done = run_pytest(house, MEGAGENOME_SHARED=str(house / "nowhere"), CI="true")
    assert done.returncode != 0
    assert "2 tests marked 'shared' need the shared folder" in done.stderr
    assert "passed" not in done.stdout
