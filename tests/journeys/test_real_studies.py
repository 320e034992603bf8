# SPDX-License-Identifier: Apache-2.0
"""Real genomes in real collections: studies over the nodes of four countries, and of five parts of the world, under
masks and through the coordinator, find what plink2 found in one file."""

import contextlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from megagenome.analytics.score import ScoreSite
from megagenome.analytics.settings import AnalyticsSettings
from megagenome.collection.collection import Collection
from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.load import load
from megagenome.collection.model import Sex as RecordedSex
from megagenome.collection.people import YES, Fact, FactKind, People, Person
from megagenome.collection.permits import store_permit
from megagenome.kernel.ids import Country, DatasetId, IndividualId, SampleId
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Ledger
from megagenome.network.studies.methods import METHODS
from megagenome.standards.pgs_catalog import read_scoring_file
from megagenome.standards.study import (
    Category,
    Components,
    Frequencies,
    Group,
    Linear,
    Logistic,
    Measured,
    Score,
    Sex,
    Variants,
)
from megagenome.standards.study_shown import ResultShown
from tests.analytics.sites import RealNode, RealWorld
from tests.collection import clocks
from tests.collection.conftest import no_ontology
from tests.network.joining import server
from tests.network.studies.nodes import ADA, PERMIT, AtOnce
from tests.oracles.cineca import (
    HEIGHT,
    SPARSE_PANEL,
    SUPER_POPULATIONS,
    Cineca,
    Panel,
    plink2,
    read_cineca,
    read_sparse_panel,
    rounded,
)

pytestmark = [pytest.mark.shared, pytest.mark.bcftools]

FILE = "data/genomes/1kg_p3_chr22_16.05-16.64Mb.GRCh37.vcf.gz"
REGION = ("22",)
EVERYONE = '{"type":"everyone"}'


class FilledNode(RealNode):
    """A node whose folder is there already."""

    def __init__(self, name: str, folder: Path) -> None:

        self.name, self.numbers, self.settings, self.is_dead = name, set(), AnalyticsSettings(), False
        self.keys = SigningKeys.open(folder / "keys")
        self.collection = Collection.open_folder(folder, no_ontology)
        self.collection.journal = clocks.NoJournal()
        self.ledger = Ledger(self.collection.engine, self.keys, name)
        self.start()


def _sex(woman: float) -> RecordedSex:
    return RecordedSex.FEMALE if woman else RecordedSex.MALE


def _person(cineca: Cineca, k: int) -> Person:
    facts = [Fact(FactKind.MEASURE, HEIGHT, value=str(cineca.height[k]), unit="Centimeter")]
    facts += [Fact(FactKind.DISEASE, each) for each in sorted(cineca.diseases[k])]
    facts.append(Fact(FactKind.CUSTOM, "super_population", value=str(cineca.super_population[k])))
    return Person(
        IndividualId(cineca.samples[k]),
        SampleId(cineca.samples[k]),
        _sex(cineca.sex[k]),
        Country(str(cineca.country[k]) or "ZZ"),
        facts=tuple(facts),
        consent=YES,
    )


class Source(NamedTuple):
    """A file of genotypes and who is in it."""

    file: str
    assembly: str
    people: list[Person]


def _cineca(cineca: Cineca) -> Source:
    return Source(FILE, "GRCh37", [_person(cineca, k) for k in range(len(cineca.samples))])


def _panel(panel: Panel) -> Source:
    """With their sex, which says how many X they have."""
    known = [
        Person(IndividualId(each), SampleId(each), _sex(woman), Country("ZZ"), consent=YES)
        for each, woman in zip(panel.samples, panel.women, strict=True)
    ]
    return Source(SPARSE_PANEL, "GRCh38", known)


@contextlib.contextmanager
def _world(shared: Path, folder: Path, source: Source, parts: Mapping[str, Any]) -> Iterator[RealWorld]:
    """Nodes that each load their part of the source's people."""
    nodes = {}
    for name, who in parts.items():
        collection = Collection.create(folder / name, no_ontology)
        stated = DatasetStatement(DatasetId(f"{name}-data"), open=True, publish=True)
        people = [source.people[k] for k in np.flatnonzero(who).tolist()]
        load(collection, stated, People(people, {}, {}), [shared / source.file], source.assembly)
        with collection.engine.begin() as connection:
            granted = clocks.permit(PERMIT, (f"{name}-data",), people=frozenset({str(ADA.subject)}))
            store_permit(connection, granted)
        collection.close()
        nodes[name] = FilledNode(name, folder / name)
    with server(folder / "hub", "org.example.hub") as at:
        yield RealWorld(at, nodes, AtOnce(), METHODS)
    for node in nodes.values():
        node.collection.close()


def _result(world: RealWorld, **document: Any) -> ResultShown:
    """Told by the hub, once all nodes had their turns."""
    run = world.begin(**document)
    world.go(10_000)
    shown = world.show(run)
    assert shown.state == "finished", shown
    return world.studies.result(ADA, run)


def _associations(world: RealWorld, **document: Any) -> tuple[dict[str, Any], dict[tuple[int, str, str], int]]:
    columns = _result(world, **document).tables["associations"]
    places = zip(np.asarray(columns["pos1"]).tolist(), columns["ref"], columns["alt"], strict=True)
    return columns, {place: k for k, place in enumerate(places)}


def test_four_countries(shared: Path, tmp_path: Path) -> None:
    cineca = read_cineca(shared)
    parts = {f"node.{each.lower()}": cineca.country == each for each in ("FI", "GB", "ES", "IT")}
    with _world(shared, tmp_path, _cineca(cineca), parts) as world:
        variants = Variants("GRCh37", REGION, least_count=1, least_frequency=0.02)
        columns, rows = _associations(world, method=Linear(variants, Measured(HEIGHT), (Sex(),)))
        compared = 0
        for row in plink2(shared, "plink2_eu.height.glm.linear.tsv.gz"):
            k = rows[int(row["POS"]), row["REF"], row["ALT"]]
            sign = 1 if row["A1"] == row["ALT"] else -1
            assert columns["n"][k] == int(row["OBS_CT"]) == 404
            for name, theirs in (("beta", "BETA"), ("t", "T_STAT")):
                assert rounded(sign * float(columns[name][k]), row[theirs]), row
            for name, theirs in (("se", "SE"), ("p", "P")):
                assert rounded(float(columns[name][k]), row[theirs]), row
            compared += 1
        assert compared == 689


def test_five_parts_of_the_world(shared: Path, tmp_path: Path) -> None:
    cineca = read_cineca(shared)
    parts = {f"node.{each.lower()}": cineca.super_population == each for each in SUPER_POPULATIONS}
    covariates = (Sex(), Category("super_population", SUPER_POPULATIONS))
    with _world(shared, tmp_path, _cineca(cineca), parts) as world:
        variants = Variants("GRCh37", REGION, least_count=1, least_frequency=0.01)
        columns, rows = _associations(world, method=Linear(variants, Measured(HEIGHT), covariates))
        compared = 0
        for row in plink2(shared, "plink2_all.height.glm.linear.tsv.gz"):
            k = rows[int(row["POS"]), row["REF"], row["ALT"]]
            sign = 1 if row["A1"] == row["ALT"] else -1
            assert columns["n"][k] == int(row["OBS_CT"]) == 2504
            assert rounded(sign * float(columns["beta"][k]), row["BETA"]), row
            assert rounded(float(columns["se"][k]), row["SE"]), row
            assert rounded(float(columns["p"][k]), row["P"]), row
            compared += 1
        assert compared == 1052
        cases = json.dumps({"type": "term", "id": "ICD10:I83"}, separators=(",", ":"))
        common = Variants("GRCh37", REGION, least_count=50)
        method = Logistic(common, Group(cases, EVERYONE), covariates, effects_below=1)
        columns, rows = _associations(world, method=method)
        compared = 0
        for row in plink2(shared, "plink2_i83.I83.glm.logistic.tsv.gz"):
            k = rows[int(row["POS"]), row["REF"], row["ALT"]]
            beta = float(columns["beta"][k]) * (1 if row["A1"] == row["ALT"] else -1)
            # plink2 fits in single precision; FACTS.json allows 1e-4
            assert np.exp(beta) == pytest.approx(float(row["OR"]), rel=1e-4), row
            assert columns["se"][k] == pytest.approx(float(row["LOG(OR)_SE"]), rel=1e-4), row
            compared += 1
        assert compared == 585


@pytest.fixture(scope="module")
def genomes(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealWorld]:
    """The 3,202 genomes of high coverage, at five nodes."""
    panel = read_sparse_panel(shared)
    parts = {f"node.{each.lower()}": panel.super_population == each for each in SUPER_POPULATIONS}
    with _world(shared, tmp_path_factory.mktemp("genomes"), _panel(panel), parts) as world:
        yield world


def test_components_of_all_genomes(shared: Path, genomes: RealWorld) -> None:
    """Trios and all, as plink2 had them; no call is missing. Eigenvalues are those that FACTS.json has; places are to
    5e-7, ten units of the last digit that plink2 prints: components are told once they are surely right to 1e-4."""
    variants = Variants("GRCh38", least_count=1, least_frequency=0.05)
    result = _result(genomes, method=Components(variants, 4), duplicates="keep")
    assert result.summary["people"] == 3202
    assert result.summary["alleles"] == 883
    related = next(note for note in result.notes if "of the first degree" in note)
    assert 1_204 <= int(related.split()[-1].strip(".").replace(",", "")) < 1_300, (
        "both parents of 602 children, and some siblings"
    )
    facts = json.loads((shared / "data/FACTS.json").read_text())["pca_3202"]
    for value, printed in zip(result.tables["components"]["eigenvalue"], facts["eigenvalues"], strict=True):
        assert rounded(float(value), str(printed))
    panel, loadings = read_sparse_panel(shared), result.tables["loadings"]
    copies = panel.calls[panel.rows(loadings)].astype(np.float64)
    mean = copies.mean(axis=1, keepdims=True)
    standardised = (copies - mean) / np.sqrt(mean * (1 - mean / 2))
    theirs = {row["IID"]: row for row in plink2(shared, "plink2_pca_3202.eigenvec.tsv.gz")}
    for k in ("1", "2", "3", "4"):
        ours = standardised.T @ loadings[f"pc{k}"]
        expected = np.array([float(theirs[sample][f"PC{k}"]) for sample in panel.samples])
        ours *= np.sign(ours @ expected) / np.linalg.norm(ours)
        assert np.abs(ours - expected).max() < 5e-7, k


def test_a_score_of_all_genomes(shared: Path, genomes: RealWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = read_sparse_panel(shared)
    content = (shared / "data/clinical_variants/pgs_PGS001229_hmPOS_GRCh38.txt.gz").read_bytes()
    listed = read_scoring_file(io.BytesIO(content), "GRCh38").weights
    # plink2 was given the first record of each place; five weights are of second ones
    first = {(each.contig, each.start): {each.ref, each.alt} for each in reversed(list(panel.alleles))}
    weights = tuple(each for each in listed if first.get((each.contig, each.start)) == {each.effect, each.other})
    compute, scored = ScoreSite.scores, dict[int, npt.NDArray[np.float64]]()

    def listening(site: ScoreSite, parameters: Any) -> npt.NDArray[np.float64]:
        """A person's score never leaves the site: it is compared within."""
        scored[id(site)] = compute(site, parameters)
        return scored[id(site)]

    monkeypatch.setattr(ScoreSite, "scores", listening)
    result = _result(genomes, method=Score("GRCh38", "PGS001229", weights, "zero"))
    theirs = {row["IID"]: row["SCORE1_SUM"] for row in plink2(shared, "plink2_PGS001229_3202.sscore.tsv.gz")}
    assert result.summary["people"] == len(theirs) == 3202
    assert result.summary["weights_used"] == 978
    by_size = {len(scores): scores for scores in scored.values()}
    for each in SUPER_POPULATIONS:
        names = [panel.samples[k] for k in np.flatnonzero(panel.super_population == each)]
        for score, name in zip(by_size.pop(len(names)), names, strict=True):
            assert rounded(float(score), theirs[name]), name
    assert not by_size
    expected = np.array([float(each) for each in theirs.values()])
    for name, moment in (
        ("mean", expected.mean()),
        ("deviation", expected.std()),
        ("skewness", stats.skew(expected)),
        ("excess_kurtosis", stats.kurtosis(expected)),
    ):
        assert result.summary[name] == pytest.approx(moment, abs=2e-6), name
    bins = result.tables["distribution"]
    assert sum(bins["people"]) == 3202
    for end, below in zip(bins["high"], np.cumsum(bins["people"]), strict=True):
        assert (expected < end - 1e-5).sum() <= below <= (expected < end + 1e-5).sum()


def test_of_too_many_genomes_only_duplicates_are_known(genomes: RealWorld) -> None:
    """Of Africans, Europeans and South Asians there are more than 600."""
    for node in genomes.nodes.values():
        node.start(AnalyticsSettings(most_compared=600))
    try:
        result = _result(genomes, method=Frequencies(Variants("GRCh38", least_count=1)))
    finally:
        for node in genomes.nodes.values():
            node.start(AnalyticsSettings())
    assert result.summary["people"] == 3202, "nobody is there twice"
    not_compared = next(note for note in result.notes if "not compared with everybody" in note)
    assert not_compared.endswith(f": {893 + 633 + 601:,}.")
