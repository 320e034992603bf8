# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from megagenome.kernel.coordinates import trim
from megagenome.reference.assemblies import PloidyClass, assembly
from megagenome.synthetic.europe import Europe
from megagenome.synthetic.genomes import (
    ASSEMBLY,
    CONTIGS,
    INDEL_SHARE,
    MISSING_RATE,
    Haplotypes,
    Spelling,
    simulate_stretch,
    stretches,
)
from megagenome.synthetic.people import draw_people


@pytest.fixture(scope="module")
def sequences(europe: Europe) -> dict[str, Haplotypes]:
    return {sequence.stretch.name: sequence for sequence in europe.simulation.sequences}


def test_stretches_lie_on_their_contigs_where_people_have_that_many_copies() -> None:
    grch38 = assembly(ASSEMBLY)
    copies = {PloidyClass.DIPLOID: (2, 2), PloidyClass.X_NONPAR: (2, 1), PloidyClass.MT: (1, 1)}
    for stretch in stretches(22):
        contig = grch38.contig(stretch.contig)
        assert stretch.contig in CONTIGS
        assert 0 <= stretch.start < stretch.end <= contig.length
        classes = {grch38.ploidy_class(contig.name, place) for place in (stretch.start, stretch.end - 1)}
        assert {copies[each] for each in classes} == {(stretch.copies_female, stretch.copies_male)}


def test_everybody_has_their_own_copies(europe: Europe, sequences: dict[str, Haplotypes]) -> None:
    people = europe.simulation.people
    for sequence in sequences.values():
        second = sequence.second[sequence.second >= 0]
        nodes = np.concatenate([sequence.first, second])
        assert sorted(nodes.tolist()) == list(range(sequence.trees.num_samples))
        deme = sequence.trees.nodes_population[nodes]
        names = [sequence.trees.population(place).metadata["name"] for place in deme]
        owners = np.concatenate([people.population, people.population[sequence.second >= 0]])
        assert names == [people.populations[place] for place in owners]
    assert (sequences["22"].second >= 0).all()
    assert ((sequences["X"].second >= 0) == people.female).all()
    assert (sequences["X-PAR1"].second >= 0).all()
    assert (sequences["MT"].second == -1).all()


def test_sites_are_in_order_and_keep_off_reserved_positions() -> None:
    people = draw_people(3, ["GB"], 100)
    stretch = stretches(0.15)[0]
    free = simulate_stretch(3, stretch, people, [])
    reserved = free.starts[[0, 7, -1]].tolist()
    kept = simulate_stretch(3, stretch, people, [*reserved, stretch.start + 1])
    assert (np.diff(free.starts) > 0).all()
    assert stretch.start <= free.starts[0] < free.starts[-1] < stretch.end
    assert set(free.starts.tolist()) - set(kept.starts.tolist()) == set(reserved)
    assert kept.trees.num_sites == len(kept.starts)


def test_spellings_share_their_first_base_and_are_what_they_say() -> None:
    assert Spelling("insertion", "TT").write(("A", "G")) == ("A", "ATT")
    assert Spelling("deletion", "TT").write(("A", "G")) == ("ATT", "A")
    mixed = Spelling("mixed", "C").write(("A", "G", "T"))
    assert mixed == ("AC", "GC", "A")
    assert [trim(100, mixed[0], alt) for alt in mixed[1:]] == [(100, "A", "G"), (100, "AC", "A")]


def test_all_kinds_of_sites_occur_as_often_as_stated() -> None:
    sequence = simulate_stretch(1, stretches(1)[0], draw_people(1, ["GB"], 200), [])
    kinds = [spelling.kind for spelling in sequence.spellings.values()]
    sites = len(sequence.starts)
    assert kinds.count("insertion") / sites == pytest.approx(INDEL_SHARE / 2, abs=0.01)
    assert kinds.count("deletion") / sites == pytest.approx(INDEL_SHARE / 2, abs=0.01)
    assert kinds.count("mixed") > 0
    plain = [len({"A", *site.alleles}) for site in sequence.trees.sites() if site.id not in sequence.spellings]
    assert max(plain) >= 3


def test_missing_calls_are_uncorrelated_at_the_stated_rate_and_stay_the_same(sequences: dict[str, Haplotypes]) -> None:
    sequence = sequences["22"]
    missing = np.zeros((len(sequence.starts), len(sequence.first)))
    for chunk in range(-(-len(sequence.starts) // sequence.sites_per_chunk)):
        sites, people = sequence.missing_calls(chunk)
        assert (sites // sequence.sites_per_chunk == chunk).all()
        again, _ = sequence.missing_calls(chunk)
        assert (again == sites).all()
        missing[sites, people] += 1
    expected = MISSING_RATE * missing.size
    assert abs((missing > 0).sum() - expected) < 5 * np.sqrt(expected)
    per_person = missing.sum(axis=0)
    assert per_person.var() == pytest.approx(per_person.mean(), rel=0.5)
