# SPDX-License-Identifier: Apache-2.0
"""Calls become entries: against plain counting, one call and one allele at a time."""

import numpy as np
import pytest
from hypothesis import given

from megagenome.collection.classify import Oddities, classify
from tests.collection.calls import Case, Found, as_calls, cases, odd, plain


def classified(case: Case, kind: type[np.signedinteger]) -> tuple[Found, Oddities]:
    """By records of a class each."""
    first_row, class_of = np.cumsum([0, *case.alternates]), np.arange(len(case.alternates), dtype=np.int8)
    streams, oddities = classify(as_calls(case, kind), first_row, np.array(case.copies, np.int8), class_of)
    return {s: sorted(zip(e.row.tolist(), e.column.tolist(), strict=True)) for s, e in streams.items()}, oddities


@pytest.mark.parametrize("kind", [np.int8, np.int16])
@given(case=cases())
def test_entries_are_those_of_plain_counting(kind: type[np.signedinteger], case: Case) -> None:
    found, oddities = classified(case, kind)
    assert found == plain(case)
    pairs = [
        pair for calls, copies in zip(case.calls, case.copies, strict=True) for pair in zip(calls, copies, strict=True)
    ]
    assert tuple(oddities) == odd(pairs)


@given(case=cases())
def test_where_two_copies_are_expected_everywhere(case: Case) -> None:
    diploid = case._replace(copies=[[2] * len(row) for row in case.copies])
    found, oddities = classified(diploid, np.int8)
    assert found == plain(diploid)
    assert not any(oddities)
