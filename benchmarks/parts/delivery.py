# SPDX-License-Identifier: Apache-2.0
"""Delivery over HTTP from a node of its own process: tickets for a part of a large BAM by permit; whole files and
slices of reads and of genotypes, sealed for the permit's environment; and how much memory each of these takes."""

import contextlib
import hashlib
import http.client
import itertools
import json
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pysam
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from benchmarks.harness.claim import Claim, claim
from benchmarks.harness.measure import cpu_s, pss_bytes
from benchmarks.parts.countersigning import countersign
from benchmarks.parts.node import PEOPLE, SITES, Served, people_of, random_genotypes, served
from benchmarks.parts.signed_in import ISSUER, signed_in, subject_named
from megagenome.app.archive import open_archive
from megagenome.app.ledger import open_keys
from megagenome.app.node import Node, init_node, open_node
from megagenome.collection.datasets import DatasetStatement, move_dataset
from megagenome.collection.environments import register_environment
from megagenome.collection.load import load
from megagenome.collection.model import DatasetState
from megagenome.kernel import clock
from megagenome.kernel.ids import DatasetId, PermitId
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.sealed_files import Described, Expected, FileId, new_file_id
from megagenome.network.joined_hub import note_answer, pin
from megagenome.standards import bgzf, cram
from megagenome.standards.crypt4gh import header_bytes
from megagenome.standards.crypt4gh_segments import sealed_size
from megagenome.standards.crypt4gh_stream import seal, unseal
from megagenome.standards.descriptor import meet, sign_descriptor

DATASET, PERMIT = DatasetId("GDI-EE-READS"), PermitId("permit-of-the-benchmark")
READS, BASES, CONTIG = 2_100_000, 150, 100_000_000
LEAST_BAM_BYTES = 300_000_000
BLOB_BYTES = 1 << 30
ROUNDS = 3
STREAMS = 4
MEMORY_BAR = "ours <= 64"
"""MiB a stream, whatever it sends."""
_TICKETS = 300
_AT_ONCE = 100_000
_ROOM = 4 << 20


class Prepared(NamedTuple):
    """A node with genotypes of many people, a BAM and a large file of one of them."""

    bam: FileId
    blob: FileId
    path: Path
    key: X25519PrivateKey


def claims(seed: int) -> Iterator[Claim]:
    """One node, asked by somebody who is signed in and whom a permit names."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        prepared = _prepare(Path(name), seed)
        node = stack.enter_context(served(Path(name) / "node"))
        asking = Asking(node, signed_in(Path(name) / "node", node.port, "reader"))
        yield _tickets(asking, prepared, seed)
        yield from _streams(asking, prepared)
        yield from _whole_file(asking, prepared)


class Asking:
    """Somebody with a session at a node."""

    def __init__(self, node: Served, headers: dict[str, str]) -> None:
        self.node, self._headers = node, headers
        self._connection = http.client.HTTPConnection("127.0.0.1", node.port)

    def json(self, path: str) -> dict[str, object]:
        """An answer."""
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {content[:300]!r}")
        decoded: dict[str, object] = json.loads(content)
        return decoded

    def slice_token(self, path: str) -> str:
        """The ticket of an answer of htsget, as `Authorization` has it."""
        token: str = self._anew(path)["htsget"]["urls"][0]["headers"]["Authorization"]  # type: ignore[index]  # as the standard has it
        return token

    def file_token(self, file: FileId) -> str:
        """A ticket for a whole file by DRS, the same."""
        header: str = self._anew(f"/ga4gh/drs/v1/objects/{file}/access/https")["headers"][0]  # type: ignore[index]  # as the standard has it
        return header.partition(": ")[2]

    def _anew(self, path: str) -> dict[str, object]:
        """An answer over a new connection: streams may have taken longer than the server keeps one on which nobody
        speaks."""
        self._connection.close()
        return self.json(path)

    def fetch(self, file: str, token: str, keep: bytearray | None = None) -> int:
        """Fetch what a ticket is for; how many bytes of content. With `keep`, also what they are."""
        with socket.create_connection(("127.0.0.1", self.node.port)) as sock:
            fields = f"Host: x\r\nAuthorization: {token}\r\nConnection: close\r\n\r\n"
            sock.sendall(f"GET /delivery/{file} HTTP/1.1\r\n{fields}".encode())
            room, size = bytearray(_ROOM), 0
            while got := sock.recv_into(room):
                if size == 0 and not room.startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(room[:200].decode(errors="replace"))
                size += got
                if keep is not None:
                    keep += room[:got]
            return size


def _tickets(asking: Asking, prepared: Prepared, seed: int) -> Claim:
    draw = np.random.default_rng(seed)
    times = []
    for start in draw.integers(0, CONTIG - 1_000_000, _TICKETS).tolist():
        began = time.perf_counter()
        asking.json(_slice(prepared.bam, start))
        times.append((time.perf_counter() - began) * 1e3)
    equal = _same_reads(asking, prepared, 37_000_000)
    return claim(
        f"p50 of a ticket over HTTP, by permit, for 1 Mb of a BAM of {prepared.path.stat().st_size:,} bytes",
        "ms",
        statistics.median(times),
        bar="ours < 5",
        equal=equal,
    )


def _slice(file: FileId, start: int) -> str:
    return f"/ga4gh/htsget/v1/reads/{file}?referenceName=1&start={start}&end={start + 1_000_000}"


def _same_reads(asking: Asking, prepared: Prepared, start: int) -> bool:
    """Whether a slice, opened and cut to its region, is what htslib fetches from the file."""
    kept = bytearray()
    asking.fetch(prepared.bam, asking.slice_token(_slice(prepared.bam, start)), kept)
    body = _unchunked(bytes(kept))
    plain = b"".join(unseal([body], [prepared.key]))
    sliced = prepared.path.with_name("slice.bam")
    sliced.write_bytes(plain)
    pysam.index(str(sliced))
    return _names(sliced, start) == _names(prepared.path, start)


def _names(path: Path, start: int) -> list[str | None]:
    with pysam.AlignmentFile(str(path)) as file:
        return [read.query_name for read in file.fetch("1", start, start + 1_000_000)]


def _unchunked(answer: bytes) -> bytes:
    _, _, rest = answer.partition(b"\r\n\r\n")
    out, at = bytearray(), 0
    while size := int(rest[at : (end := rest.index(b"\r\n", at))], 16):
        out += rest[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
    return bytes(out)


def _whole_file(asking: Asking, prepared: Prepared) -> Iterator[Claim]:
    asking.fetch(prepared.blob, asking.file_token(prepared.blob))
    walls, spent = [], []
    for _ in range(ROUNDS):
        before, began = cpu_s(asking.node.pid), time.perf_counter()
        size = asking.fetch(prepared.blob, asking.file_token(prepared.blob))
        walls.append(size / (time.perf_counter() - began) / 1e9)
        spent.append((cpu_s(asking.node.pid) - before) / (size / (1 << 30)))
    words = f"a whole file of {BLOB_BYTES >> 20} MiB, sealed for an environment, by one worker over loopback"
    yield claim(words, "GB/s", max(walls), bar="ours >= 1")
    yield claim(words, "CPU s/GiB of the server", min(spent), bar="ours <= 1")


class _Taken(NamedTuple):
    """What so many streams at once took of the server.

    most_bytes  its memory at most
    size_bytes  of content, of all streams
    """

    most_bytes: int
    size_bytes: int
    cpu_s: float
    wall_s: float


def _streams(asking: Asking, prepared: Prepared) -> Iterator[Claim]:
    """Several streams at once of each kind. Memory is over that from before the first of any kind, none warmed up: what
    an earlier kind left behind counts for a later one, too."""
    before = pss_bytes(asking.node.pid)

    def memory(words: str, taken: _Taken) -> Claim:
        each = (taken.most_bytes - before) / STREAMS / (1 << 20)
        return claim(f"memory of a stream, {STREAMS} at once of {words}", "MiB", each, bar=MEMORY_BAR)

    taken = _at_once(asking, prepared.blob, lambda: asking.file_token(prepared.blob))
    yield memory(f"a whole file of {BLOB_BYTES >> 20} MiB", taken)
    words = "slices of a whole chromosome, sealed for an environment"
    path = f"/ga4gh/htsget/v1/reads/{prepared.bam}?referenceName=1"
    taken = _at_once(asking, prepared.bam, lambda: asking.slice_token(path))
    yield memory(words, taken)
    yield claim(f"{STREAMS} {words}", "CPU s/GiB of the server", taken.cpu_s / (taken.size_bytes / (1 << 30)))
    speed = taken.size_bytes / taken.wall_s / 1e9
    yield claim(f"{STREAMS} {words}, by one worker over loopback", "GB/s", speed, bar="ours >= 1")
    words = f"genotypes of {PEOPLE:,} people at {SITES:,} alleles, as VCF"
    path = f"/ga4gh/htsget/v1/variants/{DATASET}"
    taken = _at_once(asking, f"{DATASET}/GRCh38", lambda: asking.slice_token(path))
    yield memory(words, taken)
    yield claim(f"{STREAMS} slices at once of {words}", "CPU µs/allele", taken.cpu_s / STREAMS / SITES * 1e6)


def _at_once(asking: Asking, place: str, token: Callable[[], str]) -> _Taken:
    """Fetch the same so many times at once, by a ticket for each."""
    node, tokens = asking.node.pid, [token() for _ in range(STREAMS)]
    sizes: list[int] = []
    spent, began, most = cpu_s(node), time.perf_counter(), 0
    threads = [threading.Thread(target=lambda one=one: sizes.append(asking.fetch(place, one))) for one in tokens]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        most = max(most, pss_bytes(node))
        time.sleep(0.02)
    if len(sizes) != STREAMS:
        raise RuntimeError(f"{STREAMS - len(sizes)} of {STREAMS} streams of {place} failed")
    return _Taken(most, sum(sizes), cpu_s(node) - spent, time.perf_counter() - began)


def _prepare(folder: Path, seed: int) -> Prepared:
    init_node(folder / "node", country="EE", name="", identity="", port=8601)
    with (folder / "node" / "node.toml").open("a", encoding="utf-8") as file:
        file.write(f'\n[signin]\nissuer = "{ISSUER}"\nclient_id = "node"\n')
    node, key = open_node(folder / "node"), X25519PrivateKey.generate()
    everybody = np.arange(PEOPLE)
    genotypes = random_genotypes(seed).source(everybody)
    load(node.collection, DatasetStatement(DATASET), people_of(everybody.tolist()), [genotypes], "GRCh38")
    with node.collection.engine.begin() as connection:
        move_dataset(connection, DATASET, DatasetState.APPROVED)
    _grant(node, folder, key)
    path = folder / "reads.bam"
    _write_bam(path, seed)
    if path.stat().st_size < LEAST_BAM_BYTES:
        raise RuntimeError(f"the BAM is smaller than what is claimed of it: {path.stat().st_size:,} bytes")
    blob = folder / "blob"
    begin = cram.write_beginning("@SQ\tSN:1\tLN:249250621\n", (3, 0))
    blob.write_bytes(begin + np.random.default_rng(seed).bytes(BLOB_BYTES - len(begin)))
    bam = _archive(node, path, Described(DATASET, "reads.bam", "BAM", ("S1",)))
    _archive(node, path.with_suffix(".bam.bai"), Described(DATASET, "reads.bam.bai", "BAI", ("S1",), bam))
    large = _archive(node, blob, Described(DATASET, "blob", "CRAM", ("S1",)))
    blob.unlink()
    node.collection.close()
    return Prepared(bam, large, path, key)


def _grant(node: Node, folder: Path, key: X25519PrivateKey) -> None:
    hub, now = SigningKeys.open(folder / "hub"), clock.now()
    token = sign_descriptor(
        hub,
        id="org.hub",
        kind="hub",
        name="Hub",
        country="",
        url="http://127.0.0.1:1",
        version="1",
        services=(),
        iat=int(now.timestamp()),
    )
    keys, me = open_keys(node.folder), node.settings.node
    with node.collection.engine.begin() as connection:
        countersign(connection, keys, me.id, me.country, PERMIT, DATASET, {subject_named("reader")})
        register_environment(connection, PERMIT, key.public_key().public_bytes_raw(), "workspace", "operator")
        pin(connection, meet(token), token)
        note_answer(connection, 0, now)


def _archive(node: Node, path: Path, described: Described) -> FileId:
    archive, file = open_archive(node), new_file_id()
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()

    def source() -> Iterator[bytes]:
        with path.open("rb") as opened:
            chunks = iter(lambda: opened.read(1 << 20), b"")
            yield from map(bytes, seal(chunks, [archive.keys.newest()[1]]))

    expected = Expected(digest, header_bytes(1) + sealed_size(path.stat().st_size))
    archive.ingest(file, 1, source, described, expected)
    archive.verify(file)
    with node.collection.engine.begin() as connection:
        archive.make_ready(connection, [file], "operator")
    return file


def _write_bam(path: Path, seed: int) -> None:
    """Reads of one length all along one contig, of random bases and qualities: no file is harder to compress."""
    draw = np.random.default_rng(seed)
    text = f"@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:1\tLN:{CONTIG}\n".encode()
    size = (len(text)).to_bytes(4, "little")
    header = b"BAM\1" + size + text + (1).to_bytes(4, "little") + (2).to_bytes(4, "little") + b"1\0"
    header += CONTIG.to_bytes(4, "little")
    starts = np.sort(draw.integers(0, CONTIG - BASES, READS)).astype("<i4")
    with path.open("wb") as out:
        for piece in itertools.chain(
            bgzf.blocks(header), *(_records(draw, starts, k) for k in range(0, READS, _AT_ONCE))
        ):
            out.write(piece)
        out.write(bgzf.END)
    pysam.index(str(path))


def _records(draw: np.random.Generator, starts: np.ndarray, first: int) -> Iterator[bytes]:
    here = starts[first : first + _AT_ONCE]
    kinds = np.dtype(
        [
            *(("size", "<i4"), ("reference", "<i4"), ("start", "<i4"), ("name_size", "u1"), ("quality", "u1")),
            *(
                ("bin", "<u2"),
                ("cigars", "<u2"),
                ("flag", "<u2"),
                ("bases", "<i4"),
                ("next", "<i4", 2),
                ("length", "<i4"),
            ),
            *(("name", "S12"), ("cigar", "<u4"), ("sequence", "u1", BASES // 2), ("qualities", "u1", BASES)),
        ]
    )
    records = np.zeros(len(here), kinds)
    records["size"] = kinds.itemsize - 4
    records["start"], records["name_size"], records["quality"] = here, 12, 60
    records["bin"] = 4681 + (here >> 14)  # of the smallest ones; no read here crosses into the next that matters
    records["cigars"], records["bases"], records["next"] = 1, BASES, -1
    records["name"] = [f"r{number:010}" for number in range(first, first + len(here))]
    records["cigar"] = BASES << 4
    pairs = draw.integers(0, 4, (2, len(here), BASES // 2), np.uint8)
    records["sequence"] = (1 << pairs[0]) << 4 | (1 << pairs[1])
    records["qualities"] = draw.integers(20, 36, (len(here), BASES), np.uint8)
    return bgzf.blocks(records.tobytes())
