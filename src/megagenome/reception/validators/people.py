# SPDX-License-Identifier: Apache-2.0
"""People tables, Beacon individuals and Phenopackets: read as a load reads them."""

from pathlib import Path
from typing import BinaryIO

from megagenome import reference
from megagenome.collection.read_people import read_people_file
from megagenome.kernel.errors import MegagenomeError, NotFound
from megagenome.kernel.ids import Curie
from megagenome.reception.model import Inspection, PersonRow, Task
from megagenome.reception.validators.found import Found
from megagenome.reference.ontology import OntologyFor

_ROOT = Curie("HP:0000118")


def open_ontologies(folder: str) -> OntologyFor:
    """The ontologies of a node, in memory: after this no file is opened. None are known without a folder."""
    if not folder:
        return lambda _term: None
    ontology_for = reference.open(Path(folder)).ontology_for
    try:
        if (ontology := ontology_for(_ROOT)) is not None:
            ontology.canonical(_ROOT)
    except (MegagenomeError, NotFound):
        return lambda _term: None
    return ontology_for


def inspect_people(task: Task, file: BinaryIO, format: str, ontology_for: OntologyFor) -> Inspection:  # noqa: A002 - the field's word
    """What is found of a file of people."""
    found = Found(task, format)
    try:
        people, kind, names_samples = read_people_file(file, task.name, ontology_for)
    except MegagenomeError as error:
        found.refuse(error)
        return Inspection(found.report())
    found.format = kind
    for part, times in sorted(people.left_out.items()):
        found.note(f"{part}: not read, in {times:,} records")
    if len(people.persons) > task.most_people:
        found.error(
            f"has {len(people.persons):,} people, {len(people.persons) - task.most_people:,} more than one submission "
            "may have with all its tables: send them as several submissions"
        )
        return Inspection(found.report(records=len(people.persons)))
    rows = tuple(
        PersonRow(person.individual_id, person.sample_id or "", str(person.sex.value)) for person in people.persons
    )
    if not rows:
        found.error("names nobody")
    samples = tuple(row.sample for row in rows if row.sample)
    return Inspection(found.report(samples, None, len(rows)), people=rows, names_samples=names_samples)
