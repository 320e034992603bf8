# SPDX-License-Identifier: Apache-2.0
"""One node's scans of 20,000 people at 50,000 common alleles, beside NumPy's products of them, decoded."""

import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from benchmarks.harness.claim import Claim, claim
from megagenome.app.journal import LedgerJournal
from megagenome.app.ledger import open_ledger
from megagenome.app.node import init_node, open_node
from megagenome.collection import Collection
from megagenome.collection.cohort import EVERYONE
from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.load import load
from megagenome.collection.model import Sex, Use
from megagenome.collection.people import YES, People, Person
from megagenome.collection.permit_reading import PermitReading
from megagenome.collection.permits import GrantedPermit, store_permit
from megagenome.collection.scan import GenotypeScan
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller
from megagenome.kernel.coordinates import Region
from megagenome.kernel.ids import Country, DatasetId, IndividualId, PermitId, SampleId
from megagenome.standards.genotypes import MISSING, Block, GenotypeSource
from megagenome.synthetic.governance import made_up_record

PEOPLE, ALLELES = 20_000, 50_000
CONTIGS = 22
ROUNDS = 3
_AT_ONCE = 256
_DATASET, _PERMIT = DatasetId("D"), PermitId("permit")
_READER = Caller("reader@https://login.example.org", "Reader")
_REGIONS = [Region("GRCh38", str(contig), 0, 1 << 28) for contig in range(1, CONTIGS + 1)]
Floats = npt.NDArray[np.float64]
Answer = TypeVar("Answer")


def claims(seed: int) -> Iterator[Claim]:
    """In this process, from mapped files that were read before."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "node"
        init_node(folder, country="EE", name="", identity="", port=8601)
        opened = open_node(folder)
        collection = opened.collection
        _fill(collection, seed)
        collection.journal = LedgerJournal(open_ledger(folder, collection.engine, opened.settings.node.id))
        reading = collection.open(_READER, Use.RESEARCH, permit=_PERMIT)
        yield from _of(reading, np.random.default_rng(seed))
        collection.close()


def _of(reading: PermitReading, random: np.random.Generator) -> Iterator[Claim]:
    size = f"{PEOPLE:,} people x {ALLELES:,} alleles"
    alleles, listing_s = _measured(lambda: reading.alleles(_REGIONS))
    yield claim(f"listing the alleles of {size}", "CPU s", listing_s)
    scan, planning_s = _measured(lambda: reading.scan(alleles))
    yield claim(f"finding their rows: {size}", "CPU s", planning_s)
    _, counting_s = _measured(scan.count)
    yield claim(f"counting genotypes: {size}", "CPU s", counting_s)
    x, w = random.normal(size=(PEOPLE, 8)), random.normal(size=(ALLELES, 20))
    yield _compared(
        f"copies times 8 columns of people: {size}", scan, lambda: scan.project(x).copies, _Decoded(x, None)
    )
    yield _compared(f"copies times 20 columns of alleles: {size}", scan, lambda: scan.spread(w), _Decoded(None, w))


class _Decoded:
    """The products that NumPy makes of genotypes as numbers, some alleles at a time."""

    def __init__(self, x: Floats | None, w: Floats | None) -> None:
        self._x, self._w = x, w

    def of(self, scan: GenotypeScan) -> tuple[Floats, float]:
        """The answer, and the CPU seconds of the products alone: decoding is ours."""
        parts: list[Floats] = []
        total, spent = np.zeros((PEOPLE, 0 if self._w is None else self._w.shape[1])), 0.0
        for low in range(0, ALLELES, _AT_ONCE):
            some = np.arange(low, min(low + _AT_ONCE, ALLELES))
            copies = np.nan_to_num(scan.dosages(some), nan=0.0)
            before = time.process_time()
            if self._x is not None:
                parts.append(copies @ self._x)
            if self._w is not None:
                total += copies.T @ self._w[some]
            spent += time.process_time() - before
        return (np.concatenate(parts) if parts else total), spent


def _compared(words: str, scan: GenotypeScan, ask: Callable[[], Floats], decoded: _Decoded) -> Claim:
    mine, ours_s = _measured(ask)
    theirs, peer_s = decoded.of(scan)
    equal = bool(np.abs(mine - theirs).max() <= 1e-9 * max(1.0, float(np.abs(theirs).max())))
    version = f"NumPy {np.__version__}, float64 products alone"
    return claim(words, "CPU s", ours_s, peer=peer_s, peer_version=version, bar="ratio <= 0.5", equal=equal)


def _measured(ask: Callable[[], Answer]) -> tuple[Answer, float]:
    """What it answers, and the CPU seconds of the fastest of some times."""
    answer, spent = _once(ask)
    for _ in range(ROUNDS - 1):
        answer, again = _once(ask)
        spent = min(spent, again)
    return answer, spent


def _once(ask: Callable[[], Answer]) -> tuple[Answer, float]:
    before = time.process_time()
    return ask(), time.process_time() - before


def _fill(collection: Collection, seed: int) -> None:
    people = [
        Person(IndividualId(f"P{n}"), SampleId(f"S{n}"), (Sex.FEMALE, Sex.MALE)[n % 2], Country("EE"), "", consent=YES)
        for n in range(PEOPLE)
    ]
    samples = tuple(f"S{n}" for n in range(PEOPLE))
    source = GenotypeSource("random", samples, {}, _blocks(np.random.default_rng(seed)))
    load(
        collection,
        DatasetStatement(_DATASET, publish=True, record=made_up_record(_DATASET)),
        People(people, {}, {}),
        [source],
        "GRCh38",
    )
    now, uses, readers = clock.now(), frozenset({Use.RESEARCH}), frozenset({str(_READER.subject)})
    ends = now + timedelta(days=1)
    permit = GrantedPermit(_PERMIT, "sha256:permit", EVERYONE, (_DATASET,), uses, readers, now, ends, "", "signed")
    with collection.engine.begin() as connection:
        store_permit(connection, permit)


def _blocks(random: np.random.Generator) -> Iterator[Block]:
    """Frequencies of alternates are as 1/f from 1 to 99 %, in steps of 1/256; 0.5 % of the calls are missing."""
    for contig, alleles in enumerate(np.array_split(np.arange(ALLELES), CONTIGS), 1):
        for low in range(0, len(alleles), _AT_ONCE):
            sites = min(_AT_ONCE, len(alleles) - low)
            frequency = np.exp(random.uniform(np.log(0.01), np.log(0.99), sites))
            steps = np.clip((256 * frequency).round(), 2, 254).astype(np.uint8)
            drawn = np.frombuffer(random.bytes(sites * PEOPLE * 2), np.uint8).reshape(sites, PEOPLE, 2)
            calls = (drawn < steps[:, None, None]).astype(np.int8)
            calls.reshape(-1, 2)[random.integers(0, sites * PEOPLE, sites * PEOPLE // 200)] = MISSING
            starts = 10_000_000 + 550 * np.arange(low, low + sites, dtype=np.int64)
            yield Block(str(contig), starts, ["A"] * sites, [("G",)] * sites, calls)
