# SPDX-License-Identifier: Apache-2.0
"""htsget as the standard's own schema has it, and each format plain and sealed as the field's own programs read it:
what the compliance suite of GA4GH asks of a server, in our words and with ids that are ours."""

import base64
import io
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from crypt4gh import lib
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from megagenome.standards.crypt4gh_keys import write_public_key
from tests.delivery.world import OPEN, OPEN_PEOPLE, World
from tests.journeys.delivering import DRS, HTSGET, Reader, nobody, place_of
from tests.journeys.network import Served
from tests.journeys.permit_node import DATASET

FORMATS = {"BAM": "reads", "CRAM": "reads", "VCF": "variants", "BCF": "variants"}


def place(world: World, kind: str) -> str:
    """Where a format is asked for."""
    return f"reads/{world.opened[kind]}" if FORMATS[kind] == "reads" else f"variants/{OPEN}"


def recipient(key: X25519PublicKey) -> dict[str, str]:
    return {"Htsget-Context-Public-Key": base64.b64encode(write_public_key(key).encode()).decode()}


def by_pypi(sealed: bytes, key: X25519PrivateKey) -> bytes:
    """Opened by the reference implementation of Crypt4GH."""
    out = io.BytesIO()
    lib.decrypt([(0, key.private_bytes_raw(), None)], io.BytesIO(sealed), out)
    return out.getvalue()


def viewed(content: bytes, kind: str, plain: Path) -> list[str]:
    """The records as samtools or bcftools print them."""
    reads = ["samtools", "view", "-T", str(plain / "reference.fa"), "-"]
    command = reads if FORMATS[kind] == "reads" else ["bcftools", "view", "-H", "-"]
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout.decode().splitlines()


@pytest.mark.bcftools
@pytest.mark.parametrize("kind", FORMATS)
def test_each_format_is_the_same_plain_and_sealed(delivering: Served, world: World, plain: Path, kind: str) -> None:
    reader, key = nobody(delivering), X25519PrivateKey.generate()
    unsealed = reader.fetch(place(world, kind), format=kind)
    asked = {"format": kind, "encryptionScheme": "c4gh"}
    url, fields = place_of(reader.ask(place(world, kind), recipient(key.public_key()), **asked))
    sealed = delivering.client.get(url, headers=fields).content
    assert sealed[:8] == b"crypt4gh"
    found = viewed(by_pypi(sealed, key), kind, plain)
    assert found == viewed(unsealed, kind, plain)
    kept = ["-s", ",".join(sorted(OPEN_PEOPLE[:11])), "-c", "1", "-I"]
    source = plain / (f"reads.{kind.lower()}" if FORMATS[kind] == "reads" else "open.vcf.gz")
    command = ["samtools", "view", "-T", plain / "reference.fa"] if FORMATS[kind] == "reads" else ["bcftools", "view"]
    options = [] if FORMATS[kind] == "reads" else ["-H", *kept]
    expected = subprocess.run([*command, *options, source], capture_output=True, check=True).stdout.decode()
    assert found == expected.splitlines()


def test_a_slice_by_permit_opens_with_the_reference_implementation(delivering: Served, world: World) -> None:
    reader = Reader(delivering)
    for path in (f"variants/{DATASET}", f"reads/{world.mine['BAM']}"):
        assert by_pypi(reader.fetch(path), world.key)[:2] == b"\x1f\x8b"


def test_both_doors_lead_to_one_range_service(delivering: Served, world: World) -> None:
    """The same address, and of a file the same bytes by either's ticket: one goes on with what the other began."""
    reader = Reader(delivering)
    for who, file in ((reader, world.mine["BAM"]), (nobody(delivering), world.opened["BAM"])):
        url, fields = who.ticket(f"reads/{file}")
        access = delivering.client.get(f"{DRS}/objects/{file}/access/https", headers=who.headers).json()
        theirs = dict(field.split(": ", 1) for field in access["headers"])
        assert access["url"] == url == f"{delivering.url}/delivery/{file}"
        one, other = (delivering.client.get(url, headers=each) for each in (fields, theirs))
        assert (one.content, one.headers["etag"]) == (other.content, other.headers["etag"])


@pytest.mark.parametrize("kind", ["BAM", "CRAM"])
def test_several_regions_of_reads_by_post(delivering: Served, world: World, plain: Path, kind: str) -> None:
    """Overlapping, out of order, of two references: what htslib fetches of each; each once, in the file's order."""
    regions = [("2", 100_000, 150_000), ("1", 900_000, 950_000), ("1", 940_000, 960_000), ("2", 390_000, None)]
    asked = [
        {"referenceName": name, "start": start} | ({} if end is None else {"end": end}) for name, start, end in regions
    ]
    answer = delivering.client.post(f"{HTSGET}/{place(world, kind)}", json={"format": kind, "regions": asked})
    url, fields = place_of(answer)
    mine = viewed(delivering.client.get(url, headers=fields).content, kind, plain)
    file, reference = plain / f"reads.{kind.lower()}", plain / "reference.fa"
    texts = [f"{name}:{start + 1}-{'' if end is None else end}" for name, start, end in regions]
    command = ["samtools", "view", "-T", reference, file]
    expected = subprocess.run([*command, *texts], capture_output=True, check=True, text=True).stdout.splitlines()
    whole = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    order = {line: k for k, line in enumerate(whole)}
    assert len(expected) > 100
    assert set(expected) <= set(mine)
    assert [order[line] for line in mine] == sorted({order[line] for line in mine})
    assert len(mine) < len(whole)


def test_the_default_format_is_the_standards(delivering: Served, world: World) -> None:
    for kind in ("BAM", "VCF"):
        assert nobody(delivering).ask(place(world, kind)).json()["htsget"]["format"] == kind
    assert nobody(delivering).ask(place(world, "VCF"), format="bcf").json()["htsget"]["format"] == "BCF"


def test_questions_that_are_said_again_at_the_block_change_nothing(delivering: Served, world: World) -> None:
    """As some clients do, which put what they asked of the ticket behind the address of the data, too."""
    url, fields = nobody(delivering).ticket(place(world, "BAM"))
    again = delivering.client.get(url, headers=fields, params={"format": "CRAM", "referenceName": "1"})
    assert again.content == delivering.client.get(url, headers=fields).content


@pytest.mark.parametrize("kind", FORMATS)
def test_an_answer_is_what_the_standards_schema_says(delivering: Served, world: World, shared: Path, kind: str) -> None:
    schema = {"BAM": "Reads", "CRAM": "Reads", "VCF": "Variants", "BCF": "Variants"}[kind]
    fits = validator(shared, f"htsgetResponse{schema}")
    for query in ({}, {"class": "header"}, {"referenceName": "22" if schema == "Variants" else "1", "end": 9}):
        answer = nobody(delivering).ask(place(world, kind), format=kind, **query).json()
        fits.validate(answer)
        assert answer.keys() == {"htsget"}
        assert answer["htsget"].keys() == {"format", "urls"}
        for part in answer["htsget"]["urls"]:
            assert part.keys() <= {"url", "headers", "class"}
            assert part["url"].startswith("http://")
            assert all(isinstance(value, str) for value in part["headers"].values())


@pytest.mark.parametrize(("kind", "formats"), [("reads", ["BAM", "CRAM"]), ("variants", ["VCF", "BCF"])])
def test_each_service_says_what_it_is(delivering: Served, shared: Path, kind: str, formats: list[str]) -> None:
    answer = delivering.client.get(f"{HTSGET}/{kind}/service-info")
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    validator(shared, "htsgetServiceInfo").validate(found)
    assert found["type"] == {"group": "org.ga4gh", "artifact": "htsget", "version": "1.3.0"}
    assert (found["htsget"]["datatype"], found["htsget"]["formats"]) == (kind, formats)
    assert found["htsget"]["fieldsParameterEffective"] is found["htsget"]["tagsParametersEffective"] is False


def validator(shared: Path, name: str) -> Any:
    """That of one of the specification's schemas; of the service-info of GA4GH, which it refers to, its own part."""
    document = yaml.safe_load((shared / "specs/htsget-1.3/htsget-openapi.yaml").read_text())
    document["components"]["schemas"]["ServiceInfo"] = {
        "type": "object",
        "required": ["id", "name", "type", "organization", "version"],
    }
    return jsonschema.Draft202012Validator({**document, "$ref": f"#/components/schemas/{name}"})
