# SPDX-License-Identifier: Apache-2.0
"""Statements about resources, as plain values: what the catalogue says is built and tested without an RDF library,
which takes 0.3 s to import and is needed to write Turtle only.

Every node has an address, none is blank: so the same description is the same bytes, but for RDF/XML, and its ETag is
made of them.
"""

from collections.abc import Iterable
from typing import NamedTuple

XSD = "http://www.w3.org/2001/XMLSchema#"


class IRI(str):
    """An address. What it is made of was checked where it was taken (`standards.dataset_fields`)."""

    __slots__ = ()


class Literal(NamedTuple):
    """A text with its language, or a value with its datatype."""

    text: str
    language: str = ""
    datatype: str = ""


Triple = tuple[IRI, IRI, IRI | Literal]

NAMESPACES = {
    "adms": "http://www.w3.org/ns/adms#",
    "csvw": "http://www.w3.org/ns/csvw#",
    "cv": "http://data.europa.eu/m8g/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "eli": "http://data.europa.eu/eli/ontology#",
    "fdp": "https://w3id.org/fdp/fdp-o#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "gdi": "http://data.gdi.eu/core/p2/",
    "geodcatap": "http://data.europa.eu/930/",
    "healthdcatap": "http://healthdataportal.eu/ns/health#",
    "ldp": "http://www.w3.org/ns/ldp#",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "owl": "http://www.w3.org/2002/07/owl#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": XSD,
}
"""Prefixes of all that is said here."""


def term(name: str) -> IRI:
    """The address of a prefixed name, such as `dct:title`."""
    prefix, _, local = name.partition(":")
    return IRI(NAMESPACES[prefix] + local)


TYPE = term("rdf:type")


class Description:
    """Statements, in the order in which they were made; each is kept once."""

    def __init__(self) -> None:
        self._said: dict[Triple, None] = {}

    @property
    def triples(self) -> tuple[Triple, ...]:
        """All of them."""
        return tuple(self._said)

    def say(self, subject: str, property_: str, *values: IRI | Literal) -> None:
        """That the subject has these values of a property, which is a prefixed name; no value says nothing."""
        for value in values:
            self._said[IRI(subject), term(property_), value] = None

    def text(self, subject: str, property_: str, *texts: str, language: str = "") -> None:
        """The same of texts; empty ones are left out."""
        self.say(subject, property_, *(Literal(text, language) for text in texts if text))

    def link(self, subject: str, property_: str, *addresses: str) -> None:
        """The same of addresses; empty ones are left out."""
        self.say(subject, property_, *(IRI(address) for address in addresses if address))

    def typed(self, subject: str, *classes: str) -> None:
        """That the subject is of these classes, which are prefixed names."""
        self.say(subject, "rdf:type", *map(term, classes))

    def add(self, triples: Iterable[Triple]) -> None:
        """Statements that were made elsewhere."""
        self._said.update(dict.fromkeys(triples))


def value(text: str | int, datatype: str) -> Literal:
    """A value of a datatype of XML Schema, such as `dateTime`."""
    return Literal(str(text), datatype=XSD + datatype)
