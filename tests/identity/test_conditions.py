# SPDX-License-Identifier: Apache-2.0
"""Conditions of visas, beside an oracle of regular expressions."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.identity.conditions import fits, matches_pattern, met_until
from megagenome.standards.passport import Visa
from megagenome.standards.visa_conditions import read_conditions
from tests.oracles import passports as oracle

few = st.text("ab;", max_size=5)
patterns = st.text("ab;?*", max_size=6)
clauses = st.fixed_dictionaries(
    {"type": st.sampled_from(["T", "U"])},
    optional={
        name: st.builds(
            lambda kind, text: f"{kind}:{text}", st.sampled_from(["const", "pattern", "split_pattern"]), patterns
        )
        for name in ("value", "source", "by")
    },
)
alternatives = st.lists(st.lists(clauses, max_size=3), max_size=3)
visas = st.builds(
    Visa,
    type=st.sampled_from(["T", "U"]),
    asserted=st.just(1),
    value=few,
    source=few,
    by=st.none() | few,
    conditions=st.sampled_from([None, None, None, (), read_conditions([[{"type": "T", "by": "const:a"}]])]),
)


@given(patterns, few)
def test_patterns_are_as_regular_expressions(pattern: str, text: str) -> None:
    assert matches_pattern(pattern, text) == oracle.pattern_fits(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text", "fit"),
    [
        ("faculty@*", "faculty@uni-heidelberg.de", True),
        ("faculty@*", "Faculty@uni-heidelberg.de", False),
        ("faculty@*", "xfaculty@uni", False),
        ("*", "", True),
        ("?", "", False),
        ("a.c", "abc", False),
        (r"\*", "*", False),
        ("*a*b", "xaxxb", True),
        ("*a*b", "xaxxbc", False),
    ],
)
def test_patterns_of_the_standard(pattern: str, text: str, fit: bool) -> None:
    assert matches_pattern(pattern, text) is fit


def test_no_pattern_takes_long() -> None:
    start = time.process_time()
    assert not matches_pattern("*a" * 500 + "b", "a" * 4000)
    assert time.process_time() - start < 10  # a pattern that goes back over every * would take longer than the sun


def test_the_standards_split_example() -> None:
    [[clause]] = read_conditions(
        [[{"type": "LinkedIdentities", "value": "split_pattern:123,https:%2F%2Fexample?.org"}]]
    )
    value = "001,https:%2F%2Fexample1.org;123,https:%2F%2Fexample2.org;456,https:%2F%2Fexample3.org"
    assert fits(clause, Visa("LinkedIdentities", 1, value, "https://x"))
    assert not fits(clause, Visa("LinkedIdentities", 1, value.replace("123", "124"), "https://x"))


@given(alternatives, st.lists(st.tuples(visas, st.integers(1, 4)), max_size=5))
def test_conditions_end_as_the_oracle_finds(stated: list[oracle.Clauses], held: list[tuple[Visa, int]]) -> None:
    met = [
        end
        for end in (1, 2, 3, 4)
        if oracle.conditions_met(stated, [visa.to_claim() for visa, until in held if until >= end])
    ]
    assert met_until(read_conditions(stated), held) == (max(met) if met else None)


def test_one_clause_is_met_by_one_visa_only() -> None:
    both = read_conditions([[{"type": "T", "value": "const:v", "by": "const:so"}]])
    halves = [(Visa("T", 1, "v", "s", "dac"), 9), (Visa("T", 1, "w", "s", "so"), 9)]
    assert met_until(both, halves) is None
    assert met_until(both, [*halves, (Visa("T", 1, "v", "s", "so"), 7)]) == 7


def test_clauses_of_one_alternative_may_be_met_by_several() -> None:
    both = read_conditions([[{"type": "T", "value": "const:v"}, {"type": "T", "by": "const:so"}]])
    assert met_until(both, [(Visa("T", 1, "v", "s", "dac"), 9), (Visa("T", 1, "w", "s", "so"), 8)]) == 8
