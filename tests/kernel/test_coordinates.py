# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from megagenome.kernel.coordinates import Allele, Region, is_symbolic, trim

BASES = st.text("ACGT", min_size=1, max_size=8)


@st.composite
def allele_in_reference(draw: st.DrawFn) -> tuple[str, int, str, str]:
    """A reference sequence, and an allele somewhere in it: sequence, start, ref, alt."""
    before, ref, after = draw(st.text("AC", max_size=6)), draw(BASES), draw(st.text("AC", max_size=6))
    # Half of the alternates are the reference with a piece changed, so that there is much to trim.
    cut = draw(st.integers(0, len(ref)))
    alt = draw(
        st.one_of(BASES, st.builds(lambda piece: ref[:cut] + piece + ref[cut + 1 :], st.text("ACGT", max_size=4)))
    )
    assume(alt)
    return before + ref + after, len(before), ref, alt


def haplotype(sequence: str, start: int, ref: str, alt: str) -> str:
    """What the chromosome reads with the alternate in place."""
    assert sequence[start : start + len(ref)] == ref
    return sequence[:start] + alt + sequence[start + len(ref) :]


def shorter_by_trimming(start: int, ref: str, alt: str) -> list[tuple[int, str, str]]:
    """Brute force: every allele that cutting a common prefix and suffix leaves, one base on each side at least."""
    found = []
    for left in range(len(ref)):
        for right in range(len(ref) - left):
            if len(alt) - left - right < 1 or left + right == 0:
                continue
            same_ends = ref[:left] == alt[:left] and ref[len(ref) - right :] == alt[len(alt) - right :]
            if same_ends:
                found.append((start + left, ref[left : len(ref) - right], alt[left : len(alt) - right]))
    return found


@given(allele_in_reference())
def test_trimmed_allele_makes_the_same_haplotype(case: tuple[str, int, str, str]) -> None:
    sequence, start, ref, alt = case
    assert haplotype(sequence, *trim(start, ref, alt)) == haplotype(sequence, start, ref, alt)


@given(allele_in_reference())
def test_trimmed_allele_is_the_shortest_and_then_the_leftmost(case: tuple[str, int, str, str]) -> None:
    _, start, ref, alt = case
    trimmed = trim(start, ref, alt)
    assert shorter_by_trimming(*trimmed) == []
    choices = [(start, ref, alt), *shorter_by_trimming(start, ref, alt)]
    assert trimmed == min(choices, key=lambda choice: (len(choice[1]), choice[0]))


@pytest.mark.parametrize(
    ("given_allele", "parsimonious"),
    [
        ((10, "A", "G"), (10, "A", "G")),
        ((10, "CA", "CG"), (11, "A", "G")),
        ((10, "AC", "GC"), (10, "A", "G")),
        ((10, "CAC", "C"), (10, "CAC", "C")),  # left-alignment would need the reference
        ((10, "CCA", "CA"), (10, "CC", "C")),
        ((10, "TAA", "TA"), (10, "TA", "T")),
        ((10, "AA", "AAA"), (10, "A", "AA")),
        ((10, "ACGT", "ACGT"), (10, "A", "A")),
        ((10, "TC", "<DEL>"), (10, "TC", "<DEL>")),
        ((10, "TC", "TC[2:321681["), (10, "TC", "TC[2:321681[")),
        ((10, "TC", "*"), (10, "TC", "*")),
    ],
)
def test_trim_of_known_alleles(given_allele: tuple[int, str, str], parsimonious: tuple[int, str, str]) -> None:
    assert trim(*given_allele) == parsimonious
    assert Allele("GRCh37", "22", *given_allele).parsimonious() == Allele("GRCh37", "22", *parsimonious)


@pytest.mark.parametrize("alt", ["<DEL>", "<CN0>", "*", "<*>", ".", "N[2:321681[", "]2:321681]N", ".TC", "TC.", ""])
def test_symbolic(alt: str) -> None:
    assert is_symbolic(alt)


@pytest.mark.parametrize("alt", ["A", "ACGTN"])
def test_plain_bases_are_not_symbolic(alt: str) -> None:
    assert not is_symbolic(alt)


def test_people_read_one_based_closed_places() -> None:
    assert str(Region("GRCh37", "22", 16050074, 16050075)) == "22:16050075-16050075"
    assert str(Allele("GRCh37", "22", 16050074, "A", "G")) == "22-16050075-A-G"


def test_end_is_exclusive() -> None:
    assert Allele("GRCh38", "X", 5, "ACG", "A").end == 8
