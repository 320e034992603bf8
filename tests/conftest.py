# SPDX-License-Identifier: Apache-2.0
"""New here? `tests/x/test_y.py` tests `src/megagenome/x/y.py`; run `make test`, or `.venv/bin/pytest tests/x`.

Four folders test more than one module: `oracles/` (slow, plain answers computed another way), `journeys/` (stories of
whole networks, most over HTTP), `faults/` (kill -9, disk full, a node that lies), `conformance/` (the standards' own
schemas).
The suite has two parts, of which pytest runs what `-m unit` or `-m "not unit"` says: `make unit` runs the unit tests,
and `make stories` the rest, which needs whole networks, servers, a browser or real genomes. Both run on two cores at
once; but what asserts a time that was promised to people (marker `promise`, never a unit test) runs beside nothing
else, at the end.
A few tests need a real component and carry its marker: `shared` (real genomes beside the checkout), `bcftools`,
`plink2`, `browser`, `native` (our loops in C), `oidc_provider`, `postgres`. Where the component is absent they are left
out with one line, except in CI, where absence fails the run.
Every number is compared with an independent oracle, and no time is asserted except promises to people.
"""

import gc
import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from megagenome.kernel.native import library

TESTS = Path(__file__).parent

# Taken out of the environment because it is no setting of Megagenome, and an unknown setting stops a server's start;
# the other name is for the processes that the tests are shared out to.
SHARED = Path(os.environ.pop("MEGAGENOME_SHARED", "") or os.environ.get("TESTS_SHARED", TESTS.parents[1] / "shared"))
SHARED = SHARED.absolute()
os.environ["TESTS_SHARED"] = str(SHARED)

OIDC_PROVIDER = TESTS / "identity/oidc_provider"


def _has_postgres() -> bool:
    """Debian has it on nobody's PATH."""
    return shutil.which("initdb") is not None or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


COMPONENTS = {
    "shared": (SHARED.is_dir(), f"the shared folder of real data, at {SHARED} or where MEGAGENOME_SHARED says"),
    "bcftools": (shutil.which("bcftools") is not None, "bcftools on the PATH: sudo apt-get install bcftools"),
    "plink2": (shutil.which("plink2") is not None, "plink2 on the PATH: sudo apt-get install plink2"),
    "native": (library() is not None, "the loops in C, which `pip install --editable .` builds"),
    "postgres": (_has_postgres(), "PostgreSQL's server: sudo apt-get install postgresql"),
    "browser": (Path("/usr/bin/chromium").exists(), "/usr/bin/chromium: sudo apt-get install chromium"),
    "oidc_provider": (
        shutil.which("node") is not None and (OIDC_PROVIDER / "node_modules/oidc-provider").is_dir(),
        f"node, and npm's oidc-provider: cd {OIDC_PROVIDER.relative_to(TESTS.parent)} && npm ci",
    ),
}
"""Marker: whether its component is here, and what it is and how to get it."""

STORIES = {
    *("benchmarks", "conformance", "faults", "journeys"),
    # servers and other processes that are started and ended, and waited for
    *("app/test_server.py", "app/demo/test_servers.py", "network/test_exchange.py"),
    *("catalogue/harvest/test_harvester.py", "reception/test_held_indexes.py", "reception/test_sandbox.py"),
    *("reception/test_send_command.py", "reception/test_validate.py"),
}
"""Folders and files of which no test is a unit test."""

NEVER_UNIT = (*sorted(COMPONENTS.keys() - {"native"}), "promise", "s3")
"""Markers of tests that are no unit tests wherever they stand: what needs a real component takes its time."""

ABSENT = pytest.StashKey[list[str]]()
REFUSED = pytest.StashKey[bool]()

# A loaded machine is no fault of the code under test.
settings.register_profile("house", deadline=None, max_examples=100, print_blob=True)
settings.load_profile("house")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data that the tests, never the package, read."""
    return SHARED


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    """The address of an object store in a process of its own, with one bucket."""
    from tests.kernel.object_store import serving_objects

    with serving_objects() as address:
        yield address


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL server in a process of its own."""
    from tests.kernel.postgres import serving_records

    with serving_records() as server:
        yield server


@pytest.fixture
def postgres(postgres_server: Any) -> Any:
    """The URL of an empty database."""
    from tests.kernel.postgres import new_database

    return new_database(postgres_server)


@pytest.fixture(params=["SQLite", pytest.param("PostgreSQL", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where `tests.kernel.records` are kept: a test that uses this fixture runs on both."""
    if request.param == "SQLite":
        yield
        return
    from tests.kernel.records import kept_on

    with kept_on(request.getfixturevalue("postgres_server")):
        yield


@cache
def _is_story(path: Path) -> bool:
    return any(path.is_relative_to(TESTS / each) for each in STORIES)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a unit test."""
    if not _is_story(item.path) and not any(_needs(item, marker) for marker in NEVER_UNIT):
        item.add_marker("unit")


@pytest.hookimpl(trylast=True)  # of the tests that `-m` and `-k` chose
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests whose component is absent; in CI refuse to run without it. A promised time is never asserted
    beside other tests."""
    promises = [item for item in items if _needs(item, "promise")]
    if promises and int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) > 1:
        _refuse(config, items, f"{len(promises)} tests assert a promised time and run beside nothing: -m 'not promise'")
        return
    for marker, (present, what) in COMPONENTS.items():
        needing = [item for item in items if _needs(item, marker)]
        if present or not needing:
            continue
        if os.environ.get("CI"):
            _refuse(config, items, f"{len(needing)} tests marked {marker!r} need {what}")
            return
        items[:] = [item for item in items if not _needs(item, marker)]
        config.hook.pytest_deselected(items=needing)
        config.stash.setdefault(ABSENT, []).append(f"left out {len(needing)} tests marked {marker!r}: they need {what}")


def pytest_collection_finish() -> None:
    """The collected tests stay to the end, and what they make mostly goes by itself: looking for cycles in all of it,
    again and again, took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)


def _needs(item: pytest.Item, marker: str) -> bool:
    by_fixture = marker == "shared" and "shared" in getattr(item, "fixturenames", ())
    return by_fixture or item.get_closest_marker(marker) is not None


def _refuse(config: pytest.Config, items: list[pytest.Item], refusal: str) -> None:
    """Run nothing, and fail. An error in one of several processes would be shown as a fault of pytest's."""
    if not hasattr(config, "workerinput"):
        raise pytest.UsageError(refusal)
    items.clear()
    config.stash[ABSENT], config.stash[REFUSED] = [refusal], True


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Of several processes each leaves the same out; the one that writes the summary collects nothing itself."""
    if hasattr(session.config, "workeroutput"):
        told = {"absent": session.config.stash.get(ABSENT, []), "refused": session.config.stash.get(REFUSED, False)}
        session.config.workeroutput.update(told)
    elif session.config.stash.get(REFUSED, False):
        session.exitstatus = pytest.ExitCode.USAGE_ERROR


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over from a process that ended what it left out, and whether it refused to run."""
    told = getattr(node, "workeroutput", {})
    node.config.stash[ABSENT] = told.get("absent", [])
    node.config.stash[REFUSED] = node.config.stash.get(REFUSED, False) or told.get("refused", False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out, also under `-q`."""
    for line in config.stash.get(ABSENT, []):
        terminalreporter.write_line(line, yellow=True)
