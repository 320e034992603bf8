# SPDX-License-Identifier: Apache-2.0
"""Holding a record to the profiles before it is written: by our own shapes (SHACL), with messages at the field.

Whatever these shapes accept, the official ones of both profiles accept; tests hold that against them. rdflib and
pyshacl take half a second to import and are loaded by the first record that is written; nothing that reads needs them.
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import sqlalchemy as sa

from megagenome.catalogue.describe import describe_dataset
from megagenome.catalogue.model import Listed, Place, Profile
from megagenome.catalogue.serialise import as_graph
from megagenome.collection.publication import check_record
from megagenome.kernel import clock
from megagenome.kernel.ids import DatasetId
from megagenome.standards.dataset_fields import FIELDS, Kind, in_form_order
from megagenome.standards.dataset_record import DatasetRecord, Problem, value_at

if TYPE_CHECKING:
    import rdflib

_FARTHEST_EAST = timedelta(hours=14)
_FIELD = "urn:megagenome:record:field"
_SH = "http://www.w3.org/ns/shacl#"
_SHAPES = {
    (Profile.GDI, True): ("gdi",),
    (Profile.GDI, False): ("gdi",),
    (Profile.HEALTHDCAT_AP, True): ("healthdcat-ap",),
    (Profile.HEALTHDCAT_AP, False): ("healthdcat-ap", "controlled"),
}
"""By profile, and whether the data are declared open: the files that hold."""


def check(
    connection: sa.Connection, dataset: DatasetId, record: DatasetRecord, listed: Listed, place: Place
) -> tuple[Problem, ...]:
    """All that stands against this record of a dataset, by field: what publication asks for, then what the profiles do.
    `listed` is the dataset as the catalogue would tell of it with this record."""
    found = check_record(connection, dataset, record, is_open=listed.dataset.open)
    wrong = {each.field for each in found}
    found += tuple(each for each in _not_yet(record) if each.field not in wrong)
    return found or check_shapes(listed, place)


def _not_yet(record: DatasetRecord) -> Iterator[Problem]:
    """The days of a record that have not begun anywhere on earth: nobody signed or approved on them."""
    latest = (clock.now() + _FARTHEST_EAST).date().isoformat()
    for field in FIELDS:
        if field.kind is Kind.DAY and value_at(record, field.path) > latest:
            yield Problem(field.path, "This day is still to come")


def check_shapes(listed: Listed, place: Place) -> tuple[Problem, ...]:
    """What our shapes find in the two views of a dataset, each field once. Its texts must be free of faults
    (`standards.dataset_fields.faults`), or there would be no views to look at. Some 30 ms."""
    found: list[Problem] = []
    for profile in Profile:
        described = describe_dataset(listed, place, profile)
        found += hold_to(as_graph(described.triples), profile, is_open=listed.dataset.open)
    return in_form_order(found)


def hold_to(graph: "rdflib.Graph", profile: Profile, *, is_open: bool) -> tuple[Problem, ...]:
    """What our shapes of a profile find in a description. A problem of what no field is about has an empty field."""
    import pyshacl
    import rdflib

    shapes = shapes_of(profile, is_open=is_open)
    conforms, report, _ = pyshacl.validate(graph, shacl_graph=shapes, inplace=True)
    if conforms or not isinstance(report, rdflib.Graph):
        return ()
    found = []
    for result in report.subjects(rdflib.RDF.type, rdflib.URIRef(_SH + "ValidationResult")):
        shape = report.value(result, rdflib.URIRef(_SH + "sourceShape"))
        field = shapes.value(shape, rdflib.URIRef(_FIELD))
        found.append(Problem(str(field or ""), str(shapes.value(shape, rdflib.URIRef(_SH + "message")))))
    return tuple(sorted(found, key=lambda problem: (problem.field, problem.says)))


@cache
def shapes_of(profile: Profile, *, is_open: bool) -> "rdflib.Graph":
    """Our shapes that hold for a dataset in a profile."""
    import rdflib

    shapes = rdflib.Graph()
    for name in _SHAPES[profile, is_open]:
        shapes.parse(data=shapes_text(name), format="turtle")
    return shapes


def shapes_text(name: str) -> str:
    """A file of shapes as it is in the package."""
    return files("megagenome.catalogue").joinpath(f"shapes/{name}.ttl").read_text("utf-8")
