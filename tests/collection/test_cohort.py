# SPDX-License-Identifier: Apache-2.0
"""A cohort has one canonical form and one id, and canonical forms mean what was written."""

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.collection.cohort import (
    EVERYONE,
    All,
    Any,
    Cohort,
    HasAge,
    HasSex,
    HasTerm,
    Not,
    canonical,
    cohort_id,
    read_cohort,
)
from megagenome.collection.model import Sex
from megagenome.kernel.errors import Invalid
from tests.collection.nodes import ALLELES, HP, cohorts, persons
from tests.oracles.cohorts import Circumstances, holds

WOMAN, ADULT, SEIZURE = HasSex(Sex.FEMALE), HasAge(at_least=18), HasTerm("HP:0000005")


def shuffled(cohort: Cohort, rng: random.Random) -> Cohort:
    """The same cohort written otherwise: parts in another order, repeated, nested, and negated twice."""
    if isinstance(cohort, Not):
        written: Cohort = Not(shuffled(cohort.part, rng))
    elif isinstance(cohort, All | Any):
        kind = type(cohort)
        parts = [shuffled(part, rng) for part in (*cohort.parts, *cohort.parts[: rng.randint(0, 1)])]
        rng.shuffle(parts)
        cut = rng.randint(0, len(parts))
        written = kind((kind(tuple(parts[:cut])), *parts[cut:])) if cut else kind(tuple(parts))
    else:
        written = cohort
    return rng.choice([written, Not(Not(written)), All((written,)), Any((written,)), All((written, EVERYONE))])


@given(cohorts)
def test_canonical_is_idempotent(cohort: Cohort) -> None:
    assert canonical(canonical(cohort)) == canonical(cohort)


@given(cohorts, st.randoms(use_true_random=False))
def test_the_same_cohort_written_otherwise_has_the_same_id(cohort: Cohort, rng: random.Random) -> None:
    assert cohort_id(shuffled(cohort, rng)) == cohort_id(cohort)


@given(
    cohorts, persons(most=3), st.sampled_from([None, 2020]), st.dictionaries(st.sampled_from(ALLELES), st.booleans())
)
def test_canonical_means_the_same(cohort: Cohort, who: list, year: int | None, carries: dict) -> None:
    around = Circumstances(HP, frozenset({"ONE"}), year, carries)
    for one in who:
        assert holds(canonical(cohort), one, around) == holds(cohort, one, around)


def test_different_cohorts_have_different_ids() -> None:
    different = [
        EVERYONE,
        WOMAN,
        SEIZURE,
        HasTerm("HP:0000005", descendants=False),
        Not(SEIZURE),
        All((WOMAN, SEIZURE)),
        Any((WOMAN, SEIZURE)),
        Not(All((WOMAN, SEIZURE))),
        All((WOMAN, Not(SEIZURE))),
        All((WOMAN, Any((SEIZURE, ADULT)))),
        Any((All((WOMAN, SEIZURE)), ADULT)),
        All(()),
        Any(()),
    ]
    # an empty All is everyone, and that alone is a repeat
    assert len({cohort_id(cohort) for cohort in different}) == len(different) - 1
    assert cohort_id(All(())) == cohort_id(EVERYONE)


def test_the_id_is_the_digest_of_this_text() -> None:
    # Stored ids must name the same cohort in every later version: this text may change only with a migration.
    text = (
        b'{"type":"all","parts":[{"type":"sex","sex":"female"},{"type":"term","id":"HP:0000005","descendants":true}]}'
    )
    assert cohort_id(All((SEIZURE, WOMAN))) == "sha256:" + hashlib.sha256(text).hexdigest()


@pytest.mark.parametrize("text", ["", "{}", "[" * 2000, '{"type":"nobody"}', '"\\ud800"'])
def test_what_is_no_cohort(text: str) -> None:
    with pytest.raises(Invalid, match="not a cohort"):
        read_cohort(text)
