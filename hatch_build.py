# SPDX-License-Identifier: Apache-2.0
"""The package's build: compiles `megagenome/kernel/native/*.c` by the machine's C compiler, or by that of the `ziglang`
wheel. Without either the package is built all the same; NumPy then does what C does, several times slower."""

import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NATIVE = Path("src/megagenome/kernel/native")
COMPILERS = (["cc"], [sys.executable, "-m", "ziglang", "cc"])
FLAGS = ["-std=c11", "-O3", "-fPIC", "-shared", "-s"]


class NativeBuild(BuildHookInterface[Any]):
    """Called by hatchling before it makes a wheel or an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and say that the wheel fits this platform and every Python."""
        del version
        folder = Path(self.root) / NATIVE
        library, fresh = folder / "libmegagenome.so", folder / "libmegagenome.so.new"
        sources = sorted(map(str, folder.glob("*.c")))
        if not any(_compiles([*compiler, *FLAGS, "-o", str(fresh), *sources]) for compiler in COMPILERS):
            self.app.display_warning("no C compiler works here: loading genomes will be several times slower")
            library.unlink(missing_ok=True)  # it may be of older sources
            return
        fresh.replace(library)  # never changed under a process that uses it
        build_data["artifacts"].append(f"/{NATIVE / library.name}")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def _compiles(command: list[str]) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False
