# SPDX-License-Identifier: Apache-2.0
"""The history that the countries share: a published European model, split into countries at its last growth phase.

Until 204.6 generations ago this is the two-population model of Tennessen et al. 2012 (doi 10.1126/science.1219240),
with the parameters of Fu et al. 2013, figure S5 (doi 10.1038/nature11690), as stdpopsim's `OutOfAfrica_2T12` has them.
Nothing published splits that branch into countries, so the younger part is ours: every deme leaves the European branch
at the start of the last growth phase, grows at its published rate, and exchanges migrants with all others at one rate.
Founder sizes and migration rates were chosen so that FST has the order seen between Northern Europeans (Salmela et al.
2008, doi 10.1371/journal.pone.0003519: Eastern Finns against British, Germans and Swedes 0.0072-0.0094, against Western
Finns 0.0032, British against Germans 0.0005). Eastern Finland is founded from the west 20 generations ago, in the 16th
century ("late settlement": Palo et al. 2009, doi 10.1038/ejhg.2009.53). Sardinia is a small and little mixed deme.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import demes
import msprime

MUTATION_RATE = 2.36e-8
"""Per base and generation: what the model was fitted with (Gravel et al. 2011, doi 10.1073/pnas.1019276108)."""
RECOMBINATION_RATE = 1.3e-8
"""Per base and generation, about the genome's mean (1.3 cM/Mb); no map, so linkage decays evenly."""
MITOCHONDRIAL_MUTATION_RATE = 4.2e-7
"""1.665e-8 per base and year (Soares et al. 2009, doi 10.1016/j.ajhg.2009.05.001) at 25 years a generation."""

_SPLIT = 5115 / 25
_GROWTH = 0.0195
_AFRICAN_GROWTH = 0.0166
_EARLY_GROWTH = 0.00307
_AFRICAN_SIZE = 14474
_AFRICAN_EXCHANGE = 2.5e-5
_BOTTLENECK_END, _OUT_OF_AFRICA, _AFRICAN_EXPANSION = 920, 2040, 5920


class Deme(NamedTuple):
    """A population. `split` in generations ago, `founders` in diploid people, `exchange` as the share of migrants per
    generation with each other deme (of two demes the lower rate holds), or with its parent where that is a deme."""

    code: str
    founders: int
    exchange: float
    growth: float = _GROWTH
    split: float = _SPLIT
    parent: str = "EUR"


DEMES = {
    deme.code: deme
    for deme in (
        Deme("WFI", 1500, 1e-4),
        Deme("EFI", 400, 2e-3, growth=0.06, split=20, parent="WFI"),
        Deme("EST", 5000, 3e-4),
        Deme("GBR", 9300, 3e-4),
        Deme("ESP", 8000, 3e-4),
        Deme("ITA", 9300, 3e-4),
        Deme("SRD", 1000, 4e-5),
        Deme("SWE", 6000, 3e-4),
        Deme("DEU", 9300, 3e-4),
        Deme("FRA", 9300, 3e-4),
    )
}


def demography(codes: Sequence[str], size_factor: float = 1.0) -> msprime.Demography:
    """The model with the demes `codes` (a parent before its child), all sizes times `size_factor`.

    The factor is 1 for autosomes, 3/4 for chromosome X and 1/4 for mitochondria: their share of the copies.
    """
    builder = demes.Builder(time_units="generations")
    _add_trunk(builder, size_factor)
    chosen = [DEMES[code] for code in codes]
    for deme in chosen:
        founders = deme.founders * size_factor
        epoch = {"start_size": founders, "end_size": founders * math.exp(deme.growth * deme.split), "end_time": 0}
        builder.add_deme(deme.code, ancestors=[deme.parent], start_time=deme.split, epochs=[epoch])
    _add_exchange(builder, chosen)
    return msprime.Demography.from_demes(builder.resolve())  # type: ignore[no-untyped-call]  # msprime's is untyped


def _add_trunk(builder: demes.Builder, factor: float) -> None:
    def epoch(end: float, start_size: float, rate: float = 0.0, length: float = 0.0) -> dict[str, float]:
        size = start_size * factor
        return {"end_time": end, "start_size": size, "end_size": size * math.exp(rate * length)}

    africa = [
        epoch(_AFRICAN_EXPANSION, 7310),
        epoch(_SPLIT, _AFRICAN_SIZE),
        epoch(0, _AFRICAN_SIZE, _AFRICAN_GROWTH, _SPLIT),
    ]
    europe = [
        epoch(_BOTTLENECK_END, 1861),
        epoch(_SPLIT, 1032, _EARLY_GROWTH, _BOTTLENECK_END - _SPLIT),
    ]
    builder.add_deme("AFR", epochs=africa)
    builder.add_deme("EUR", ancestors=["AFR"], start_time=_OUT_OF_AFRICA, epochs=europe)
    builder.add_migration(demes=["AFR", "EUR"], rate=15e-5, end_time=_BOTTLENECK_END)
    builder.add_migration(demes=["AFR", "EUR"], rate=_AFRICAN_EXCHANGE, start_time=_BOTTLENECK_END)


def _add_exchange(builder: demes.Builder, chosen: Sequence[Deme]) -> None:
    old = [deme for deme in chosen if deme.parent == "EUR"]
    for place, deme in enumerate(old):
        builder.add_migration(demes=["AFR", deme.code], rate=_AFRICAN_EXCHANGE)
        for other in old[place + 1 :]:
            builder.add_migration(demes=[deme.code, other.code], rate=min(deme.exchange, other.exchange))
    for deme in chosen:
        if deme.parent != "EUR":
            builder.add_migration(demes=[deme.parent, deme.code], rate=deme.exchange)
