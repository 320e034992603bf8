# SPDX-License-Identifier: Apache-2.0
import pytest

from megagenome.kernel.errors import Corrupt
from megagenome.standards.visa_conditions import (
    MAX_CLAUSES,
    MAX_PATTERN_LENGTH,
    NEVER,
    Clause,
    Match,
    MatchKind,
    conditions_to_builtins,
    read_conditions,
)

ROLE = {"type": "AffiliationAndRole", "value": "const:faculty@uni-heidelberg.de", "by": "const:so"}
STANDARD_EXAMPLE = [
    [ROLE, {"type": "ResearcherStatus", "value": "const:https://doi.org/10.1038/s41431-018-0219-y"}],
    [{"type": "AffiliationAndRole", "value": "pattern:faculty@*", "source": "const:https://visas.elixir.org"}],
]


def test_the_standards_example_is_read_and_written() -> None:
    conditions = read_conditions(STANDARD_EXAMPLE)
    assert conditions[1] == (
        Clause(
            "AffiliationAndRole",
            (
                Match("value", MatchKind.PATTERN, "faculty@*"),
                Match("source", MatchKind.CONST, "https://visas.elixir.org"),
            ),
        ),
    )
    assert conditions_to_builtins(conditions) == STANDARD_EXAMPLE


def test_only_the_first_colon_ends_the_prefix() -> None:
    [[clause]] = read_conditions([[{"type": "T", "value": "split_pattern:123,https:%2F%2Fexample?.org"}]])
    assert clause.matches == (Match("value", MatchKind.SPLIT_PATTERN, "123,https:%2F%2Fexample?.org"),)


@pytest.mark.parametrize(
    "clause",
    [
        {},
        {"value": "const:x"},
        {"type": 1, "value": "const:x"},
        {"type": "", "value": "const:x"},
        {"type": "T", "value": "x"},
        {"type": "T", "value": "const"},
        {"type": "T", "value": "Const:x"},
        {"type": "T", "value": "regex:.*"},
        {"type": "T", "value": ["const:x"]},
        {"type": "T", "value": "const:x", "by": "unknown:y"},
        {"type": "T", "value": "const:x", "asserted": "pattern:*"},
        {"type": "T", "value": "const:x", "conditions": "pattern:*"},
        {"type": "T", "value": "const:x", "conditions": [[{"type": "T", "value": "const:x"}]]},
        {"type": "T", "value": "const:x", "sub": "pattern:*"},
        {"type": "T", "value": "pattern:" + "x" * (MAX_PATTERN_LENGTH + 1)},
    ],
)
def test_a_clause_that_is_wrong_or_unknown_fails_alone(clause: object) -> None:
    right = {"type": "T", "value": "const:x"}
    assert read_conditions([[clause, right]]) == ((NEVER, Clause("T", (Match("value", MatchKind.CONST, "x"),))),)


def test_a_type_alone_never_matches() -> None:
    assert read_conditions([[{"type": "T"}]]) == ((Clause("T"),),)


@pytest.mark.parametrize("content", [None, True, "pattern:*", {}, [{}], [[[]]], [["x"]], [[{"type": "T"}], None]])
def test_what_is_no_list_of_lists_of_clauses_is_corrupt(content: object) -> None:
    with pytest.raises(Corrupt, match="conditions"):
        read_conditions(content)


def test_clauses_are_counted_over_all_alternatives() -> None:
    assert len(read_conditions([[ROLE]] * MAX_CLAUSES)) == MAX_CLAUSES
    with pytest.raises(Corrupt, match="more than"):
        read_conditions([[ROLE]] * MAX_CLAUSES + [[ROLE]])
