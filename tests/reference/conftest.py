# SPDX-License-Identifier: Apache-2.0
import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data that the tests, never the package, read."""
    return Path(os.environ.get("MEGAGENOME_SHARED", Path(__file__).parents[3] / "shared"))
