# SPDX-License-Identifier: Apache-2.0
"""The skeleton's claims: exact alleles over HTTP, loading beside bcftools, a node's start and memory, the hub.

People and genotypes are random, so that anybody can measure: 2,504 people, 10,000 sites, most of them rare; for
loading 10,000 people, 60,000 sites.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from benchmarks.harness.claim import Claim, claim
from benchmarks.harness.http_load import get, open_loop
from benchmarks.harness.measure import by_turns, cpu_s, pss_bytes, run, version
from megagenome.app.node import init_node, open_node
from megagenome.collection import Use
from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.load import load
from megagenome.collection.model import Sex
from megagenome.collection.people import People, Person
from megagenome.kernel.callers import PUBLIC
from megagenome.kernel.coordinates import Region
from megagenome.kernel.ids import Country, DatasetId, IndividualId, SampleId
from megagenome.standards.genotypes import Block, GenotypeSource
from megagenome.synthetic.write import write_genotypes

PEOPLE = 2504
SITES = 10_000
LOAD_PEOPLE = 10_000
LOAD_SITES = 60_000
REQUESTS = 10_000
RATE = 1000
START = 20_000_000
SHARED_VCF = "data/genomes/1kg_p3_chr22_16.05-16.64Mb.GRCh37.vcf.gz"


def claims(seed: int) -> Iterator[Claim]:
    """All of them."""
    genotypes = _genotypes(seed)
    with tempfile.TemporaryDirectory() as folder:
        yield from _load_claims(Path(folder), seed)
        yield from _http_claims(Path(folder), genotypes, seed)


class _Genotypes(NamedTuple):
    """Biallelic sites at every 40th base; calls int8 [sites, people, 2]."""

    starts: npt.NDArray[np.int64]
    calls: npt.NDArray[np.int8]

    def source(self, people: npt.NDArray[np.int64]) -> GenotypeSource:
        names = tuple(f"S{number}" for number in people)

        def blocks() -> Iterator[Block]:
            for first in range(0, SITES, 512):
                part = slice(first, first + 512)
                size = len(self.starts[part])
                calls = self.calls[part].take(people, axis=1)
                yield Block("22", self.starts[part], ["A"] * size, [("G",)] * size, calls)

        return GenotypeSource("random", names, {"22": 50_818_468}, blocks())


def _genotypes(seed: int) -> _Genotypes:
    """Frequencies as in a growing population: 1/f, down to one copy."""
    random = np.random.default_rng(seed)
    frequency = np.exp(random.uniform(np.log(0.5 / PEOPLE), np.log(0.5), SITES))
    calls = (random.random((SITES, PEOPLE, 2), np.float32) < frequency[:, None, None]).astype(np.int8)
    calls[random.random((SITES, PEOPLE)) < 0.002] = -1
    return _Genotypes(START + 40 * np.arange(SITES, dtype=np.int64), calls)


def _people(numbers: Iterable[int]) -> People:
    persons = [
        Person(
            individual_id=IndividualId(f"P{number}"),
            sample_id=SampleId(f"S{number}"),
            sex=(Sex.FEMALE, Sex.MALE)[number % 2],
            country=Country("EE"),
            population="Estonian",
            research_consent=True,
        )
        for number in numbers
    ]
    return People(persons, {}, {})


def _make_node(folder: Path, genotypes: _Genotypes, datasets: int) -> None:
    """A node whose people are spread evenly over open datasets."""
    init_node(folder, country="EE", name="", identity="", port=8601)
    node = open_node(folder)
    for number in range(datasets):
        mine = np.arange(number, PEOPLE, datasets)
        statement = DatasetStatement(DatasetId(f"GDI-EE-OPEN-{number}"), open=True, publish=True)
        load(node.collection, statement, _people(mine.tolist()), [genotypes.source(mine)], "GRCh38")
    node.collection.close()


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[tuple[int, int, float]]:
    """A node as a process of its own: its id, its port, and the seconds until it answered."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "megagenome", "node", "serve", str(folder), "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr
        line = next(line for line in process.stderr if line.startswith("ready on"))
        port = int(line.rpartition(":")[2])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer:
            assert answer.status == 200
        yield process.pid, port, time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


class _Asked(NamedTuple):
    """Requests, and the allele count and number that each must be told."""

    requests: list[bytes]
    expected: list[tuple[int, int]]


def _asked(genotypes: _Genotypes, seed: int, count: int = REQUESTS) -> _Asked:
    """Random alleles of which a third are absent."""
    random = np.random.default_rng(seed)
    sites = random.integers(0, SITES, count)
    absent = random.random(count) < 1 / 3
    ac = (genotypes.calls == 1).sum(axis=(1, 2))
    an = (genotypes.calls >= 0).sum(axis=(1, 2))
    path = "/beacon/v2/g_variants?assemblyId=GRCh38&referenceName=22&start={}&referenceBases=A&alternateBases={}"
    record = "&requestedGranularity=record"
    requests = [
        get((path + record).format(genotypes.starts[site], "T" if gone else "G"))
        for site, gone in zip(sites, absent, strict=True)
    ]
    there = [not gone and ac[site] > 0 for site, gone in zip(sites, absent, strict=True)]
    told = [(int(ac[s]), int(an[s])) if here else (0, 0) for s, here in zip(sites, there, strict=True)]
    return _Asked(requests, told)


def _right(bodies: Sequence[bytes], expected: Sequence[tuple[int, int]]) -> bool:
    """Whether every answer's totals, summed over its datasets, are those that were counted plainly."""
    for body, (ac, an) in zip(bodies, expected, strict=True):
        sets = msgspec.json.decode(body)["response"]["resultSets"]
        rows = [row for one in sets for row in one["results"]]
        totals = [row["frequencyInPopulations"][0]["frequencies"][0] for row in rows]
        found = sum(t["alleleCount"] for t in totals), sum(t["alleleNumber"] for t in totals)
        if found != (ac, an):
            return False
    return True


def _http_claims(folder: Path, genotypes: _Genotypes, seed: int) -> Iterator[Claim]:
    spent: dict[int, float] = {}
    words = f"exact allele over HTTP, {RATE} requests/s over 32 connections, {PEOPLE:,} people, a third absent"
    for datasets in (1, 8):
        where = folder / f"node{datasets}"
        _make_node(where, genotypes, datasets)
        asked = _asked(genotypes, seed)
        with _served(where) as (pid, port, start_s):
            if datasets == 1:
                yield claim("node answers after its start", "s", start_s, bar="ours <= 1.5")
                yield claim("node idle, all its processes (PSS)", "MB", pss_bytes(pid) / 1e6, bar="ours <= 150")
            open_loop(port, asked.requests[:1000], rate=RATE)  # warm
            before = cpu_s(pid)
            answers = open_loop(port, asked.requests, rate=RATE)
            spent[datasets] = (cpu_s(pid) - before) / len(asked.requests) * 1000
            equal = answers.wrong == 0 and _right(answers.bodies, asked.expected)
            yield claim(
                f"{words}, {datasets} datasets: p99", "ms", answers.quantile_ms(0.99), bar="ours < 10", equal=equal
            )
            yield claim(f"... {datasets} datasets: p50", "ms", answers.quantile_ms(0.5))
            yield claim(f"... {datasets} datasets: processor", "ms/request", spent[datasets])
            flood = open_loop(port, asked.requests, rate=1e9)
            yield claim(f"... {datasets} datasets: highest rate", "requests/s", len(asked.requests) / flood.elapsed_s)
    yield claim(
        "processor per request, 8 datasets beside 1",
        "ms/request",
        spent[8],
        peer=spent[1],
        peer_version="1 dataset",
        bar="ratio <= 1.2",
    )


def _load_source(seed: int) -> GenotypeSource:
    """So many calls that not only starting is measured. Where carriers are is drawn, not every call; frequencies are
    rarer than 1/f, as in a growing population: 3 % of the calls have an alternate, as in 1000 Genomes."""
    random = np.random.default_rng(seed)

    def blocks() -> Iterator[Block]:
        for first in range(0, LOAD_SITES, 512):
            starts = 17_000_000 + 40 * np.arange(first, min(first + 512, LOAD_SITES), dtype=np.int64)
            sites = len(starts)
            frequency = 0.5 * np.exp(-np.log(LOAD_PEOPLE) * np.sqrt(random.random(sites)))
            calls = np.zeros((sites, LOAD_PEOPLE, 2), np.int8)
            flat = calls.reshape(sites, -1)
            site = np.repeat(np.arange(sites), random.binomial(2 * LOAD_PEOPLE, frequency))
            flat[site, random.integers(0, 2 * LOAD_PEOPLE, len(site))] = 1
            missing = random.integers(0, sites * LOAD_PEOPLE, sites * LOAD_PEOPLE // 500)
            calls.reshape(-1, 2)[missing] = -1
            yield Block("22", starts, ["A"] * sites, [("G",)] * sites, calls)

    return GenotypeSource("random", tuple(f"S{n}" for n in range(LOAD_PEOPLE)), {"22": 50_818_468}, blocks())


def _load_claims(folder: Path, seed: int) -> Iterator[Claim]:
    bcf = folder / "random.bcf"
    write_genotypes(_load_source(seed), bcf, "megagenome benchmarks")
    table = folder / "people.tsv"
    rows = [f"P{n}\tS{n}\t{'female' if n % 2 == 0 else 'male'}\tEE\tEstonian\tyes" for n in range(LOAD_PEOPLE)]
    table.write_text("\n".join(["individual_id\tsample_id\tsex\tcountry\tpopulation\tconsent", *rows, ""]))
    yield _load_claim(folder, bcf, table, "GRCh38", f"load of a BCF, {LOAD_PEOPLE:,} people, {LOAD_SITES:,} sites")
    shared = Path(os.environ.get("MEGAGENOME_SHARED", Path(__file__).parents[2] / "shared")) / SHARED_VCF
    if shared.is_file():
        samples = subprocess.run(["bcftools", "query", "-l", shared], capture_output=True, text=True, check=True)
        rows = [f"{s}\t{s}\tunknown\tEE\t\tyes" for s in samples.stdout.split()]
        table.write_text("\n".join(["individual_id\tsample_id\tsex\tcountry\tpopulation\tconsent", *rows, ""]))
        yield _load_claim(folder, shared, table, "GRCh37", "load of 1000 Genomes chr22 16.05-16.64 Mb, VCF.gz")


def _load_claim(folder: Path, genotypes: Path, people: Path, assembly: str, words: str) -> Claim:
    """`megagenome node load`, whole process, beside `bcftools view -Ou`, whole process."""
    made = iter(range(100))
    totals: list[tuple[int, int]] = []

    def ours() -> float:
        node = folder / f"{genotypes.name}-{next(made)}"
        init_node(node, country="EE", name="", identity="", port=8601)
        command = [
            sys.executable,
            "-m",
            "megagenome",
            "node",
            "load",
            str(node),
            "--dataset",
            "D",
            "--open",
            "--publish",
        ]
        spent = run([*command, "--assembly", assembly, "--vcf", str(genotypes), "--individuals", str(people)])
        totals.append(_totals(node, assembly))
        return spent.cpu_s

    def peer() -> float:
        return run(["bcftools", "view", "-Ou", genotypes]).cpu_s

    mine, theirs = by_turns(ours, peer)
    equal = set(totals) == {_bcftools_totals(genotypes)}
    return claim(
        words, "CPU s", mine, peer=theirs, peer_version=version("bcftools") + " view -Ou", bar="ratio <= 6", equal=equal
    )


def _totals(node: Path, assembly: str) -> tuple[int, int]:
    """Sums of AC and AN over all alleles of chromosome 22."""
    opened = open_node(node)
    counts = opened.collection.open(PUBLIC, Use.RESEARCH).count_alleles(Region(assembly, "22", 0, 50_000_000))
    opened.collection.close()
    return int(counts.ac.sum()), int(counts.an.sum())


def _bcftools_totals(genotypes: Path) -> tuple[int, int]:
    """The same by bcftools; a record's AN counts once for each of its alleles."""
    filled = subprocess.Popen(
        ["bcftools", "+fill-tags", "-Ou", genotypes, "--", "-t", "AC,AN"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    told = subprocess.run(
        ["bcftools", "query", "-f", "%AC\t%AN\n", "-"], stdin=filled.stdout, capture_output=True, check=True, text=True
    ).stdout
    filled.wait()
    rows = [
        ([int(count) for count in ac.split(",")], int(an))
        for ac, an in (line.split("\t") for line in told.splitlines())
    ]
    return sum(sum(counts) for counts, _ in rows), sum(an * len(counts) for counts, an in rows)
