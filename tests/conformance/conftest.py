# SPDX-License-Identifier: Apache-2.0
"""The VCF 4.3 suite of hts-specs, unpacked."""

from pathlib import Path

import pytest

from tests.conformance.vcf_suite import unpacked


@pytest.fixture(scope="session")
def suite(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Its files by `passed` and `failed`."""
    found = unpacked(shared, tmp_path_factory.mktemp("vcf"), "vcf_4.3.tar.gz")
    kinds = {
        kind: [path for path in found if path.parent.name == kind and path.suffix == ".vcf"]
        for kind in ("passed", "failed")
    }
    assert (len(kinds["passed"]), len(kinds["failed"])) == (25, 224)
    return kinds
