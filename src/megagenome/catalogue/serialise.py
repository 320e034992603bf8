# SPDX-License-Identifier: Apache-2.0
"""Statements to bytes, in each form that is served. rdflib is loaded by the first answer that needs it."""

from collections.abc import Iterable
from enum import Enum
from typing import TYPE_CHECKING

from megagenome.catalogue.rdf import IRI, NAMESPACES, Literal, Triple

if TYPE_CHECKING:
    import rdflib


_XML = "http://www.w3.org/XML/1998/namespace"
"""For the language of texts in RDF/XML."""


class Form(Enum):
    """How a description is written: media type, suffix of its address, and rdflib's name."""

    TURTLE = ("text/turtle", ".ttl", "turtle")
    JSON_LD = ("application/ld+json", ".jsonld", "json-ld")
    RDF_XML = ("application/rdf+xml", ".rdf", "pretty-xml")
    N_TRIPLES = ("application/n-triples", ".nt", "nt11")
    HTML = ("text/html", ".html", "")

    @property
    def media_type(self) -> str:
        """Its media type."""
        return self.value[0]

    @property
    def suffix(self) -> str:
        """What an address ends in that asks for it."""
        return self.value[1]

    @property
    def label(self) -> str:
        """What people call it."""
        return {"TURTLE": "Turtle", "JSON_LD": "JSON-LD", "RDF_XML": "RDF/XML", "N_TRIPLES": "N-Triples"}.get(
            self.name, self.name
        )


def as_graph(triples: Iterable[Triple]) -> "rdflib.Graph":
    """The same statements for rdflib."""
    import rdflib

    graph = rdflib.Graph(bind_namespaces="none")
    for prefix, namespace in {**NAMESPACES, "xml": _XML}.items():
        graph.bind(prefix, namespace)
    for subject, property_, object_ in triples:
        if isinstance(object_, IRI):
            node: rdflib.term.Node = rdflib.URIRef(object_)
        else:
            node = _literal(object_)
        graph.add((rdflib.URIRef(subject), rdflib.URIRef(property_), node))
    return graph


def serialise(triples: Iterable[Triple], form: Form) -> bytes:
    """The statements in a form of RDF; the same statements are the same bytes, but in RDF/XML, whose order rdflib
    leaves to chance."""
    graph = as_graph(sorted(triples, key=repr))  # lists in JSON-LD are in the order of making
    if form is Form.N_TRIPLES:
        return b"".join(sorted(graph.serialize(format="nt11", encoding="utf-8").splitlines(keepends=True)))
    if form is Form.JSON_LD:
        context = {prefix: namespace for prefix, namespace in NAMESPACES.items() if prefix != "rdf"}
        return graph.serialize(format="json-ld", context=context, sort_keys=True, indent=1).encode()
    return graph.serialize(format=form.value[2], encoding="utf-8")


def _literal(literal: Literal) -> "rdflib.Literal":
    import rdflib

    if literal.language:
        return rdflib.Literal(literal.text, lang=literal.language)
    if literal.datatype:
        return rdflib.Literal(literal.text, datatype=rdflib.URIRef(literal.datatype), normalize=False)
    return rdflib.Literal(literal.text)
