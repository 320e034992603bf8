# SPDX-License-Identifier: Apache-2.0
"""Places in a genome and alleles. 0-based, half-open everywhere; people read `pos1`, which is start + 1."""

from typing import NamedTuple, Self


class Region(NamedTuple):
    """`start` to `end` (0-based, half-open) on a contig named as the assembly names it (`22`, not `chr22`)."""

    assembly: str
    contig: str
    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.contig}:{self.start + 1}-{self.end}"


class Allele(NamedTuple):
    """One alternate allele against the reference. `start` is 0-based; `ref` and `alt` are upper case.

    Symbolic alternates (`<DEL>`, `<CN0>`) and breakends stand as the file wrote them and match exactly only.
    """

    assembly: str
    contig: str
    start: int
    ref: str
    alt: str

    @property
    def end(self) -> int:
        """End of the reference allele, exclusive."""
        return self.start + len(self.ref)

    def parsimonious(self) -> Self:
        """The same change with the fewest bases: common suffix off, then common prefix, one base kept on each side.

        (Tan, Abecasis, Kang: Unified representation of genetic variants, 2015. Left-alignment needs a reference
        sequence and is not done here.)
        """
        start, ref, alt = trim(self.start, self.ref, self.alt)
        return self._replace(start=start, ref=ref, alt=alt)

    def __str__(self) -> str:
        return f"{self.contig}-{self.start + 1}-{self.ref}-{self.alt}"


def is_symbolic(alt: str) -> bool:
    """True for `<DEL>`, breakends, `*`: alternates that are not a plain run of bases."""
    return not alt.isalpha()


def trim(start: int, ref: str, alt: str) -> tuple[int, str, str]:
    """`(start, ref, alt)` made parsimonious; symbolic alternates come back unchanged."""
    if len(ref) == 1 or len(alt) == 1 or is_symbolic(alt):
        return start, ref, alt
    cut = 0
    while cut < min(len(ref), len(alt)) - 1 and ref[-1 - cut] == alt[-1 - cut]:
        cut += 1
    if cut:
        ref, alt = ref[:-cut], alt[:-cut]
    skip = 0
    while skip < min(len(ref), len(alt)) - 1 and ref[skip] == alt[skip]:
        skip += 1
    return start + skip, ref[skip:], alt[skip:]
