# SPDX-License-Identifier: Apache-2.0
"""Counts and frequencies of alleles and genotypes over several sites: whole numbers, so those of the pooled data."""

import numpy as np

from megagenome.network.studies.alleles import Chosen, choose_alleles
from megagenome.network.studies.associations import association_table
from megagenome.network.studies.hardy_weinberg import exact_p
from megagenome.network.studies.model import Z95, Combine, StudyResult
from megagenome.standards.study import Frequencies


def frequencies(method: Frequencies, sites: int) -> Combine:
    """Besides counts the 95 % interval of the frequency (Wilson) and, on autosomes, p of Hardy-Weinberg equilibrium."""
    chosen = yield from choose_alleles(method.variants, sites)
    low, high = _interval(chosen)
    table = association_table(
        chosen,
        low=low,
        high=high,
        het=chosen.het,
        hom=chosen.hom,
        hemi=chosen.hemi,
        hardy_weinberg_p=_hardy_weinberg(chosen),
    )
    return StudyResult({"frequencies": table}, {"alleles": len(chosen.alleles)}, chosen.notes())


def _interval(chosen: Chosen) -> tuple[np.ndarray, np.ndarray]:
    n, p = chosen.called.astype(np.float64), chosen.frequency
    middle, width = p + Z95**2 / (2 * n), Z95 * np.sqrt(p * (1 - p) / n + Z95**2 / (4 * n**2))
    scale = 1 + Z95**2 / n
    return (middle - width) / scale, (middle + width) / scale


def _hardy_weinberg(chosen: Chosen) -> np.ndarray:
    """NaN where some people have one copy of the place."""
    autosomal = np.array([name.isdecimal() for name in chosen.alleles.contigs])[chosen.alleles.contig]
    p = np.full(len(autosomal), np.nan)
    p[autosomal] = exact_p(chosen.het[autosomal], chosen.hom[autosomal], chosen.called[autosomal] // 2)
    return p
