# SPDX-License-Identifier: Apache-2.0
"""Terms as people tables write them, made canonical by the loaded ontologies."""

from megagenome.collection.people import Fact, FactKind, Status, parse_text
from megagenome.kernel.ids import Curie, parse_curie
from megagenome.reference.ontology import Ontology, OntologyFor


class Vocabulary:
    """The terms met so far, each canonical, as one shared `Fact` for each way it is written."""

    def __init__(self, ontology_for: OntologyFor) -> None:
        self._ontology_for = ontology_for
        self._facts: dict[tuple[FactKind, str, bool | str], Fact] = {}
        self.labels: dict[str, str] = {}

    def fact(self, kind: FactKind, text: str, *, excluded: bool = False, label: str = "") -> Fact:
        """That the term `text` was observed or excluded. A loaded ontology maps alternative ids and refuses unknown
        ones (`Invalid`); a term of any other stays as it is written, with `label` as its name."""
        fact = self._facts.get((kind, text, excluded))
        if fact is None:
            fact = Fact(kind, self.term(text), Status.EXCLUDED if excluded else Status.OBSERVED)
            self._facts[kind, text, excluded] = fact
        if label:
            self.labels.setdefault(fact.term, label)
        return fact

    def custom(self, name: str, value: str) -> Fact:
        """That the holder's own column `name` has this value."""
        fact = self._facts.get((FactKind.CUSTOM, name, value))
        if fact is None:
            fact = Fact(FactKind.CUSTOM, name, value=parse_text(f"column {name}:", value))
            self._facts[FactKind.CUSTOM, name, value] = fact
        return fact

    def term(self, text: str) -> Curie:
        """The canonical form of a CURIE."""
        term, ontology = resolve_term(text, self._ontology_for)
        if ontology is not None:
            self.labels.setdefault(term, ontology.label(term))
        return term


def resolve_term(text: str, ontology_for: OntologyFor) -> tuple[Curie, Ontology | None]:
    """A CURIE's canonical form and its ontology; as it is written, and None, where that is not loaded."""
    term = parse_curie(parse_text("term", text))
    ontology = ontology_for(term)
    return (term, None) if ontology is None else (ontology.canonical(term), ontology)


def ancestors(term: Curie, ontology_for: OntologyFor) -> frozenset[Curie]:
    """A canonical term and all above it; a term whose ontology is not loaded stands alone."""
    ontology = ontology_for(term)
    return frozenset((term,)) if ontology is None else ontology.ancestors(term)
