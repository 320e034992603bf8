# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

import pytest

CODE = """
import resource
from megagenome.kernel.memory import keep_buffers
if {kept}:
    keep_buffers()
    keep_buffers()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(200):
    pair = [bytes(range(256)) * 4096 for _ in range(4)]
    del pair
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*, kept: bool) -> int:
    """How often the system had to give a page while 800 MiB went through 1 MiB buffers."""
    code = CODE.format(kept=kept)
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
def test_buffers_are_used_again() -> None:
    assert faults(kept=True) < 5_000 < 50_000 < faults(kept=False)
