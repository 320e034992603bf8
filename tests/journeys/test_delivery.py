# SPDX-License-Identifier: Apache-2.0
"""Files and slices from a real node: read by samtools, bcftools and the htsget client as they are where data are open,
and sealed for the permit's environment where they are not; until the permit, a consent or the ticket ends."""

import base64
import gzip
import io
import json
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import htsget
import httpx
import msgspec
import pysam
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from benchmarks.parts.passports.world import sign_passport
from megagenome.app.archive import open_archive
from megagenome.app.ledger import open_keys
from megagenome.app.node import open_node
from megagenome.delivery.tickets import Ticket, Tickets
from megagenome.kernel.ids import DatasetId
from megagenome.kernel.sealed_files import Described
from megagenome.standards.crypt4gh import read_header
from megagenome.standards.crypt4gh_keys import write_public_key
from megagenome.standards.crypt4gh_stream import unseal
from tests.delivery.world import OPEN, OPEN_PEOPLE, World, archive_file, open_records
from tests.journeys.delivering import HTSGET, Reader, error_of, nobody, opened, place_of, rows_of
from tests.journeys.network import Served, megagenome
from tests.journeys.permit_node import (
    DATASET,
    PERMIT,
    READER,
    calls,
    draft,
    permitted,
    table,
)


@pytest.fixture
def served(delivering: Served) -> Served:
    """A node that nothing changes."""
    return delivering


# Open data, by the field's own programs


def test_samtools_reads_open_reads(served: Served, world: World, plain: Path) -> None:
    for kind, query in (("BAM", ""), ("CRAM", "?format=CRAM")):
        file = plain / f"reads.{kind.lower()}"
        url = f"{served.url}{HTSGET}/reads/{world.opened[kind]}{query}"
        reference = ["-T", str(plain / "reference.fa")]
        mine = subprocess.run(["samtools", "view", *reference, url], capture_output=True, check=True).stdout
        assert mine == subprocess.run(["samtools", "view", *reference, file], capture_output=True, check=True).stdout


@pytest.mark.bcftools
@pytest.mark.parametrize("kind", ["VCF", "BCF"])
def test_bcftools_reads_open_genotypes(served: Served, plain: Path, kind: str) -> None:
    """But of him who says no, and what only he carries."""
    url = f"{served.url}{HTSGET}/variants/{OPEN}?format={kind}"
    mine = subprocess.run(["bcftools", "view", "-H", url], capture_output=True, check=True).stdout.decode().splitlines()
    kept = ",".join(sorted(OPEN_PEOPLE[:11]))
    command = ["bcftools", "view", "-H", "-s", kept, "-c", "1", "-I", plain / "open.vcf.gz"]
    theirs = subprocess.run(command, capture_output=True, check=True).stdout.decode().splitlines()
    assert len(theirs) > 100
    assert [line.split("\t") for line in mine] == [line.split("\t") for line in theirs]
    header = subprocess.run(["bcftools", "view", "-h", url], capture_output=True, check=True).stdout.decode()
    assert header.splitlines()[-1].split("\t")[9:] == sorted(OPEN_PEOPLE[:11])
    assert "##contig=<ID=22,length=51304566,assembly=GRCh37>" in header


def test_the_htsget_client_reads_open_parts(served: Served, world: World, plain: Path, tmp_path: Path) -> None:
    chance = random.Random(1)
    for turn in range(6):
        start = chance.randrange(2_900_000)
        end = start + chance.choice([1, 30_000, 2_000_000])
        path = tmp_path / f"{turn}.bam"
        with path.open("wb") as out:
            htsget.get(f"{served.url}{HTSGET}/reads/{world.opened['BAM']}", out, "1", start=start, end=end)
        with pysam.AlignmentFile(str(path)) as mine, pysam.AlignmentFile(str(plain / "reads.bam")) as file:
            expected = [str(read) for read in file.fetch("1", start, end)]
            assert set(expected) <= {str(read) for read in mine.fetch(until_eof=True)}
    whole = io.BytesIO()
    htsget.get(f"{served.url}{HTSGET}/reads/{world.opened['BAM']}", whole)
    assert whole.getvalue() == (plain / "reads.bam").read_bytes()


def test_regions_of_the_collection_are_exactly_those_of_the_file(served: Served) -> None:
    reader, chance = nobody(served), random.Random(2)
    carried = [r for r in open_records() if any("1" in call for call in r.calls[:11])]
    for _ in range(15):
        start = chance.randrange(16_000_000, 20_000_000)
        end = start + chance.choice([1, 65_536, 400_000, 4_000_000])
        found = rows_of(
            reader.fetch(f"variants/{OPEN}", referenceName=chance.choice(["22", "chr22"]), start=start, end=end)
        )
        overlap = [r for r in carried if r.contig == "22" and r.pos1 - 1 < end and r.pos1 - 1 + len(r.ref) > start]
        assert [(int(row[1]), row[3], row[4]) for row in found] == [(r.pos1, r.ref, r.alt) for r in overlap]
    body = {"format": "BCF", "regions": [{"referenceName": "X"}, {"referenceName": "22", "end": 17_000_001}]}
    answer = served.client.post(f"{HTSGET}/variants/{OPEN}", json=body)
    url, headers = place_of(answer)
    found = rows_of(served.client.get(url, headers=headers).content)
    assert [row[0] for row in found] == sorted((row[0] for row in found), key=["22", "X"].index)
    assert {row[0] for row in found} == {"22", "X"}
    assert all(int(row[1]) <= 17_000_001 for row in found if row[0] == "22")


def test_a_header_is_asked_for_alone(served: Served, world: World) -> None:
    reader = nobody(served)
    for path, kind in ((f"variants/{OPEN}", "VCF"), (f"reads/{world.opened['BAM']}", "BAM")):
        answer = reader.ask(path, **{"class": "header"})
        [part] = answer.json()["htsget"]["urls"]
        assert part["class"] == "header"
        content = served.client.get(part["url"], headers=part["headers"]).content
        assert gzip.decompress(content).startswith({"VCF": b"##fileformat=VCFv4.3", "BAM": b"BAM\1"}[kind])
        assert content.endswith(bytes.fromhex("1b0003000000000000000000"))
    assert rows_of(reader.fetch(f"variants/{OPEN}", **{"class": "header"})) == []


# Data that need a permit


def test_a_permit_brings_its_cohorts_columns_sealed_for_its_environment(served: Served, world: World) -> None:
    sealed = Reader(served).fetch(f"variants/{DATASET}")
    assert sealed[:8] == b"crypt4gh"
    text = gzip.decompress(opened(sealed, world)).decode()
    names = text.splitlines()[[line[:2] for line in text.splitlines()].index("#C")].split("\t")[9:]
    people = permitted()
    assert len(names) == len(people)
    assert not set(names) & {row["sample_id"] for row in table()}
    assert names == sorted(names)
    found = {int(row[1]): row[9:] for row in rows_of(opened(sealed, world))}
    expected = {at: sorted(mine[int(row["sample_id"][1:])] for row in people) for at, mine in calls().items()}
    assert {at: sorted(row) for at, row in found.items()} == {
        at: mine for at, mine in expected.items() if any("1" in call for call in mine)
    }


def test_own_files_come_whole_and_in_parts_and_nobody_elses(served: Served, world: World, plain: Path) -> None:
    reader = Reader(served)
    for kind in ("BAM", "CRAM"):
        sealed = reader.fetch(f"reads/{world.mine[kind]}", format=kind)
        assert sealed == reader.fetch(f"reads/{world.mine[kind]}", format=kind)
        whole = opened(sealed, world)
        assert records_of(whole, plain) == records_of((plain / f"reads.{kind.lower()}").read_bytes(), plain)
        cut = reader.fetch(f"reads/{world.mine[kind]}", format=kind, referenceName="2", end=5000)
        assert 0 < len(opened(cut, world)) < (plain / f"reads.{kind.lower()}").stat().st_size
        mine, others = (set(read_header(each, [world.key]).keys) for each in (sealed, cut))
        assert not mine & others, "a part says nothing of the whole file's key"
    unknown = reader.ask("reads/MGF-AAAAAAAAAAAAAAAA")
    other = reader.ask(f"reads/{world.theirs['BAM']}")
    assert error_of(other) == error_of(unknown) == (404, "NotFound")
    assert other.text.replace(world.theirs["BAM"], "") == unknown.text.replace("MGF-AAAAAAAAAAAAAAAA", "")
    for path in (f"reads/{world.mine['BAM']}", f"variants/{DATASET}"):
        assert error_of(nobody(served).ask(path)) == (401, "InvalidAuthentication")
        stranger = Reader(served, sign_passport(draft(served.url, "somebody-else"), []))
        assert error_of(stranger.ask(path)) == (403, "PermissionDenied")
    assert error_of(nobody(served).ask("variants/NO-SUCH-DATASET")) == (404, "NotFound")


def records_of(content: bytes, plain: Path) -> list[str]:
    """Reads, as samtools prints them."""
    command = ["samtools", "view", "-T", str(plain / "reference.fa"), "-"]
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout.decode().splitlines()


def names_in(content: bytes) -> list[str]:
    """The samples that a file's header names: of BAM or CRAM by samtools, of VCF as it stands there."""
    command = ["samtools", "view", "-H", "-"]
    text = subprocess.run(command, input=content, capture_output=True, check=True).stdout.decode()
    return [each[3:] for line in text.splitlines() for each in line.split("\t") if each.startswith("SM:")]


def test_reads_and_genotypes_name_people_alike_by_a_permit(served: Served, world: World) -> None:
    """By the permit's pseudonyms, in slices, headers and whole files; of open data as their provider does."""
    reader = Reader(served)
    text = gzip.decompress(opened(reader.fetch(f"variants/{DATASET}", **{"class": "header"}), world)).decode()
    columns = text.splitlines()[-1].split("\t")[9:]
    for kind in ("BAM", "CRAM"):
        place = f"reads/{world.mine[kind]}"
        asked: list[dict[str, str]] = [{}, {"class": "header"}, {"referenceName": "1"}]
        found = [names_in(opened(reader.fetch(place, format=kind, **each), world)) for each in asked]
        assert found[0] == found[1] == found[2]
        assert len(found[0]) == 1, "a read group of a sample that is unknown here has none"
        assert found[0][0] in columns
        assert world.me in names_in(nobody(served).fetch(f"reads/{world.opened[kind]}", format=kind))


def key_field(key: X25519PrivateKey) -> dict[str, str]:
    return {"Htsget-Context-Public-Key": base64.b64encode(write_public_key(key.public_key()).encode()).decode()}


def test_only_the_environments_key_is_sealed_for(served: Served, world: World) -> None:
    reader, foreign = Reader(served), X25519PrivateKey.generate()
    for path in (f"variants/{DATASET}", f"reads/{world.mine['BAM']}"):
        assert reader.ask(path, key_field(world.key), encryptionScheme="c4gh").status_code == 200
        assert error_of(reader.ask(path, key_field(foreign))) == (403, "PermissionDenied")
        assert error_of(reader.ask(path, {"Htsget-Context-Public-Key": "nonsense"})) == (400, "InvalidInput")
        assert error_of(reader.ask(path, encryptionScheme="rot13")) == (400, "InvalidInput")
    assert error_of(nobody(served).ask(f"variants/{OPEN}", encryptionScheme="C4GH")) == (400, "InvalidInput")
    url, headers = place_of(nobody(served).ask(f"variants/{OPEN}", key_field(foreign)))
    content = b"".join(unseal([served.client.get(url, headers=headers).content], [foreign]))
    assert gzip.decompress(content).startswith(b"##fileformat")


# Tickets


def test_a_ticket_opens_what_it_is_for_and_nothing_else(served: Served, world: World) -> None:
    reader = Reader(served)
    url, headers = reader.ticket(f"reads/{world.mine['BAM']}")
    other = url.replace(world.mine["BAM"], world.mine["CRAM"])
    client, token = served.client, headers["Authorization"]
    assert client.get(other, headers=headers).status_code == 401
    assert client.get(url).status_code == 401
    assert client.get(url, headers=reader.headers).status_code == 401, "a passport is no ticket"
    assert client.get(url, headers={"Authorization": token[:-6]}).status_code == 401
    assert client.get(f"{served.url}/beacon/v2/info", headers=headers).status_code == 401, "a ticket is no passport"
    keys, me = open_keys(served.folder), open_node(served.folder).settings.node.id
    mine = Ticket(READER, world.mine["BAM"], permit=PERMIT, use="research")

    def signed(ticket: Ticket, ticket_s: int = 900) -> dict[str, str]:
        return {"Authorization": "Bearer " + Tickets(keys.sign, keys.key_set(), me, ticket_s).make(ticket)}

    sealed = world.key.public_key().public_bytes_raw().hex()
    foreign = X25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    good = msgspec.structs.replace(mine, recipient=sealed)
    assert client.get(url, headers=signed(good)).status_code == 200
    assert client.get(url, headers=signed(good, ticket_s=-1)).status_code == 401
    assert client.get(url, headers=signed(msgspec.structs.replace(mine, recipient=foreign))).status_code == 403
    assert client.get(url, headers=signed(msgspec.structs.replace(good, subject=None))).status_code == 401
    assert client.get(url, headers=signed(msgspec.structs.replace(good, subject="other@x"))).status_code == 403
    assert client.get(url, headers=signed(msgspec.structs.replace(good, permit="", use=""))).status_code in (401, 403)


# What is refused, and what is told of it


@pytest.mark.parametrize(
    ("query", "status", "error"),
    [
        ({"referenceName": "nope"}, 404, "NotFound"),
        ({"start": "5"}, 400, "InvalidInput"),
        ({"referenceName": "1", "start": "5", "end": "4"}, 400, "InvalidRange"),
        ({"referenceName": "1", "start": "-5"}, 400, "InvalidInput"),
        ({"referenceName": "1", "end": str(1 << 32)}, 400, "InvalidInput"),
        ({"format": "CRAM"}, 400, "UnsupportedFormat"),
        ({"format": "PDF"}, 400, "UnsupportedFormat"),
        ({"class": "header", "referenceName": "1"}, 400, "InvalidInput"),
        ({"tags": "NM", "notags": "NM"}, 400, "InvalidInput"),
        ({"Megagenome": "x" * 3000}, 200, ""),
    ],
)
def test_bad_questions_have_the_standards_errors(
    served: Served, world: World, query: dict[str, str], status: int, error: str
) -> None:
    answer = nobody(served).ask(f"reads/{world.opened['BAM']}", {"origin": "https://igv.org"}, **query)
    assert answer.status_code == status
    assert answer.headers["access-control-allow-origin"] == "https://igv.org"
    if error:
        assert error_of(answer) == (status, error)


def test_nothing_is_sealed_for_a_key_that_hides_nothing(served: Served, world: World) -> None:
    for point in (bytes(32), bytes([1]) + bytes(31)):  # of low order: whatever is sealed for them, anybody reads
        key = base64.b64encode(point).decode()
        answer = nobody(served).ask(f"reads/{world.opened['BAM']}", {"Htsget-Context-Public-Key": key})
        assert error_of(answer) == (400, "InvalidInput")


def test_a_ticket_holds_a_thousand_regions(served: Served, world: World) -> None:
    path = f"{HTSGET}/reads/{world.opened['BAM']}"

    def regions(count: int) -> httpx.Response:
        apart = [{"referenceName": "1", "start": 3 * k, "end": 3 * k + 1} for k in range(count)]
        return served.client.post(path, json={"regions": apart})

    url, headers = place_of(regions(1000))
    assert served.client.get(url, headers=headers).status_code == 200
    for count, says in ((5_000, "ask for fewer at once, about a thousand"), (10_001, "at most 10,000 at once")):
        answer = regions(count)
        assert error_of(answer) == (413, "PayloadTooLarge")
        assert says in answer.json()["htsget"]["message"]
        assert "\n" not in answer.json()["htsget"]["message"]


def test_archived_genotypes_come_whole_and_the_refusal_says_how(own: Served, world: World, plain: Path) -> None:
    node = open_node(own.folder)
    described = Described(DatasetId(OPEN), "open.vcf.gz", "VCF", tuple(OPEN_PEOPLE[:2]))
    file = archive_file(open_archive(node), plain / "open.vcf.gz", described)
    hidden = archive_file(
        open_archive(node), plain / "open.vcf.gz", msgspec.structs.replace(described, samples=("O11",))
    )
    node.collection.close()
    reader = nobody(own)
    for path in (f"reads/{file}", f"variants/{file}"):
        answer = reader.ask(path, referenceName="22", start=1, end=2)
        assert error_of(answer) == (404, "NotFound")
        says = f"{file} is a VCF file: it is given whole, by DRS; genotypes are asked for by their dataset, {OPEN}"
        assert answer.json()["htsget"]["message"] == says
    reads = reader.ask(f"variants/{world.opened['BAM']}").json()["htsget"]["message"]
    assert "is a BAM file: ask for it below reads" in reads
    for secret in (hidden, "MGF-AAAAAAAAAAAAAAAA"):
        assert "DRS" not in reader.ask(f"variants/{secret}").text + reader.ask(f"reads/{secret}").text
    access = own.client.get(f"/ga4gh/drs/v1/objects/{file}/access/https").json()
    fields = dict(field.split(": ", 1) for field in access["headers"])
    assert own.client.get(access["url"], headers=fields).content == (plain / "open.vcf.gz").read_bytes()


def test_bad_bodies_are_refused(served: Served, world: World) -> None:
    path = f"{HTSGET}/reads/{world.opened['BAM']}"
    many = json.dumps({"regions": [{"referenceName": "1", "start": k, "end": k + 1} for k in range(0, 200_000, 2)]})
    for content, status, error in (
        ("", 400, "InvalidInput"),
        ("[", 400, "InvalidInput"),
        ('{"regions":[]}', 400, "InvalidInput"),
        ('{"regions":[{"referenceName":"1","start":4,"end":4}]}', 400, "InvalidRange"),
        ('{"regions":[{"referenceName":"9"}]}', 404, "NotFound"),
        (many, 413, "PayloadTooLarge"),
        ("[" * 1_000_000, 400, "InvalidInput"),
    ):
        answer = served.client.post(path, content=content)
        assert error_of(answer) == (status, error)
    assert error_of(served.client.post(f"{path}?format=BAM", json={})) == (400, "InvalidInput")
    preflight = served.client.options(path, headers={"origin": "https://igv.org"})
    assert preflight.headers["access-control-max-age"] == "2592000"
    assert "access-control-allow-credentials" not in preflight.headers


def test_nobody_fills_the_ledger_with_what_is_open(own: Served, world: World) -> None:
    """Ranges of an open file, by threads, and slices: two entries a minute each; by permit one for each."""
    places = [nobody(own).ticket(f"reads/{world.opened['BAM']}"), nobody(own).ticket(f"variants/{OPEN}")]

    def part(start: int) -> None:
        (url, headers), (sliced, its) = places
        answer = httpx.get(url, headers=headers | {"range": f"bytes={start}-{start}"}, trust_env=False, timeout=60)
        assert answer.status_code == 206
        assert httpx.get(sliced, headers=its, trust_env=False, timeout=60).status_code == 200

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(part, range(60)))
    url, headers = Reader(own).ticket(f"reads/{world.mine['BAM']}")
    for start in range(5):
        assert own.client.get(url, headers=headers | {"range": f"bytes={start}-"}).status_code == 206
    lines = megagenome("node", "ledger", own.folder, "export").stdout.splitlines()
    entries = [entry for entry in map(json.loads, lines) if "kind" in entry]
    free = [each["count"] for each in entries if each["detail"] == f"opened:{world.opened['BAM']}"]
    slices = [each["count"] for each in entries if each["kind"] == "slice" and each["dataset"] == OPEN]
    minutes = 3  # that the test may have touched
    assert 1 <= len(free) <= 2 * minutes
    assert 1 <= len(slices) <= 2 * minutes
    assert len([each for each in entries if each["detail"] == f"opened:{world.mine['BAM']}"]) == 5


def test_the_ledger_has_each_and_the_log_has_no_secret(own: Served, world: World) -> None:
    reader = Reader(own)
    tokens = []
    for path in (f"variants/{DATASET}", f"reads/{world.mine['BAM']}"):
        url, headers = reader.ticket(path)
        tokens.append(headers["Authorization"].split()[1])
        assert own.client.get(url, headers=headers).status_code == 200
        own.client.get(url, headers={"Authorization": tokens[-1]})
    url, headers = nobody(own).ticket(f"variants/{OPEN}")
    assert own.client.get(url, headers=headers).status_code == 200
    [lines] = [megagenome("node", "ledger", own.folder, "export").stdout]
    entries = [entry for entry in map(json.loads, lines.splitlines()) if "kind" in entry]
    told = {(each["kind"], each["dataset"], each["permit"], each["detail"].partition(":")[0]) for each in entries}
    assert ("slice", DATASET, PERMIT, "research") in told
    assert ("file", DATASET, PERMIT, "opened") in told
    assert ("slice", OPEN, "", "open") in told
    said = "".join(own.said)
    secrets = [*tokens, reader.headers["authorization"].split()[1], world.environment, "crypt4gh"]
    assert not [secret for secret in secrets if secret in said]
