# SPDX-License-Identifier: Apache-2.0
"""BCF records as genotype blocks, without a Python object per call."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from megagenome.kernel.coordinates import is_symbolic
from megagenome.kernel.errors import Invalid
from megagenome.standards import bcf
from megagenome.standards.genotypes import Block, Calls

RECORDS_PER_BLOCK = 512

Places = npt.NDArray[np.int64]


class Waiting:
    """Records of one contig and one width of genotypes, that will be a block."""

    def __init__(self, path: Path, samples: int, kept: Places | None) -> None:
        """Of records of `samples` samples only those at `kept` go into the block; None: all."""
        self._path = path
        self._samples = samples
        self._kept = kept
        self.contig = ""
        self.records: list[bcf.Record] = []
        self._bodies: list[bytes] = []

    def takes(self, contig: str, record: bcf.Record) -> bool:
        """Whether the record can be of the same block."""
        if not self.records:
            return True
        return contig == self.contig and record.width == self.records[0].width and len(self.records) < RECORDS_PER_BLOCK

    def add(self, contig: str, record: bcf.Record, body: bytes) -> None:
        """Put a record into the block."""
        self.contig = contig
        self.records.append(record)
        self._bodies.append(body)

    def block(self) -> Block:
        """All of them as a block."""
        records = self.records
        calls = bcf.as_calls(self._raw())
        listed = np.array([len(record.alleles) - 1 for record in records])
        highest = calls.reshape(len(records), -1).max(axis=1)
        if (wrong := np.flatnonzero(highest > listed)).size:
            at = int(wrong[0])
            raise self._refused(at, f"a call of allele {highest[at]}, the record lists {listed[at]}")
        return Block(
            self.contig,
            np.array([record.start for record in records], np.int64),
            [record.alleles[0].upper() for record in records],
            [tuple(_spelled(alt) for alt in record.alleles[1:]) for record in records],
            calls,
        )

    def _raw(self) -> Calls:
        """BCF's integers, [records, samples, 2], writable; those of a haploid record have no second allele."""
        first = self.records[0]
        dtype = np.dtype(f"<i{first.width}")
        raw = bytearray().join(
            body[record.at : record.at + self._samples * record.ploidy * record.width]
            if record.ploidy == 2
            else self._as_pairs(number, record, body, dtype)
            for number, (record, body) in enumerate(zip(self.records, self._bodies, strict=True))
        )
        calls = np.frombuffer(raw, dtype).reshape(len(self.records), self._samples, 2)
        return calls if self._kept is None else calls.take(self._kept, axis=1)

    def _as_pairs(self, number: int, record: bcf.Record, body: bytes, dtype: "np.dtype[Any]") -> bytes:
        """The integers of a record with another ploidy than 2, as pairs."""
        absent = np.iinfo(dtype).min + 1
        pairs = np.full((self._samples, 2), absent, dtype)
        if record.ploidy == 0:
            pairs[:, 0] = 0
            return pairs.tobytes()
        called = np.frombuffer(body, dtype, self._samples * record.ploidy, record.at)
        called = called.reshape(self._samples, record.ploidy)
        longer = called[:, 2:] if self._kept is None else called[self._kept, 2:]
        if (longer != absent).any():
            raise self._refused(number, f"a call of {record.ploidy} alleles; at most 2 are understood")
        pairs[:, : min(2, record.ploidy)] = called[:, :2]
        return pairs.tobytes()

    def _refused(self, at: int, what: str) -> Invalid:
        return Invalid(f"{self._path}: {self.contig}:{self.records[at].start + 1}: {what}")


def _spelled(alt: str) -> str:
    """Bases in upper case; symbols and breakends as they are."""
    return alt if is_symbolic(alt) else alt.upper()
