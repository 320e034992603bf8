# SPDX-License-Identifier: Apache-2.0
"""People of some countries for studies: in nodes that a permit opens, and in one plink file.

Countries hold twelve kinds of people, each as far from the others as no other, so that eleven components stand apart.
Frequencies are those of common alleles, a call in 500 is missing, sixty alleles have an effect on the height.
"""

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.app.node import init_node, open_node
from megagenome.collection.cohort import EVERYONE
from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.load import load
from megagenome.collection.model import Sex, Use
from megagenome.collection.people import YES, Fact, FactKind, People, Person
from megagenome.collection.permits import GrantedPermit, store_permit
from megagenome.kernel import clock
from megagenome.kernel.ids import Country, DatasetId, IndividualId, PermitId, SampleId
from megagenome.standards.genotypes import Block, GenotypeSource

COUNTRIES = ("EE", "FI", "SE", "NO", "DK", "LV", "LT", "PL", "DE", "NL")
READER = "reader@https://login.example.org"
PERMIT = PermitId("permit")
KINDS = 12
MISSING = 0.002
CONTIGS = 22
_AT_ONCE = 256

Bytes = npt.NDArray[np.int8]


class Study(NamedTuple):
    """What was made.

    sizes    people of each country
    alleles  in all
    """

    folder: Path
    sizes: tuple[int, ...]
    alleles: int

    def node(self, country: str) -> Path:
        """A country's node."""
        return self.folder / f"node-{country}"

    @property
    def countries(self) -> tuple[str, ...]:
        """Whose nodes there are."""
        return COUNTRIES[: len(self.sizes)]

    @property
    def plink(self) -> Path:
        """What plink's three files are called, without their endings; `.tsv` has traits and covariates."""
        return self.folder / "all"


def make_study(folder: Path, seed: int, sizes: tuple[int, ...], alleles: int) -> Study:
    """Everything on disk."""
    study, random = Study(folder, sizes, alleles), np.random.default_rng(seed)
    people = _Everybody(random, sum(sizes))
    with (folder / "all.bed").open("wb") as bed:
        bed.write(b"\x6c\x1b\x01")
        parts: dict[str, list[Block]] = {country: [] for country in study.countries}
        for block, copies in _blocks(people, random, alleles):
            people.add_effects(copies)
            bed.write(_bed(copies))
            for country, at in zip(study.countries, _slices(sizes), strict=True):
                parts[country].append(block._replace(calls=_calls(copies[:, at])))
    people.write(study)
    for country, at in zip(study.countries, _slices(sizes), strict=True):
        _make_node(
            study.node(country), country, [people.person(k, country) for k in range(at.start, at.stop)], parts[country]
        )
    return study


class _Everybody:
    """Everybody's traits and covariates, and of which kind they are."""

    def __init__(self, random: np.random.Generator, size: int) -> None:
        self._random = random
        self.kind = random.integers(0, KINDS, size)
        self.sex = random.integers(0, 2, size)
        self.covariates = random.normal(0, 1, (size, 4)).round(5)
        self._genetic = np.zeros(size)
        self._effects = 0

    def add_effects(self, copies: Bytes) -> None:
        """One allele of each of the first sixty blocks has an effect."""
        if self._effects < 60:
            self._genetic += self._random.normal(0, 0.4) * np.maximum(copies[0], 0)
            self._effects += 1

    def columns(self) -> dict[str, list[str]]:
        """Traits and covariates as texts."""
        if not hasattr(self, "_written"):
            size = len(self.sex)
            height = (
                170 + 5 * self.sex + self.covariates @ [1, 0.5, 0, 0] + self._genetic + self._random.normal(0, 5, size)
            )
            sick = self._random.random(size) < 1 / (1 + np.exp(1.9 - 0.05 * (height - height.mean())))
            self._written = {
                "height": [f"{each:.5f}" for each in height],
                "sick": [str(int(each)) for each in sick],
                "days": [str(round(each)) for each in self._random.exponential(900, size)],
                "dead": [str(int(each)) for each in self._random.random(size) < 0.6],
                **{f"c{k + 1}": [f"{each:.5f}" for each in self.covariates[:, k]] for k in range(4)},
            }
        return self._written

    def person(self, k: int, country: str) -> Person:
        """The k-th."""
        facts = tuple(Fact(FactKind.CUSTOM, name, value=values[k]) for name, values in self.columns().items())
        sex = Sex.FEMALE if self.sex[k] else Sex.MALE
        name = f"P{k}"
        return Person(IndividualId(name), SampleId(name), sex, Country(country), facts=facts, consent=YES)

    def write(self, study: Study) -> None:
        """For plink2, which takes cases for 2 and controls for 1."""
        columns, n = self.columns(), len(self.sex)
        fam = (f"0\tP{k}\t0\t0\t{2 if self.sex[k] else 1}\t-9\n" for k in range(n))
        study.plink.with_suffix(".fam").write_text("".join(fam))
        places = ((c, p) for c, starts in _starts(study.alleles) for p in starts.tolist())
        bim = (f"{c}\t{c}:{p + 1}:A:G\t0\t{p + 1}\tG\tA\n" for c, p in places)
        study.plink.with_suffix(".bim").write_text("".join(bim))
        rows = ["#IID\theight\tsick\tsex\tc1\tc2\tc3\tc4\n"]
        for k in range(n):
            trait = (columns["height"][k], str(1 + int(columns["sick"][k])))
            rest = (str(self.sex[k]), *(columns[f"c{j}"][k] for j in range(1, 5)))
            rows.append("\t".join((f"P{k}", *trait, *rest)) + "\n")
        study.plink.with_suffix(".tsv").write_text("".join(rows))


def _slices(sizes: tuple[int, ...]) -> list[slice]:
    ends = np.cumsum(sizes).tolist()
    return [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]


def _starts(alleles: int) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    per = -(-alleles // CONTIGS)
    for k in range(CONTIGS):
        yield str(k + 1), 1_000_000 + 60 * np.arange(min(per, alleles - k * per), dtype=np.int64)


def _blocks(people: _Everybody, random: np.random.Generator, alleles: int) -> Iterator[tuple[Block, Bytes]]:
    """Blocks without calls yet, and the copies, int8 [alleles, people], -1 where missing."""
    of_kind = [np.flatnonzero(people.kind == kind) for kind in range(KINDS)]
    for contig, starts in _starts(alleles):
        for first in range(0, len(starts), _AT_ONCE):
            some = starts[first : first + _AT_ONCE]
            # from 1 % on, rare ones more often
            base = 0.01 * (50 ** random.random(len(some)))[:, None]
            spread = (
                np.sqrt(base * (1 - base)) * np.linspace(0.02, 0.2, KINDS) * random.normal(0, 1, (len(some), KINDS))
            )
            frequency = np.clip(base + spread, 0.005, 0.995)
            copies = np.empty((len(some), len(people.kind)), np.int8)
            for kind, mine in enumerate(of_kind):
                drawn = random.random((2, len(some), len(mine)), np.float32) < frequency[:, kind, None]
                copies[:, mine] = drawn.sum(axis=0, dtype=np.int8)
            missing = random.integers(0, copies.size, int(copies.size * MISSING))
            copies.reshape(-1)[missing] = -1
            nothing = np.zeros((0, 0, 2), np.int8)
            yield Block(contig, some, ["A"] * len(some), [("G",)] * len(some), nothing), copies


def _calls(copies: Bytes) -> Bytes:
    calls = np.empty((*copies.shape, 2), np.int8)
    calls[..., 0] = np.where(copies < 0, -1, copies > 1)
    calls[..., 1] = np.where(copies < 0, -1, copies > 0)
    return calls


def _bed(copies: Bytes) -> bytes:
    """plink's bits: 00 two copies of A1, 10 one, 11 none, 01 missing; four people a byte."""
    codes = np.array([3, 2, 0, 1], np.uint8)[copies]
    short = -copies.shape[1] % 4
    four = np.pad(codes, ((0, 0), (0, short))).reshape(len(codes), -1, 4)
    packed: npt.NDArray[Any] = four[..., 0] | four[..., 1] << 2 | four[..., 2] << 4 | four[..., 3] << 6
    return packed.tobytes()


def _make_node(folder: Path, country: str, people: list[Person], blocks: list[Block]) -> None:
    init_node(folder, country=country, name="", identity="", port=8601)
    node = open_node(folder)
    dataset = DatasetId(f"D-{country}")
    source = GenotypeSource("random", tuple(str(each.sample_id) for each in people), {}, iter(blocks))
    load(
        node.collection, DatasetStatement(dataset, open=True, publish=True), People(people, {}, {}), [source], "GRCh38"
    )
    now = clock.now()
    granted = GrantedPermit(
        PERMIT,
        "sha256:permit",
        EVERYONE,
        (dataset,),
        frozenset({Use.RESEARCH}),
        frozenset({READER}),
        now - timedelta(hours=1),
        now + timedelta(days=1),
        "",
        "signed",
    )
    with node.collection.engine.begin() as connection:
        store_permit(connection, granted)
    node.collection.close()


def plink2_version() -> str:
    """Such as `plink2 v2.00a3.5`."""
    said = subprocess.run(["plink2", "--version"], capture_output=True, text=True, check=True).stdout
    return said.split("(")[0].strip().replace("PLINK", "plink2")
