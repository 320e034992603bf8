# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

from megagenome import reference

HEAVY = {"numpy", "pyhpo", "bioutils", "requests", "attr", "pandas", "sqlalchemy", "importlib.metadata"}


def modules_after(script: str) -> set[str]:
    script = f"{script}; import sys; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    return set(run.stdout.split())


def test_importing_and_asking_loads_nothing_heavy() -> None:
    loaded = modules_after(
        "from megagenome import reference;"
        "reference.resolve('BRCA2', 'GRCh38'); reference.resolve('NC_000022.10:g.16050075A>G')"
    )
    assert "megagenome.reference.genes" in loaded
    assert not loaded & HEAVY


def test_there_are_at_most_eight_public_names() -> None:
    assert len(reference.__all__) <= 8
    assert all(hasattr(reference, name) for name in reference.__all__)
