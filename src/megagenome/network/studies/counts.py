# SPDX-License-Identifier: Apache-2.0
"""The hub's side of counting alleles: those that all sites list, and the sums of their counts."""

import numpy as np

from megagenome.network.studies.model import Ask, Combine, Quantity, StudyResult, Table
from megagenome.standards.study import Frequencies, StudyDocument

COUNTS = ("het", "hom", "hemi", "called")


def frequencies(document: StudyDocument, sites: int) -> Combine:
    """Counts of the alleles that every site lists, where the rarer one has `least_count` copies over all of them."""
    method = document.method
    assert isinstance(method, Frequencies)
    listed = yield Ask("list", {}, opened=("alleles",))
    texts = [set(bytes(each).decode("ascii").splitlines()) for each in listed.values()]
    common = sorted(set.intersection(*texts))
    told = np.frombuffer("\n".join(common).encode("ascii"), np.uint8)
    size = (len(common),)
    sums = yield Ask("count", {"alleles": told}, tuple(Quantity(name, size, 0) for name in COUNTS))
    copies = sums["het"] + 2 * sums["hom"] + sums["hemi"]
    rarer = np.minimum(copies, sums["called"] - copies)
    least = np.maximum(method.variants.least_count, method.variants.least_frequency * sums["called"])
    rows = np.flatnonzero(rarer >= least)
    notes = (f"{len(set.union(*texts)) - len(common)} alleles that not every site lists were left out",)
    if len(rows) < len(common):
        notes += (f"{len(common) - len(rows)} alleles that are too rare were left out",)
    columns = {"allele": [common[k] for k in rows], **{name: sums[name][rows] for name in COUNTS}}
    frequency = copies[rows] / np.maximum(sums["called"][rows], 1)
    return StudyResult({"alleles": Table({**columns, "frequency": frequency})}, {"sites": sites}, notes)
