# SPDX-License-Identifier: Apache-2.0
"""Random records of datasets, whole and with gaps, and what the official shapes say of descriptions."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import rdflib
from hypothesis import strategies as st

from megagenome.catalogue.rdf import Triple
from megagenome.catalogue.serialise import as_graph
from megagenome.standards.dataset_fields import FIELDS, HEALTH_CATEGORIES, KINDS, LEGAL_BASES
from megagenome.standards.dataset_record import (
    Approval,
    DatasetRecord,
    DataUse,
    Governance,
    Party,
    SignOff,
    value_at,
    with_value,
)
from megagenome.standards.duo import TERMS, Needs

_LETTERS = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Co", "Cn"))
lines = st.text(_LETTERS, min_size=1, max_size=40).filter(str.strip) | st.sampled_from(["<b>&\"'", "a\\b", "ÄÖ 日本"])
texts = st.lists(lines, min_size=1, max_size=3).map("\n".join)
_WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12).filter(lambda t: t.strip("-") == t)
emails = st.builds("{}@{}.example.org".format, _WORD, _WORD)
urls = st.builds("{}://{}.example.org/{}".format, st.sampled_from(["http", "https"]), _WORD, _WORD)
days = st.dates().map(lambda day: day.isoformat())
parties = st.builds(Party, name=lines, email=emails, url=urls)
approvals = st.builds(Approval, by=lines, reference=lines, on=days)
_VALUES = {
    Needs.NOTHING: st.just(()),
    Needs.DISEASES: st.lists(
        st.from_regex(r"MONDO:[0-9]{7}( [a-z]{3,9})?", fullmatch=True), min_size=1, max_size=3
    ).map(tuple),
    Needs.DATE: st.tuples(days),
    Needs.MONTHS: st.tuples(st.integers(1, 99).map(str)),
    Needs.COUNTRIES: st.lists(st.sampled_from(["FI", "EE"]), min_size=1).map(tuple),
    Needs.NAMES: st.tuples(lines),
}
uses = st.sampled_from(sorted(TERMS)).flatmap(
    lambda term: st.builds(DataUse, term=st.just(term), values=_VALUES[TERMS[term].needs])
)
governance = st.builds(
    Governance,
    controller=parties,
    legal_basis=st.sampled_from(sorted(LEGAL_BASES)),
    law=texts,
    ethics=approvals,
    dpia=approvals,
    sign_off=st.builds(SignOff, name=lines, role=lines, on=days),
)
whole_records = st.builds(
    DatasetRecord,
    title=lines,
    description=texts,
    identifier=st.from_regex(r"(GOE|GDI)-[A-Z]{2}-[A-Z]{1,8}-[0-9]{1,6}", fullmatch=True),
    access_rights=st.sampled_from(["RESTRICTED", "NON_PUBLIC"]),
    themes=st.sampled_from([("HEAL",), ("HEAL", "TECH")]),
    health_categories=st.lists(st.sampled_from(sorted(HEALTH_CATEGORIES)), min_size=1, unique=True).map(tuple),
    keywords=st.lists(lines, min_size=1, max_size=3).map(tuple),
    provenance=texts,
    population=st.just("") | texts,
    conforms_to=st.sampled_from(sorted(KINDS)),
    synthetic=st.booleans(),
    language=st.sampled_from(["en", "et", "de", "xx"]),
    references=st.lists(urls, max_size=2).map(tuple),
    creator=st.just(Party()) | parties,
    publisher=parties,
    contact=parties,
    hdab=parties,
    uses=st.lists(uses, min_size=1, max_size=3).map(tuple),
    governance=governance,
)
"""All that a dataset which is not declared open needs, with anything that a holder may write."""

_PATHS = st.lists(st.sampled_from([field.path for field in FIELDS]), max_size=4, unique=True)


@st.composite
def records_with_gaps(draw: st.DrawFn) -> DatasetRecord:
    """The same with some fields empty."""
    record: DatasetRecord = draw(whole_records)
    for path in draw(_PATHS):
        record = without(record, path)
    return record


def without(record: DatasetRecord, path: str) -> DatasetRecord:
    """A record with one field empty."""
    value: Any = value_at(record, path)
    return with_value(record, path, type(value)())


_SH = rdflib.Namespace("http://www.w3.org/ns/shacl#")
_PREFIX = "@prefix foaf: <http://xmlns.com/foaf/0.1/> .\n"
"""That GDI's Identifier.ttl uses and does not bind."""

OFFICIAL = {
    "gdi": ("gdi-metadata-shacl/*.ttl",),
    "fdp": ("fdp-1.2-shapes/0016*.ttl", "fdp-1.2-shapes/0017*.ttl"),
    "dcat-ap": ("dcat-ap-3.0.1/dcat-ap-SHACL.ttl", "dcat-ap-3.0.1/html-shacl/shapes.ttl"),
    "dcat-ap-ranges": ("dcat-ap-3.0.1/html-shacl/range.ttl",),
    "health-ri": ("health-ri-shacl/[AKI]*.ttl", "health-ri-shacl/Dataset.ttl", "health-ri-shacl/Resource.ttl"),
}
"""The shapes of each specification, as their authors publish them."""


@cache
def official(specs: Path, name: str) -> rdflib.Graph:
    """The shapes of one; without the two of DCAT-AP that have no path, which pySHACL refuses as not well formed."""
    shapes = rdflib.Graph()
    for pattern in OFFICIAL[name]:
        for path in sorted(specs.glob(pattern)):
            shapes.parse(data=_PREFIX + path.read_text("utf-8"), format="turtle")
    assert len(shapes) > 50
    for shape, constraint in list(shapes.subject_objects(_SH.property)):
        if (constraint, _SH.path, None) not in shapes:
            shapes.remove((shape, _SH.property, constraint))
    return shapes


def violations(triples: Iterable[Triple], shapes: rdflib.Graph) -> list[str]:
    """The paths of what the shapes refuse."""
    import pyshacl

    _, report, text = pyshacl.validate(as_graph(triples), shacl_graph=shapes, advanced=True)
    assert isinstance(report, rdflib.Graph), text
    found = []
    for result in report.subjects(rdflib.RDF.type, _SH.ValidationResult):
        if report.value(result, _SH.resultSeverity) == _SH.Violation:
            focus = str(report.value(result, _SH.focusNode)).rpartition("/")[2]
            found.append(f"{focus} {report.value(result, _SH.resultPath)}")
    return sorted(found)
