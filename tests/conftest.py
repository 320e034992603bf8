# SPDX-License-Identifier: Apache-2.0
"""New here? `tests/x/test_y.py` tests `src/megagenome/x/y.py`; run `make test`, or `.venv/bin/pytest tests/x`.

Four folders test more than one module: `oracles/` (slow, plain answers computed another way), `journeys/` (stories over
HTTP on real nodes), `faults/` (kill -9, disk full, a node that lies) and `conformance/` (the standards' own schemas).
A few tests need a real component and carry its marker: `shared` (real genomes beside the checkout), `bcftools`,
`plink2`, `browser`, `native` (our loops in C), `oidc_provider`. Where the component is absent they are left out with
one line, except in CI, where absence fails the run.
Every number is compared with an independent oracle, and no time is asserted except promises to people.
"""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from megagenome.kernel.native import library

# Taken out of the environment because it is no setting of Megagenome, and an unknown setting stops a server's start.
SHARED = Path(os.environ.pop("MEGAGENOME_SHARED", "") or Path(__file__).parents[2] / "shared").absolute()

OIDC_PROVIDER = Path(__file__).parent / "identity/oidc_provider"

COMPONENTS = {
    "shared": (SHARED.is_dir(), f"the shared folder of real data, at {SHARED} or where MEGAGENOME_SHARED says"),
    "bcftools": (shutil.which("bcftools") is not None, "bcftools on the PATH: sudo apt-get install bcftools"),
    "plink2": (shutil.which("plink2") is not None, "plink2 on the PATH: sudo apt-get install plink2"),
    "native": (library() is not None, "the loops in C, which `pip install --editable .` builds"),
    "browser": (Path("/usr/bin/chromium").exists(), "/usr/bin/chromium: sudo apt-get install chromium"),
    "oidc_provider": (
        shutil.which("node") is not None and (OIDC_PROVIDER / "node_modules/oidc-provider").is_dir(),
        f"node, and npm's oidc-provider: cd {OIDC_PROVIDER.relative_to(Path(__file__).parents[1])} && npm ci",
    ),
}
"""Marker: whether its component is here, and what it is and how to get it."""

ABSENT = pytest.StashKey[list[str]]()

# A loaded machine is no fault of the code under test.
settings.register_profile("house", deadline=None, max_examples=100, print_blob=True)
settings.load_profile("house")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data that the tests, never the package, read."""
    return SHARED


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests whose component is absent; in CI refuse to run without it."""
    for marker, (present, what) in COMPONENTS.items():
        needing = [item for item in items if _needs(item, marker)]
        if present or not needing:
            continue
        if os.environ.get("CI"):
            raise pytest.UsageError(f"{len(needing)} tests marked {marker!r} need {what}")
        items[:] = [item for item in items if not _needs(item, marker)]
        config.hook.pytest_deselected(items=needing)
        config.stash.setdefault(ABSENT, []).append(f"left out {len(needing)} tests marked {marker!r}: they need {what}")


def _needs(item: pytest.Item, marker: str) -> bool:
    return item.get_closest_marker(marker) is not None or marker in getattr(item, "fixturenames", ())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out, also under `-q`."""
    for line in config.stash.get(ABSENT, []):
        terminalreporter.write_line(line, yellow=True)
