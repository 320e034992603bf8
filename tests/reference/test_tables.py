# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from megagenome import reference
from megagenome.kernel.errors import NotFound


def test_build_then_open(tmp_path: Path) -> None:
    folder = tmp_path / "node" / "reference"
    reference.build(folder)
    tables = reference.open(folder)
    hpo = tables.ontology_for("HP:0001250")
    assert hpo is not None
    assert hpo.label("HP:0001250") == "Seizure"
    assert tables.ontology_for("HP:9999999") is hpo
    assert tables.ontologies == (hpo,)
    for other in ("MONDO:0005027", "hp:0001250", "HP", "", "HPX:1"):
        assert (tables.ontology_for(other) is hpo) == (other == "HP")
    before = {path: path.stat().st_ino for path in folder.iterdir()}
    reference.build(folder)
    assert {path: path.stat().st_ino for path in folder.iterdir()} == before


def test_a_folder_that_was_never_built_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no ontology pack HP\.pack"):
        reference.open(tmp_path)
    assert list(tmp_path.iterdir()) == []
