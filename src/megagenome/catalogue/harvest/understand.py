# SPDX-License-Identifier: Apache-2.0
"""From statements about a dataset to plain values that people read and search by, whatever profile they are in.

A property is looked for under the names that DCAT-AP 2 and 3, HealthDCAT-AP releases 1 to 8, the GDI profile and Dublin
Core have for it; of HealthDCAT-AP's own by its last part alone, because its namespace moved. Every text is foreign:
control characters go, lengths are bounded, and an address is kept where it is one of the web only.
"""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import rdflib
from rdflib.term import Node

from megagenome.standards import duo
from megagenome.standards.dataset_fields import HEALTH_CATEGORIES
from megagenome.standards.dataset_record import Party
from megagenome.standards.harvested import Described, Labelled, Way

DCAT = "http://www.w3.org/ns/dcat#"
_DCT = "http://purl.org/dc/terms/"
_FOAF = "http://xmlns.com/foaf/0.1/"
_VCARD = "http://www.w3.org/2006/vcard/ns#"
_CV = "http://data.europa.eu/m8g/"
_LABELS = (
    f"{_FOAF}name",
    f"{_VCARD}fn",
    "http://www.w3.org/2004/02/skos/core#prefLabel",
    "http://www.w3.org/2000/01/rdf-schema#label",
    f"{_DCT}title",
    f"{_DCT}description",
)
_MAILS = (f"{_VCARD}hasEmail", f"{_FOAF}mbox", f"{_CV}email", f"{_VCARD}email")
_PAGES = (f"{_FOAF}homepage", f"{_VCARD}hasURL", f"{_CV}contactPage", f"{_FOAF}page")
_CONTACTS = (f"{_CV}contactPoint", f"{DCAT}contactPoint")
_CATEGORIES = {
    "HealthCategoryHumanGenetic": "human-genetic",
    "HealthCategoryHumanGenomic": "human-genomic",
    "HealthCategoryHumanEpigenomic": "human-epigenomic",
}
_EHDS_CATEGORIES = {
    "EINS": "Health data from biobanks and associated databases",
    "EMRD": "Other health data from medical devices",
    "HGPD": "Human genetic, epigenomic and genomic data",
    "HPML": "Other human molecular data, such as proteomic and metabolomic data",
    "HRAD": "Healthcare-related administrative data",
    "RMMD": "Data from registries for medicinal products and medical devices",
    "RQSH": "Data from research cohorts, questionnaires and surveys related to health",
}
"""Of the EU's table healthcategories (EHDS, Art. 51), those that descriptions name without a label."""
_THEMES = {
    "AGRI": "Agriculture", "ECON": "Economy", "EDUC": "Education", "ENER": "Energy", "ENVI": "Environment",
    "GOVE": "Government", "HEAL": "Health", "INTR": "International issues", "JUST": "Justice", "REGI": "Regions",
    "SOCI": "Society", "TECH": "Science and technology", "TRAN": "Transport",
}  # fmt: skip
"""The EU authority table data-theme."""
_ACCESS = {"PUBLIC": "PUBLIC", "OPEN": "PUBLIC", "RESTRICTED": "RESTRICTED", "NONPUBLIC": "NON_PUBLIC"}
_DUO = re.compile(r"DUO[_:](\d{7})$")
_VAGUE = {
    duo.Needs.DISEASES: "certain diseases",
    duo.Needs.DATE: "a stated day",
    duo.Needs.MONTHS: "a stated number of",
}
"""What stands for a term's values, which are in the words of the terms of use."""
_MAIL = re.compile(r"[^@\s<>\"'?&]{1,100}@[A-Za-z0-9.-]{1,100}")
_LINE, _TEXT, _MOST = 500, 20_000, 50
_LARGEST_NUMBER = 10**12
_CONTROL = {
    code: " " for code in [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F)] if code != 0x0A
}
"""Also the signs that turn the direction of what is written behind them."""


def understand_dataset(graph: rdflib.Graph, at: rdflib.URIRef) -> Described:
    """What a description says of the dataset `at`."""
    title, language = _text(graph, at, f"{_DCT}title", most=_LINE)
    description, _ = _text(graph, at, f"{_DCT}description", most=_TEXT)
    policies = list(graph.objects(at, rdflib.URIRef("http://www.w3.org/ns/odrl/2/hasPolicy")))
    rights = [*policies, *_objects(graph, at, f"{_DCT}rights"), *_objects(graph, at, f"{_DCT}license")]
    return Described(
        title=title,
        description=description,
        language=language,
        identifiers=_lines(_objects(graph, at, f"{_DCT}identifier"), _word),
        publisher=_party(graph, _objects(graph, at, f"{_DCT}publisher")),
        creator=_party(graph, _objects(graph, at, f"{_DCT}creator")),
        contact=_party(graph, _objects(graph, at, f"{DCAT}contactPoint")),
        hdab=_party(graph, _ending(graph, at, "hdab")),
        custodian=_party(graph, _ending(graph, at, "custodian")),
        access=_access(_objects(graph, at, f"{_DCT}accessRights")),
        categories=_categories(graph, at),
        keywords=_lines(_objects(graph, at, f"{DCAT}keyword"), _word),
        uses=_uses(graph),
        terms=_lines((label for each in rights for label in _names(graph, each)), str),
        provenance=_named(graph, _objects(graph, at, f"{_DCT}provenance"), _TEXT),
        legal_bases=_lines(_ending(graph, at, "hasLegalBasis"), lambda each: _label(graph, each)),
        population=_named(graph, _ending(graph, at, "populationCoverage"), _TEXT),
        conforms_to=_lines(_objects(graph, at, f"{_DCT}conformsTo"), lambda each: _label(graph, each)),
        people=_number(_ending(graph, at, "numberOfUniqueIndividuals")),
        records=_number(_ending(graph, at, "numberOfRecords")),
        version=_text(graph, at, f"{DCAT}version", "http://www.w3.org/2002/07/owl#versionInfo", most=_LINE)[0],
        issued=_moment(_objects(graph, at, f"{_DCT}issued")),
        modified=_moment(_objects(graph, at, f"{_DCT}modified")),
        is_synthetic=any(str(each).endswith("SYNTHETIC_DATA") for each in _objects(graph, at, f"{_DCT}type")),
        landing=_web(graph, at, f"{DCAT}landingPage", f"{_FOAF}page"),
        references=_lines(_objects(graph, at, f"{_DCT}isReferencedBy"), lambda each: _web_address(str(each))),
        ways=_inline_ways(graph, at),
    )


def understand_way(graph: rdflib.Graph, at: Node) -> Way:
    """What a description says of a distribution or a data service."""
    kinds = _lines(
        _objects(graph, at, f"{DCAT}mediaType"),
        lambda each: clean(str(each).partition("media-types/")[2] or str(each), 100),
    )
    return Way(
        _text(graph, at, f"{_DCT}title", most=_LINE)[0],
        _text(graph, at, f"{_DCT}description", most=2_000)[0],
        _web(graph, at, f"{DCAT}accessURL", f"{DCAT}downloadURL", f"{DCAT}endpointURL"),
        kinds[0] if kinds else "",
    )


def clean(text: str, most: int) -> str:
    """A foreign text without what steers a screen, in at most so many letters."""
    return text[: 2 * most].translate(_CONTROL).strip()[:most]


def _inline_ways(graph: rdflib.Graph, at: rdflib.URIRef) -> tuple[Way, ...]:
    """Distributions that the dataset's own description describes."""
    found = sorted(_objects(graph, at, f"{DCAT}distribution"), key=str)
    ways = [understand_way(graph, each) for each in found[:_MOST] if (each, None, None) in graph]
    return tuple(each for each in ways if each != Way())


def _objects(graph: rdflib.Graph, at: Node, property_: str) -> list[Node]:
    return list(graph.objects(at, rdflib.URIRef(property_)))


def _ending(graph: rdflib.Graph, at: Node, ending: str) -> list[Node]:
    """Objects of a property by the last part of its address."""
    return [value for property_, value in graph.predicate_objects(at) if _tail(str(property_)) == ending]


def _tail(address: str) -> str:
    return re.split(r"[/#]", address.rstrip("/#"))[-1]


def _text(graph: rdflib.Graph, at: Node, *properties: str, most: int) -> tuple[str, str]:
    """The text of the first property that has any: English before none before others; and its language, which the
    same text may have where it stands as a label, too."""
    for property_ in properties:
        texts = [each for each in _objects(graph, at, property_) if isinstance(each, rdflib.Literal) and each.strip()]
        if texts:
            best = min(texts, key=lambda each: (_preference(each.language), str(each)))
            same = [each for each in graph.objects(at) if isinstance(each, rdflib.Literal) and str(each) == str(best)]
            languages = [each.language for each in same if each.language]
            return clean(str(best), most), best.language or min(languages, default="")
    return "", ""


def _preference(language: str | None) -> tuple[int, str]:
    given = (language or "").lower()
    return (0, "") if given.startswith("en") else (1, "") if not given else (2, given)


def _names(graph: rdflib.Graph, node: Node) -> list[str]:
    """What a thing is called: a text is called itself."""
    if isinstance(node, rdflib.Literal):
        return [clean(str(node), 2_000)]
    for property_ in _LABELS:
        if texts := [each for each in _objects(graph, node, property_) if isinstance(each, rdflib.Literal)]:
            best = min(_preference(each.language) for each in texts)
            return sorted(clean(str(each), 2_000) for each in texts if _preference(each.language) == best)
    return []


def _label(graph: rdflib.Graph, node: Node) -> str:
    """A name for people, else the last part of the address."""
    names = _names(graph, node)
    return (
        (names[0] if names else clean(_tail(str(node)), 200))[:200]
        if not isinstance(node, rdflib.BNode) or names
        else ""
    )


def _named(graph: rdflib.Graph, nodes: Iterable[Node], most: int) -> str:
    return clean("\n".join(sorted(name for node in nodes for name in _names(graph, node))), most)


def _word(node: Node) -> str:
    return "" if isinstance(node, rdflib.BNode) else clean(str(node), 200)


def _lines(found: Iterable[Any], say: Callable[[Any], str]) -> tuple[str, ...]:
    return tuple(sorted({text for each in found if (text := say(each))}))[:_MOST]


def _party(graph: rdflib.Graph, nodes: Iterable[Node]) -> Party:
    """The first of some organisations or contact points of which anything is said."""
    for node in sorted(nodes, key=str):
        if isinstance(node, rdflib.Literal):
            return Party(clean(str(node), _LINE))
        names, near = _names(graph, node), [node, *(each for name in _CONTACTS for each in _objects(graph, node, name))]
        mail = next((found for each in near if (found := _mail(graph, each))), "")
        page = next((found for each in near if (found := _web(graph, each, *_PAGES))), "")
        if not page and isinstance(node, rdflib.URIRef) and (node, None, None) not in graph:
            page = _web_address(str(node))
        if names or mail or page:
            return Party(names[0][:_LINE] if names else "", mail, page)
    return Party()


def _mail(graph: rdflib.Graph, node: Node) -> str:
    for property_ in _MAILS:
        for each in sorted(_objects(graph, node, property_), key=str):
            text = str(each).removeprefix("mailto:")
            if _MAIL.fullmatch(text):
                return text
    return ""


def _web(graph: rdflib.Graph, node: Node, *properties: str) -> str:
    for property_ in properties:
        for each in sorted(_objects(graph, node, property_), key=str):
            if address := _web_address(str(each)):
                return address
    return ""


def _web_address(text: str) -> str:
    """The text if it is an address of the web, else empty."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    is_fine = parts.scheme in ("http", "https") and parts.hostname and parts.username is None and len(text) <= _LINE * 2
    return text if is_fine and text.isprintable() and " " not in text else ""


def _access(nodes: Iterable[Node]) -> str:
    for node in sorted(nodes, key=str):
        word = re.sub(r"[^A-Z]", "", _tail(str(node)).upper())
        if word in _ACCESS:
            return _ACCESS[word]
    return ""


def _categories(graph: rdflib.Graph, at: Node) -> tuple[Labelled, ...]:
    """Health categories, then themes."""
    found: dict[str, str] = {}
    for node in sorted(_ending(graph, at, "healthCategory"), key=str):
        code = _CATEGORIES.get(_tail(str(node)), _tail(str(node)))
        label = HEALTH_CATEGORIES.get(code) or _EHDS_CATEGORIES.get(code) or _label(graph, node)
        found[clean(code, 100)] = label
    for node in sorted(_objects(graph, at, f"{DCAT}theme"), key=str):
        code = clean(_tail(str(node)), 100)
        found.setdefault(code, _THEMES.get(code) or _label(graph, node))
    return tuple(Labelled(code, label) for code, label in found.items() if code and label)[:_MOST]


def _uses(graph: rdflib.Graph) -> tuple[Labelled, ...]:
    """All terms of DUO in it: profiles differ in where they stand."""
    codes = {f"DUO:{found[1]}" for value in graph.objects() if (found := _DUO.search(str(value)[-2_000:]))}
    return tuple(Labelled(code, _use_words(code)) for code in sorted(codes))[:_MOST]


def _use_words(code: str) -> str:
    term = duo.TERMS.get(code)
    return code if term is None else term.words.format(_VAGUE.get(term.needs, "as its terms state"))


def _number(nodes: Iterable[Node]) -> int | None:
    texts = [str(node).strip() for node in nodes]
    found = [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 14]
    return min((each for each in found if each < _LARGEST_NUMBER), default=None)


def _moment(nodes: Iterable[Node]) -> str:
    """The newest moment or day among them that is one."""
    found = []
    for node in nodes:
        try:
            datetime.fromisoformat(str(node).strip())
        except ValueError:
            continue
        found.append(str(node).strip()[:40])
    return max(found, default="")
