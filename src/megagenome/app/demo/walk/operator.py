# SPDX-License-Identifier: Apache-2.0
"""What a node's operator or contact point does on the way: by command, in a process of its own."""

import subprocess
import sys
from pathlib import Path

from megagenome.kernel.errors import Unavailable

_LONGEST_S = 120


def run(*arguments: str | Path) -> str:
    """What `megagenome ARGUMENTS` prints. Raises `Unavailable` with its last words where it fails."""
    command = [sys.executable, "-m", "megagenome", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LONGEST_S)
    if done.returncode != 0:
        raise Unavailable(f"megagenome {' '.join(map(str, arguments[:2]))}: {done.stderr.strip()[-300:]}")
    return done.stdout
