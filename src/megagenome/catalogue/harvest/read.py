# SPDX-License-Identifier: Apache-2.0
"""One description in Turtle, of anybody, to what it says: kind, children, plain values, and clean statements.

Lenient in what it accepts: any profile of DCAT, missing fields, blank nodes, an address with or without the slash at
its end. Nothing is fetched: Turtle has no includes. rdflib is imported here, so this module is loaded by the reading
process only (`reading_process.py`).
"""

import re
from collections.abc import Iterator
from urllib.parse import urldefrag, urlsplit

import rdflib
from rdflib.plugins.parsers.notation3 import BadSyntax, RDFSink, SinkParser
from rdflib.term import Node

from megagenome.catalogue.harvest.model import Kind, Read, Statement
from megagenome.catalogue.harvest.understand import DCAT, understand_dataset, understand_way
from megagenome.kernel.errors import Corrupt

_LDP = "http://www.w3.org/ns/ldp#"
_CONTAINS = rdflib.URIRef(_LDP + "contains")
_TYPE = rdflib.RDF.type
_FDP = "https://w3id.org/fdp/fdp-o#"
_LEADING = {DCAT + "Catalog", _FDP + "FAIRDataPoint", _FDP + "MetadataService"}
_WAYS = {DCAT + "Distribution", DCAT + "DataService"}
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|^`\\\x7f]*")
_PROPERTY = re.compile(r".+[/#:][A-Za-z_][A-Za-z0-9_.-]*")
"""What RDF/XML can write."""
_NO_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML holds."""
_SCHEMES = {"http", "https", "mailto", "urn", "tel", "doi", "info", "ftp"}
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8}){0,4}")
_NAMING = {
    _TYPE,
    rdflib.RDFS.label,
    rdflib.SKOS.prefLabel,
    rdflib.FOAF.name,
    rdflib.URIRef("http://www.w3.org/2006/vcard/ns#fn"),
}
_MOST_STATEMENTS = 2_000
_MOST_READ = 300_000
_LONGEST_TEXT = 20_000
_LONGEST_ADDRESS = 2_000

rdflib.NORMALIZE_LITERALS = False  # what is served again is what was said


def prepare() -> None:
    """Bring into memory what rdflib otherwise imports when it first reads a kind of value."""
    of_each_kind = ", ".join(f'"<x/>"^^<{kind}>' for kind in rdflib.term.XSDToPython if kind)
    read_description("urn:x", f"<urn:x> a <{DCAT}Dataset> ; <urn:y> {of_each_kind} .".encode())


def read_description(address: str, content: bytes) -> Read:
    """What a description at `address` says. Raises `Corrupt` with the reason for what cannot be read."""
    graph = _parse(address, content)
    subject = _subject(graph, address)
    children = _children(graph, address)
    types = {str(each) for each in graph.objects(subject, _TYPE)}
    if subject is None or types & _LEADING or not types & ({DCAT + "Dataset"} | _WAYS):
        if not children and not types & _LEADING:
            raise Corrupt("it describes no catalogue, dataset or distribution at its own address")
        return Read(Kind.CONTAINER, str(subject or ""), children)
    statements = tuple(_statements(graph, subject, address))
    if DCAT + "Dataset" in types:
        return Read(Kind.DATASET, str(subject), children, understand_dataset(graph, subject), None, statements)
    return Read(Kind.DISTRIBUTION, str(subject), (), None, understand_way(graph, subject), statements)


def _parse(address: str, content: bytes) -> rdflib.Graph:
    graph = rdflib.Graph(bind_namespaces="none")
    # not by the graph's own `parse`, which asks for the working folder: this process has none
    parser = SinkParser(RDFSink(graph), baseURI=urldefrag(address)[0], turtle=True)
    try:
        parser.loadBuf(content.decode("utf-8-sig"))
    except BadSyntax as error:
        raise Corrupt(f"it is no Turtle: line {error.lines + 1}: {_one_line(error._why)}") from None  # noqa: SLF001 - nowhere else
    except UnicodeDecodeError:
        raise Corrupt("it is no Turtle: not UTF-8") from None
    except IndexError:  # where more must follow
        raise Corrupt("it is no Turtle: it ends within a statement") from None
    except (RecursionError, MemoryError):
        raise Corrupt("it is nested too deeply, or too large to be read") from None
    except Exception as error:  # noqa: BLE001 - whatever the library stumbles over is the description's fault
        raise Corrupt(f"it cannot be read: {type(error).__name__}: {_one_line(str(error))}") from None
    if not len(graph):
        raise Corrupt("it says nothing")
    if len(graph) > _MOST_READ:
        raise Corrupt(f"it has more than {_MOST_READ:,} statements")
    return graph


def _subject(graph: rdflib.Graph, address: str) -> rdflib.URIRef | None:
    """What it is about: its own address, with or without a slash, by http or https; else the one dataset in it."""
    bare = address.rstrip("/")
    other = "https" + bare[4:] if bare.startswith("http:") else "http" + bare[5:]
    for name in (address, bare, bare + "/", other, other + "/"):
        if (rdflib.URIRef(name), _TYPE, None) in graph:
            return rdflib.URIRef(name)
    datasets = set(graph.subjects(_TYPE, rdflib.URIRef(DCAT + "Dataset")))
    named = [each for each in datasets if isinstance(each, rdflib.URIRef)]
    return named[0] if len(named) == len(datasets) == 1 else None


def _children(graph: rdflib.Graph, address: str) -> tuple[str, ...]:
    """All that any container in it lists, without fragments, itself left out."""
    found = {urldefrag(str(each))[0] for each in graph.objects(None, _CONTAINS) if isinstance(each, rdflib.URIRef)}
    return tuple(sorted(each for each in found - {address} if len(each) <= _LONGEST_ADDRESS))


def _statements(graph: rdflib.Graph, at: rdflib.URIRef, address: str) -> Iterator[Statement]:
    """What can be served again of the dataset `at`: no containers, no broken addresses, blank nodes by names of their
    own. Of what is at other hosts only what it is and is called: it is not for this description to say more."""
    containers = set(graph.subjects(_CONTAINS, None)) | set(
        graph.subjects(_TYPE, rdflib.URIRef(_LDP + "DirectContainer"))
    )
    names: dict[Node, str] = {}
    own = (str(at), f"{at}#", _host(address))
    kept = 0
    for subject, property_, value in sorted(graph, key=_order):
        if subject in containers or str(property_).startswith(_LDP) or kept >= _MOST_STATEMENTS:
            continue
        if not (isinstance(subject, rdflib.BNode) or property_ in _NAMING or _is_own(str(subject), *own)):
            continue
        said = _statement(subject, property_, value, names, address)
        if said is not None:
            kept += 1
            yield said


def _is_own(subject: str, at: str, part: str, host: str) -> bool:
    return subject == at or subject.startswith(part) or _host(subject) == host


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""


def _order(triple: tuple[Node, Node, Node]) -> tuple[str, ...]:
    # labels of blank nodes are another each time, so the order among them is by what is said
    return tuple("" if isinstance(each, rdflib.BNode) else str(each) for each in triple)


def _statement(subject: Node, property_: Node, value: Node, names: dict[Node, str], address: str) -> Statement | None:
    at, says = _name(subject, names, address), _name(property_, names, address)
    if at is None or says is None or not _PROPERTY.fullmatch(says):
        return None
    if isinstance(value, rdflib.Literal):
        language, datatype = value.language or "", str(value.datatype or "")
        if not _LANGUAGE.fullmatch(language):
            language = ""
        if datatype and not _ADDRESS.fullmatch(datatype):
            datatype = ""
        return at, says, _NO_TEXT.sub(" ", str(value)[:_LONGEST_TEXT]), language, "" if language else datatype, False
    target = _name(value, names, address)
    if target is None or target.partition(":")[0].lower() not in _SCHEMES:
        return None
    return at, says, target, "", "", True


def _name(node: Node, names: dict[Node, str], address: str) -> str | None:
    if isinstance(node, rdflib.BNode):
        return names.setdefault(node, f"{address}#genid-{len(names) + 1}")
    text = str(node)
    is_fine = isinstance(node, rdflib.URIRef) and len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text)
    return text if is_fine else None


def _one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:200]
