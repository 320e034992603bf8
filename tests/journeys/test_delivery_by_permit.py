# SPDX-License-Identifier: Apache-2.0
"""What a permit brings by ways that are not a plain GET: several regions by POST, and the field's own client."""

import base64
import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from benchmarks.parts.passports.world import sign_passport
from megagenome.kernel.errors import NotEntitled
from megagenome.standards.crypt4gh_keys import write_private_key, write_public_key
from megagenome.standards.crypt4gh_stream import unseal
from tests.delivery.world import World
from tests.journeys.delivering import HTSGET, Reader, error_of, nobody, opened, rows_of
from tests.journeys.network import Served
from tests.journeys.permit_node import DATASET, POSITIONS, calls, draft, permitted, table

REGIONS = [("2", 100_000, 150_000), ("1", 900_000, 950_000), ("1", 940_000, 960_000)]
FIRST, LAST = POSITIONS[3], POSITIONS[-4]
"""Positions (1-based) at edges of regions."""


def viewed(plain: Path, *arguments: str | Path, content: bytes | None = None) -> list[str]:
    """Reads, as samtools prints them."""
    command = ["samtools", "view", "-T", plain / "reference.fa", *arguments]
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout.decode().splitlines()


def carried(positions: set[int]) -> dict[int, list[str]]:
    """The calls of the permit's people where one of them carries the allele, in no order."""
    found = {at: sorted(mine[int(row["sample_id"][1:])] for row in permitted()) for at, mine in calls().items()}
    return {at: mine for at, mine in found.items() if at in positions and any("1" in call for call in mine)}


def told(content: bytes) -> dict[int, list[str]]:
    """The same of a VCF or BCF file."""
    return {int(row[1]): sorted(row[9:]) for row in rows_of(content)}


def require_sealed(sealed: bytes) -> None:
    """It is Crypt4GH, and not for just any key."""
    assert sealed[:8] == b"crypt4gh"
    with pytest.raises(NotEntitled):
        b"".join(unseal([sealed], [X25519PrivateKey.generate()]))


@pytest.mark.parametrize("kind", ["BAM", "CRAM"])
def test_reads_by_post_are_sealed_for_the_environment(delivering: Served, world: World, plain: Path, kind: str) -> None:
    """Of several regions, what htslib fetches of them, each read once."""
    asked = [{"referenceName": name, "start": start, "end": end} for name, start, end in REGIONS]
    reader = Reader(delivering)
    sealed = reader.fetched(reader.post(f"reads/{world.mine[kind]}", format=kind, regions=asked))
    require_sealed(sealed)
    content = opened(sealed, world)
    mine, file = viewed(plain, "-", content=content), plain / f"reads.{kind.lower()}"
    expected = viewed(plain, file, *(f"{name}:{start + 1}-{end}" for name, start, end in REGIONS))
    assert len(expected) > 100
    assert set(expected) <= set(mine)
    assert len(mine) == len(set(mine)) < len(viewed(plain, file))
    header = "\n".join(viewed(plain, "-H", "-", content=content))
    assert "/hospital/" not in header
    assert f"SM:{world.me}" not in header


@pytest.mark.bcftools
@pytest.mark.parametrize("kind", ["VCF", "BCF"])
def test_genotypes_by_post_are_sealed_for_the_environment(delivering: Served, world: World, kind: str) -> None:
    """Of several regions, the columns of the permit's cohort and the alleles that one of them carries."""
    asked = [
        {"referenceName": "chr22", "start": LAST - 1},
        {"referenceName": "22", "start": 16_000_000, "end": FIRST},
    ]
    reader = Reader(delivering)
    sealed = reader.fetched(reader.post(f"variants/{DATASET}", format=kind, regions=asked))
    require_sealed(sealed)
    content = opened(sealed, world)
    if kind == "VCF":
        names = next(line for line in gzip.decompress(content).decode().splitlines() if line.startswith("#CHROM"))
        assert len(names.split("\t")[9:]) == len(permitted())
        assert not set(names.split("\t")[9:]) & {row["sample_id"] for row in table()}
    expected = carried({at for at in POSITIONS if at <= FIRST or at >= LAST})
    assert {at <= FIRST for at in expected} == {True, False}, "of both regions"
    assert told(content) == expected


def test_a_post_says_no_more_than_a_get(delivering: Served, world: World) -> None:
    """To nobody, to whom the permit does not name, for another key, and of another's file."""
    foreign = write_public_key(X25519PrivateKey.generate().public_key())
    field = {"Htsget-Context-Public-Key": base64.b64encode(foreign.encode()).decode()}
    reader = Reader(delivering)
    stranger = Reader(delivering, sign_passport(draft(delivering.url, "somebody-else"), []))
    for path, region in (
        (f"reads/{world.mine['BAM']}", {"referenceName": "1", "end": 9_000}),
        (f"variants/{DATASET}", {"referenceName": "22", "end": 17_000_000}),
    ):
        body: dict[str, Any] = {"regions": [region]}
        assert error_of(nobody(delivering).post(path, **body)) == (401, "InvalidAuthentication")
        assert error_of(stranger.post(path, **body)) == (403, "PermissionDenied")
        assert error_of(reader.post(path, field, **body)) == (403, "PermissionDenied")
        assert error_of(reader.post(path, **body, encryptionScheme="rot13")) == (400, "InvalidInput")
        assert reader.post(path, **body, encryptionScheme="C4GH").status_code == 200
    theirs, unknown = (f"reads/{file}" for file in (world.theirs["BAM"], "MGF-AAAAAAAAAAAAAAAA"))
    region = {"referenceName": "1", "end": 9_000}
    assert error_of(reader.post(theirs, regions=[region])) == (404, "NotFound")
    assert error_of(reader.post(unknown, regions=[region])) == (404, "NotFound")


# The field's own client, as the page on delivery has it


def by_client(url: str, to: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """PyPI's `htsget`, whose errors come at once."""
    program = Path(sys.executable).with_name("htsget")
    command = [str(program), url, *arguments, "-M", "0", "-O", str(to)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def by_pypi(sealed: Path, key: Path) -> bytes:
    """Opened by PyPI's `crypt4gh`."""
    command = [sys.executable, "-m", "crypt4gh", "decrypt", "--sk", str(key)]
    return subprocess.run(command, input=sealed.read_bytes(), capture_output=True, check=True).stdout


@pytest.fixture
def secret(world: World, tmp_path: Path) -> Path:
    """The environment's key file."""
    path = tmp_path / "environment.sec"
    path.write_text(write_private_key(world.key))
    path.chmod(0o600)
    return path


@pytest.mark.bcftools
def test_the_htsget_client_fetches_genotypes_by_a_passport(delivering: Served, secret: Path, tmp_path: Path) -> None:
    url, sealed = f"{delivering.url}{HTSGET}/variants/{DATASET}", tmp_path / "slice.vcf.gz.c4gh"
    region = ["-r", "22", "-s", str(FIRST - 1), "-e", str(LAST)]
    refused = by_client(url, sealed, *region)
    assert refused.returncode == 1
    assert "401" in refused.stderr
    passport = sign_passport(draft(delivering.url), [])
    done = by_client(url, sealed, *region, "--bearer-token", passport)
    assert done.returncode == 0, done.stderr
    require_sealed(sealed.read_bytes())
    assert told(by_pypi(sealed, secret)) == carried({at for at in POSITIONS if FIRST <= at <= LAST})


@pytest.mark.parametrize("kind", ["BAM", "CRAM"])
def test_the_htsget_client_fetches_reads_by_a_passport(
    delivering: Served, world: World, plain: Path, secret: Path, tmp_path: Path, kind: str
) -> None:
    url, sealed = f"{delivering.url}{HTSGET}/reads/{world.mine[kind]}", tmp_path / "reads.c4gh"
    passport = sign_passport(draft(delivering.url), [])
    file = plain / f"reads.{kind.lower()}"
    done = by_client(url, sealed, "-f", kind, "--bearer-token", passport)
    assert done.returncode == 0, done.stderr
    assert viewed(plain, "-", content=by_pypi(sealed, secret)) == viewed(plain, file)
    region = ["-r", "2", "-s", "100000", "-e", "150000"]
    done = by_client(url, sealed, "-f", kind, *region, "--bearer-token", passport)
    assert done.returncode == 0, done.stderr
    expected = viewed(plain, file, "2:100001-150000")
    assert expected
    assert set(expected) <= set(viewed(plain, "-", content=by_pypi(sealed, secret)))
