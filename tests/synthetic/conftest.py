# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from megagenome.synthetic.europe import Europe, simulate
from megagenome.synthetic.recount import count_truth
from megagenome.synthetic.truth import Truth
from megagenome.synthetic.write import GenotypeFormat, write_europe

COUNTRIES = ("FI", "EE", "IT")


@pytest.fixture(scope="session")
def europe() -> Europe:
    """Few people of three countries, of which two have two populations."""
    return simulate(360, COUNTRIES, seed=3, megabases=0.15)


@pytest.fixture(scope="session")
def truth(europe: Europe) -> Truth:
    return count_truth(europe)


@pytest.fixture(scope="session")
def written(europe: Europe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as files, genotypes as VCF."""
    out = tmp_path_factory.mktemp("europe") / "out"
    write_europe(europe, out, GenotypeFormat.VCF)
    return out
