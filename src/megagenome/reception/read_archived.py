# SPDX-License-Identifier: Apache-2.0
"""Archived files of a submission as a load reads them: through memory, never as plain bytes on a disk."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from megagenome.collection.people import People
from megagenome.collection.read_people import read_people_files
from megagenome.collection.read_vcf import GenotypeFile
from megagenome.kernel.sealed_files import FileId
from megagenome.reception import rows
from megagenome.reception.contents import as_file, asked
from megagenome.reception.parts import Parts
from megagenome.standards.genotypes import GenotypeSource
from megagenome.standards.submission import GENOTYPE_FORMATS, PEOPLE_FORMATS


class Archived(NamedTuple):
    """A file of a submission: what its provider calls it, its format, its id."""

    path: str
    format: str
    file: FileId


def archived_files(parts: Parts, row: rows.Row) -> list[Archived]:
    """All of a submission's, in the manifest's order."""
    with parts.engine.connect() as connection:
        ids = rows.archive_ids(connection, row.id)
    return [Archived(stated.path, stated.format, file) for stated, file in zip(row.manifest.files, ids, strict=True)]


def read_archived_people(parts: Parts, files: Sequence[Archived], purpose: str) -> People:
    """The people of all tables together; nobody where there is none."""
    tables = [each for each in files if each.format in PEOPLE_FORMATS]
    if not tables:
        return People([], {}, {})
    opened = ((each.path, as_file(parts.archive.open_inside(each.file, purpose).read())) for each in tables)
    return read_people_files(opened, parts.collection.ontology_for)


def archived_sources(parts: Parts, files: Sequence[Archived], require: Callable[[], None]) -> list[GenotypeSource]:
    """The genotypes; each file is read once, as the load goes on. `require` is asked before each piece."""
    sources = []
    for each in files:
        if each.format in GENOTYPE_FORMATS:
            pieces = parts.archive.open_inside(each.file, "load").read()
            sources.append(GenotypeFile(as_file(asked(pieces, require)), each.path).source())
    return sources
