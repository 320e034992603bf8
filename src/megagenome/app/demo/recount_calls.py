# SPDX-License-Identifier: Apache-2.0
"""Calls of real files as `bcftools query` prints them."""

import contextlib
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

from megagenome.kernel.coordinates import Allele
from megagenome.kernel.errors import Unavailable
from megagenome.reference import assembly

RECORDS = 120
"""Of each contig of a file so many records in its middle are counted."""
MOST_RECORDS = 2_000_000
"""Records of a file that are looked at to find these."""
AROUND = 2_000
"""Bases on both sides that are read too: records that begin before a stretch reach into it."""
_NOT_COUNTED = ("<NON_REF>", "<*>", ".")
"""What stands for no allele in particular."""


class Stretch(NamedTuple):
    """Part of a contig, 0-based half-open. `name` is the contig's in the file that it was chosen from."""

    contig: str
    name: str
    start: int
    end: int


class Calls(NamedTuple):
    """What the first record of an allele says: its 0-based start, the allele's number, genotypes by sample."""

    start: int
    number: int
    of: Mapping[str, str]


Alleles = dict[Allele, Calls]


def require_bcftools() -> None:
    """Raise `Unavailable`, naming the package, where there is no bcftools."""
    if shutil.which("bcftools") is None:
        raise Unavailable(
            "demo --check with --data recounts with bcftools, which is not installed: sudo apt-get install bcftools"
        )


def find_stretches(path: Path) -> list[Stretch]:
    """A stretch of each contig that the file has records of, by the file's order, as its own names say."""
    positions: dict[str, list[int]] = {}
    with _query(path, "%CHROM\t%POS\n") as lines:
        for line in islice(lines, MOST_RECORDS):
            name, pos1 = line.split("\t")
            positions.setdefault(name, []).append(int(pos1) - 1)
    found = []
    for name, starts in positions.items():
        first = max(0, len(starts) // 2 - RECORDS // 2)
        chosen = starts[first : first + RECORDS]
        found.append(Stretch(_plain(name), name, chosen[0], chosen[-1] + 1))
    return found


def read_alleles(path: Path, samples: Sequence[str], stretches: Sequence[Stretch], genome: str) -> Alleles:
    """Every allele in and around the stretches, parsimonious; a second record of one allele is left out."""
    names = list(dict.fromkeys(samples))
    found: Alleles = {}
    with tempfile.NamedTemporaryFile("w", suffix=".bed") as bed:
        _write_bed(bed, stretches)
        with _query(path, "%CHROM\t%POS\t%REF\t%ALT[\t%GT]\n", names, bed.name) as lines:
            for line in lines:
                name, pos1, ref, alts, *genotypes = line.rstrip("\n").split("\t")
                start = int(pos1) - 1
                calls = dict(zip(names, genotypes, strict=True))
                for number, alt in enumerate(alts.split(","), 1):
                    if alt not in _NOT_COUNTED:
                        contig = assembly(genome).contig(name).name
                        allele = Allele(genome, contig, start, ref.upper(), alt.upper()).parsimonious()
                        found.setdefault(allele, Calls(start, number, calls))
    return found


def count_call(genotype: str, number: int, expected: int) -> tuple[int, int]:
    """Of one person's genotype the copies of an allele, and the alleles called, where `expected` copies are there.

    Where one is expected, a homozygous call of two counts once and a heterozygous one is missing.
    """
    alleles = genotype.replace("|", "/").split("/")
    if expected == 1 and len(alleles) == 2:
        alleles = alleles[:1] if alleles[0] == alleles[1] else []
    called = [allele for allele in alleles if allele != "."] if expected else []
    return called.count(str(number)), len(called)


def _write_bed(file: IO[str], stretches: Sequence[Stretch]) -> None:
    for stretch in stretches:
        # files may name contigs otherwise than the one that the stretch was chosen from
        for name in {stretch.name, stretch.contig, f"chr{stretch.contig}", f"chr{stretch.contig[:1]}"}:
            file.write(f"{name}\t{max(0, stretch.start - AROUND)}\t{stretch.end + AROUND}\n")
    file.flush()


def _plain(name: str) -> str:
    plain = name.removeprefix("chr")
    return "MT" if plain == "M" else plain


@contextlib.contextmanager
def _query(path: Path, form: str, samples: Sequence[str] = (), bed: str = "") -> Iterator[Iterator[str]]:
    """The lines that `bcftools query` prints; it is ended when they are not read to their end."""
    command = ["bcftools", "query", "-f", form]
    command += ["-s", ",".join(samples)] if samples else []
    if bed:
        indexed = any(path.with_name(path.name + ending).is_file() for ending in (".tbi", ".csi"))
        command += ["-R" if indexed else "-T", bed]
    with subprocess.Popen([*command, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        stdout, stderr = process.stdout, process.stderr
        if stdout is None or stderr is None:
            raise Unavailable("bcftools was started without pipes")
        yield stdout
        stdout.close()
        says = stderr.read().strip().splitlines()
    if process.returncode not in (0, -signal.SIGPIPE):
        raise Unavailable(f"bcftools query failed on {path}: {says[-1] if says else process.returncode}")
