# SPDX-License-Identifier: Apache-2.0
"""Blocks against genotypes that are put together one call at a time."""

from collections.abc import Iterator

import numpy as np
import pytest

from megagenome.standards.genotypes import ABSENT, MISSING
from megagenome.synthetic import genomes
from megagenome.synthetic.blocks import read_blocks
from megagenome.synthetic.europe import Europe, Simulation
from megagenome.synthetic.genomes import Haplotypes
from tests.oracles.blocks import check_block, checked

Record = tuple[str, int, tuple[str, ...], list[tuple[int, ...]]]


def simulated_records(sequence: Haplotypes, members: list[int]) -> Iterator[Record]:
    """Everything at the simulated sites, from tskit's own genotype matrix."""
    missing: set[tuple[int, int]] = set()
    for chunk in range(-(-len(sequence.starts) // sequence.sites_per_chunk)):
        missing |= set(zip(*(each.tolist() for each in sequence.missing_calls(chunk)), strict=True))
    for variant in sequence.trees.variants():
        site = variant.site.id
        calls = []
        for person in members:
            nodes = [node for node in (sequence.first[person], sequence.second[person]) if node >= 0]
            calls.append(
                tuple(MISSING if (site, person) in missing else int(variant.genotypes[node]) for node in nodes)
            )
        alleles = sequence.alleles(site, tuple(map(str, variant.alleles)))
        yield sequence.stretch.contig, int(sequence.starts[site]), alleles, calls


def planted_records(simulation: Simulation, sequence: Haplotypes, members: list[int]) -> Iterator[Record]:
    for carriers in simulation.planted[sequence.stretch.name]:
        copies = dict(zip(carriers.people.tolist(), carriers.copies.tolist(), strict=True))
        calls = []
        for person in members:
            call = [0, 0] if sequence.second[person] >= 0 else [0]
            for place in range(copies.get(person, 0)):
                call[place] = 1
            calls.append(tuple(call))
        allele = carriers.allele
        yield sequence.stretch.contig, allele.start, (allele.ref, allele.alt), calls


def expected_records(simulation: Simulation, members: list[int]) -> list[Record]:
    records = []
    for sequence in simulation.sequences:
        here = [*simulated_records(sequence, members), *planted_records(simulation, sequence, members)]
        for contig, start, (ref, *alts), calls in sorted(here, key=lambda record: record[1]):
            seen = {allele for call in calls for allele in call if allele > 0}
            if not seen:
                continue
            kept = sorted(seen)
            renumbered = {0: 0, MISSING: MISSING} | {old: new for new, old in enumerate(kept, 1)}
            alleles = (ref, *(alts[old - 1] for old in kept))
            records.append((contig, start, alleles, [tuple(renumbered[x] for x in call) for call in calls]))
    return records


def read_records(simulation: Simulation, members: list[int]) -> list[Record]:
    records = []
    for block in read_blocks(simulation.sequences, simulation.planted, np.array(members, np.int32)):
        check_block(block, len(members))
        for start, ref, alts, calls in zip(block.starts, block.refs, block.alts, block.calls, strict=True):
            row = [tuple(int(x) for x in call if x != ABSENT) for call in calls]
            records.append((block.contig, int(start), (ref, *alts), row))
    return records


@pytest.mark.parametrize("cells_per_chunk", [2**25, 360 * 9])
def test_blocks_have_every_call_of_the_simulation(
    europe: Europe, cells_per_chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(genomes, "_CELLS_PER_CHUNK", cells_per_chunk)
    members = [*range(0, 360, 9), *all_planted(europe)[:12]]
    members = sorted(set(members))
    expected = expected_records(europe.simulation, members)
    assert any(len(alleles) > 2 for _, _, alleles, _ in expected)
    assert any(start == 28_695_867 for _, start, _, _ in expected)
    assert read_records(europe.simulation, members) == expected


def all_planted(europe: Europe) -> list[int]:
    here = europe.simulation.planted.values()
    return [person for planted in here for carriers in planted for person in carriers.people.tolist()]


def test_every_source_keeps_the_contract(europe: Europe) -> None:
    for country in europe.countries:
        for dataset in country.datasets:
            contigs = {block.contig for block in checked(dataset.genotypes())}
            assert contigs == {"chr22", "chrX", "chrM"}


def test_a_source_can_be_had_again_and_one_person_is_the_same_in_every_dataset(europe: Europe) -> None:
    simulation = europe.simulation
    first, again = (read_records(simulation, [3, 5, 200]) for _ in range(2))
    assert first == again
    alone = {(contig, start): calls[0] for contig, start, alleles, calls in read_records(simulation, [5])}
    together = {(contig, start): calls[1] for contig, start, alleles, calls in first if len(alleles) == 2}
    assert all(together[key] == call for key, call in alone.items() if key in together)
    assert len(alone.keys() & together.keys()) > 100


def test_nobody_has_no_records(europe: Europe) -> None:
    assert read_records(europe.simulation, []) == []
