# SPDX-License-Identifier: Apache-2.0
"""Terms of DUO in plain words."""

import pytest

from megagenome.standards.dataset_record import DataUse
from megagenome.standards.duo import TERMS, Needs, iri_of, plain_words, split_disease


def test_there_are_the_terms_of_the_release_that_say_something() -> None:
    """25 of DUO 2021-02-23, without the two abstract ones; five of them are permissions."""
    assert len(TERMS) == 23
    assert {"DUO:0000001", "DUO:0000017"}.isdisjoint(TERMS)
    permissions = {term.code for term in TERMS.values() if term.is_permission}
    assert permissions == {"NRES", "GRU", "HMB", "DS", "POA"}
    assert len({term.code for term in TERMS.values()}) == len({term.words for term in TERMS.values()}) == 23


@pytest.mark.parametrize("term", TERMS)
def test_words_have_a_place_for_values_where_there_are_any(term: str) -> None:
    assert ("{}" in TERMS[term].words) == (TERMS[term].needs is not Needs.NOTHING)
    said = plain_words(DataUse(term, ("FI", "EE") if TERMS[term].needs is not Needs.NOTHING else ()))
    assert said.endswith(".")
    assert "{" not in said


def test_values_stand_in_the_words_with_their_names() -> None:
    use = DataUse("DUO:0000007", ("MONDO:0005027 epilepsy", "MONDO:0004992"))
    assert plain_words(use) == "May be used for research into epilepsy (MONDO:0005027), MONDO:0004992 only."
    assert split_disease("MONDO:0005027 focal epilepsy") == ("MONDO:0005027", "focal epilepsy")
    assert plain_words(DataUse("DUO:0000022", ("FI", "EE"))) == "May be used in these countries only: FI, EE."
    assert plain_words(DataUse("DUO:9999999", ("x",))) == "DUO:9999999 x"


def test_terms_have_addresses() -> None:
    assert iri_of("DUO:0000006") == "http://purl.obolibrary.org/obo/DUO_0000006"
