# SPDX-License-Identifier: Apache-2.0
"""An OBO file read by regular expressions, and its terms' ancestors by walking: slow and plain."""

import re

from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import Curie


class PlainOntology:
    """Terms by id with their parents. It answers as `megagenome.reference.ontology.Ontology`."""

    def __init__(
        self, prefix: str, parents: dict[str, set[str]], alternatives: dict[str, str], names: dict[str, str]
    ) -> None:
        self.prefix = prefix
        self.parents = parents
        self.alternatives = alternatives
        self.names = names

    def canonical(self, term: str) -> Curie:
        term = self.alternatives.get(term, term)
        if term not in self.parents:
            raise Invalid(f"{term} is not in {self.prefix}")
        return Curie(term)

    def ancestors(self, term: str) -> frozenset[Curie]:
        found: set[str] = set()
        waiting = [term]
        while waiting:
            found.add(at := waiting.pop())
            waiting.extend(self.parents[at] - found)
        return frozenset(map(Curie, found))

    def label(self, term: str) -> str:
        return self.names.get(term, term)


def read_obo(text: str, prefix: str) -> PlainOntology:
    """The living terms of an OBO text."""
    parents: dict[str, set[str]] = {}
    alternatives: dict[str, str] = {}
    names: dict[str, str] = {}
    for stanza in re.findall(r"^\[Term\]\n(.*?)(?=^\[|\Z)", text, re.DOTALL | re.MULTILINE):
        if "\nis_obsolete: true" in stanza:
            continue
        (term,) = re.findall(r"^id: (\S+)", stanza)
        (names[term],) = re.findall(r"^name: (.*)", stanza, re.MULTILINE)
        parents[term] = set(re.findall(r"^is_a: (\S+)", stanza, re.MULTILINE))
        alternatives |= dict.fromkeys(re.findall(r"^alt_id: (\S+)", stanza, re.MULTILINE), term)
    return PlainOntology(prefix, parents, alternatives, names)
