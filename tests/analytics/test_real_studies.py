# SPDX-License-Identifier: Apache-2.0
"""Real genomes in real collections: studies over the nodes of four countries, and of five parts of the world, under
masks and through the coordinator, find what plink2 found in one file."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

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
from megagenome.standards.study import Category, Group, Linear, Logistic, Measured, Sex, Variants
from tests.analytics.sites import RealNode, RealWorld
from tests.collection import clocks
from tests.collection.conftest import no_ontology
from tests.network.joining import server
from tests.network.studies.nodes import ADA, PERMIT, AtOnce
from tests.oracles.cineca import HEIGHT, SUPER_POPULATIONS, Cineca, plink2, read_cineca, rounded

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


def _person(cineca: Cineca, k: int) -> Person:
    facts = [Fact(FactKind.MEASURE, HEIGHT, value=str(cineca.height[k]), unit="Centimeter")]
    facts += [Fact(FactKind.DISEASE, each) for each in sorted(cineca.diseases[k])]
    facts.append(Fact(FactKind.CUSTOM, "super_population", value=str(cineca.super_population[k])))
    return Person(
        IndividualId(cineca.samples[k]),
        SampleId(cineca.samples[k]),
        RecordedSex.FEMALE if cineca.sex[k] else RecordedSex.MALE,
        Country(str(cineca.country[k]) or "ZZ"),
        facts=tuple(facts),
        consent=YES,
    )


@contextlib.contextmanager
def _world(shared: Path, folder: Path, parts: Mapping[str, Any]) -> Iterator[RealWorld]:
    cineca, nodes = read_cineca(shared), {}
    for name, who in parts.items():
        collection = Collection.create(folder / name, no_ontology)
        stated = DatasetStatement(DatasetId(f"{name}-data"), open=True, publish=True)
        people = [_person(cineca, k) for k in np.flatnonzero(who).tolist()]
        load(collection, stated, People(people, {}, {}), [shared / FILE], "GRCh37")
        with collection.engine.begin() as connection:
            granted = clocks.permit(PERMIT, (f"{name}-data",), people=frozenset({str(ADA.subject)}))
            store_permit(connection, granted)
        collection.close()
        nodes[name] = FilledNode(name, folder / name)
    with server(folder / "hub", "org.example.hub") as at:
        yield RealWorld(at, nodes, AtOnce(), METHODS)
    for node in nodes.values():
        node.collection.close()


def _associations(world: RealWorld, **document: Any) -> tuple[dict[str, Any], dict[tuple[int, str, str], int]]:
    run = world.begin(**document)
    world.go(10_000)
    shown = world.show(run)
    assert shown.state == "finished", shown
    result = world.studies.result(ADA, run)
    columns = result.tables["associations"]
    places = zip(np.asarray(columns["pos1"]).tolist(), columns["ref"], columns["alt"], strict=True)
    return columns, {place: k for k, place in enumerate(places)}


def test_four_countries(shared: Path, tmp_path: Path) -> None:
    cineca = read_cineca(shared)
    parts = {f"node.{each.lower()}": cineca.country == each for each in ("FI", "GB", "ES", "IT")}
    with _world(shared, tmp_path, parts) as world:
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
    with _world(shared, tmp_path, parts) as world:
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
