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


def open_ontologies(folder: str) -> OntologyFor | None:
    """The ontologies of a node, in memory: after this no file is opened. None where there are none."""
    if not folder:
        return None
    ontology_for = reference.open(Path(folder)).ontology_for
    try:
        if (ontology := ontology_for(_ROOT)) is not None:
            ontology.canonical(_ROOT)
    except (MegagenomeError, NotFound):
        return None
    return ontology_for


def inspect_people(task: Task, file: BinaryIO, format: str, ontology_for: OntologyFor | None) -> Inspection:  # noqa: A002 - the field's word
    """What is found of a file of people. Without ontologies its terms are taken as they are, which is said."""
    found = Found(task, format)
    met = set[str]()

    def unknown(term: str) -> None:
        met.add(term)

    try:
        people, kind, names_samples = read_people_file(file, task.name, ontology_for or unknown)
    except MegagenomeError as error:
        found.refuse(error)
        return Inspection(found.report())
    found.format = kind
    if met:
        terms = "1 term was" if len(met) == 1 else f"{len(met):,} terms were"
        found.note(f"{terms} not looked up: `megagenome node validate --folder DIR` does so in a node's ontologies")
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
