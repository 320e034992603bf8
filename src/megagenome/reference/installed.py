# SPDX-License-Identifier: Apache-2.0
"""Files that other installed packages carry, found without importing those packages."""

import importlib.util
from pathlib import Path

from megagenome.kernel.errors import Unavailable


def installed_file(package: str, path: str) -> Path:
    """Where the file `path` of the installed `package` is; `Unavailable` when there is no such package or file."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (found := Path(folder, path)).is_file():
            return found
    raise Unavailable(f"{path} of the package {package} is missing: run `pip install --force-reinstall {package}`")
