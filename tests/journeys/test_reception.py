# SPDX-License-Identifier: Apache-2.0
"""A provider hands over genomes: sealed before they leave, killed on the way, validated, archived, receipted, looked at
by a data steward, and then in the dataset; and what is not what it should be is refused, and nothing of it is kept."""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from megagenome.app.node import open_node
from megagenome.identity.access_tokens import AccessTokens
from megagenome.identity.roles import Scope, grant_role
from megagenome.kernel.callers import Role
from megagenome.kernel.database import open_database, sqlite_url
from megagenome.kernel.public_keys import read_public_keys
from megagenome.reception.folder import RECEIPT, STATE
from megagenome.standards.submission import Preview, read_receipt
from tests.journeys.nations import make_node
from tests.journeys.network import Served, free_ports, megagenome
from tests.journeys.signed_in import Person, grant, subject
from tests.journeys.studying import Process
from tests.reception.handing_in import DATASET, MARKER, PEOPLE, calls, make_folder, samples, write_people, write_vcf

PATIENCE_S = 120.0


class World:
    """A node, its steward and a provider with a token."""

    def __init__(self, folder: Path) -> None:
        make_node(folder, "EE")
        settings = folder / "node.toml"
        port = free_ports(1)
        text = re.sub(r"port = \d+", f"port = {port}", settings.read_text())
        settings.write_text(text + "\n[archive]\nleast_free_bytes = 0\n")
        self.node = Process("node", folder)
        self.folder = folder
        served = self.node.start()
        self.provider, self.steward = Person(served, "Paula"), Person(served, "Sofia")
        grant(folder, "Sofia", Role.DATA_STEWARD)
        engine = open_database(sqlite_url(folder / "node.sqlite"))
        with engine.begin() as connection:
            grant_role(connection, subject("Paula"), Role.DATA_PROVIDER, Scope(dataset=DATASET), "test")
        self.token = AccessTokens(engine).make(subject("Paula"), "laptop")
        engine.dispose()

    @property
    def served(self) -> Served:
        return self.node.served

    def environment(self) -> dict[str, str]:
        return {**os.environ, "MEGAGENOME_TOKEN": self.token}

    def command(self, folder: Path, *more: str) -> list[str]:
        where = ["--to", self.served.url, "--dataset", DATASET, "--assembly", "GRCh37", "--json"]
        return [sys.executable, "-m", "megagenome", "send", str(folder), *where, *more]

    def send(self, folder: Path, *more: str) -> tuple[int, Any, str]:
        """Exit code, what was printed, what was said."""
        done = subprocess.run(
            self.command(folder, *more),
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr

    def parts(self) -> int:
        with closing(open_database(sqlite_url(self.folder / "node.sqlite")).raw_connection()) as connection:
            [(count,)] = connection.cursor().execute("SELECT count(*) FROM reception_part").fetchall()
            return int(count)

    def until(self, submission: str, *states: str) -> Any:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            shown = self.steward.get(f"/inbox/submissions/{submission}")
            if shown["state"] in states:
                return shown
            time.sleep(0.1)
        raise AssertionError(shown)

    def holds(self, marker: bytes) -> list[Path]:
        """The node's files in which these bytes stand."""
        return [path for path in self.folder.rglob("*") if path.is_file() and marker in path.read_bytes()]

    def kept(self) -> list[str]:
        """What lies in the inbox and the archive."""
        blobs = self.folder / "blobs"
        files = (path for path in blobs.rglob("*") if path.is_file() and path.suffix != ".shred")
        return sorted(path.relative_to(blobs).as_posix() for path in files)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    found = World(tmp_path_factory.mktemp("reception") / "node")
    yield found
    found.node.kill()


def test_files_go_sealed_from_a_folder_into_a_dataset_though_everybody_is_killed(world: World, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "files", reads=30_000)
    bam = (folder / "reads/S0.bam").read_bytes()
    in_bam = bam[len(bam) // 2 :][:64]
    sender = subprocess.Popen(world.command(folder), env=world.environment(), stdout=subprocess.DEVNULL)
    while world.parts() < 2:
        assert sender.poll() is None
        time.sleep(0.005)
    world.node.kill()
    there = world.parts()
    assert sender.poll() is None  # it waits for the node
    sender.send_signal(signal.SIGKILL)
    sender.wait()
    assert 2 <= there < 6
    assert (folder / STATE).stat().st_mode & 0o777 == 0o600
    served = world.node.start()
    world.provider.served = world.steward.served = served

    code, sent, said = world.send(folder)
    assert code == 0, said
    submission = sent["submission"]["id"]
    assert sent["submission"]["state"] == "reported"
    assert sent["report"]["result"] == "passed"
    assert not (folder / STATE).exists()
    assert "sealing for the key" in said

    # nothing of it is anywhere in the node as it was
    assert world.holds(MARKER.encode()) == world.holds(in_bam) == []

    # the receipt is the node's word for exactly these files
    keys = read_public_keys(served.get("/.well-known/jwks.json"))
    receipt = read_receipt((folder / RECEIPT).read_text().strip(), keys)
    assert receipt.submission == submission
    assert {each.path: each.sha256 for each in receipt.files} == {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in ("cohort.vcf.gz", "cohort.vcf.gz.tbi", "people.tsv", "reads/S0.bam", "reads/S0.bam.bai")
    }

    # the steward sees what would become public, before anything does
    preview = msgspec.convert(world.steward.get(f"/inbox/submissions/{submission}/preview"), Preview)
    assert (preview.people, preview.counted, preview.variants, preview.floor) == (PEOPLE, PEOPLE, len(calls()), 10)
    assert {each.sex: each.people for each in preview.strata} == {"female": PEOPLE // 2, "male": PEOPLE // 2}
    assert world.provider.call("GET", f"/inbox/submissions/{submission}/preview").status_code == 403
    assert (
        world.provider.call("POST", f"/inbox/submissions/{submission}/decision", json={"accept": True}).status_code
        == 403
    )

    world.steward.post(f"/inbox/submissions/{submission}/decision", {"accept": True})
    world.until(submission, "accepted")
    until = time.monotonic() + PATIENCE_S
    while any(name.startswith("inbox/") for name in world.kept()):
        assert time.monotonic() < until
        time.sleep(0.1)
    node = open_node(world.folder)
    [dataset] = node.collection.snapshot().datasets
    assert (dataset.id, dataset.state, dataset.individuals) == (DATASET, "draft", PEOPLE)
    node.collection.close()
    archived = json.loads(megagenome("node", "archive", "list", world.folder, "--json").stdout)
    by_name = {each["name"]: each for each in archived}
    assert {each["state"] for each in archived} == {"ready"}
    assert by_name["cohort.vcf.gz"]["samples"] == samples()
    assert by_name["reads/S0.bam"]["samples"] == ["S0"]
    assert by_name["reads/S0.bam.bai"]["index_of"] == by_name["reads/S0.bam"]["id"]
    assert served.get("/beacon/v2/datasets")["response"]["collections"] == []  # a draft is told to nobody

    megagenome("node", "dataset", world.folder, DATASET, "approve")
    megagenome("node", "dataset", world.folder, DATASET, "publish")
    time.sleep(0.3)
    at, mine = next(iter(calls().items()))
    copies = sum(call.count("1") for call in mine)
    query = {"requestParameters": {"assemblyId": "GRCh37", "referenceName": "22", "start": [at - 1]}}
    query["requestParameters"] |= {"referenceBases": "A", "alternateBases": "G"}
    asked = {"meta": {"apiVersion": "v2.0"}, "query": {"requestedGranularity": "record", **query}}
    told = json.dumps(served.post("/beacon/v2/g_variants", asked))
    assert f'"alleleCount": {copies}, "alleleNumber": {2 * PEOPLE}' in told or str(copies) in told
    assert json.loads(megagenome("node", "ledger", world.folder, "verify", "--json").stdout)


def send_bad(world: World, folder: Path, *more: str) -> tuple[Any, str]:
    """Send what is refused; what is reported, by file, and that nothing is left of it."""
    before = world.kept()
    code, sent, said = world.send(folder, *more)
    assert (code, sent is not None) == (3, True), said
    assert sent["submission"]["state"] == "refused"
    until = time.monotonic() + PATIENCE_S
    while world.kept() != before:
        assert time.monotonic() < until, world.kept()
        time.sleep(0.1)
    texts = {
        each["path"]: " ".join(message["message"] for message in each.get("messages", ()))
        for each in sent["report"]["files"]
    }
    return texts, sent["submission"]["problem"]


def small(folder: Path) -> Path:
    folder.mkdir()
    write_vcf(folder / "cohort.vcf.gz")
    write_people(folder / "people.tsv")
    return folder


def test_what_is_not_what_it_says_is_refused_by_file_and_reason(world: World, tmp_path: Path) -> None:
    cut = small(tmp_path / "cut")
    whole = (cut / "cohort.vcf.gz").read_bytes()
    (cut / "cohort.vcf.gz").write_bytes(whole[:-20])
    manifest = tmp_path / "manifest"
    shutil.copytree(small(tmp_path / "right"), manifest)

    strange = tmp_path / "strange"
    strange.mkdir()
    write_vcf(strange / "cohort.vcf.gz", [f"X{n}" for n in range(PEOPLE)])
    write_people(strange / "people.tsv")
    texts, _ = send_bad(world, strange)
    assert "X0" in texts["cohort.vcf.gz"]

    called = small(tmp_path / "called")
    (called / "reads.bam").write_bytes((called / "people.tsv").read_bytes())
    texts, _ = send_bad(world, called)
    assert "is called as bam" in texts["reads.bam"]

    other = small(tmp_path / "assembly")
    texts, _ = send_bad(world, other, "--assembly", "GRCh38")
    assert "50818468" in texts["cohort.vcf.gz"].replace(",", "") or "GRCh38" in texts["cohort.vcf.gz"]


def test_a_checksum_that_is_not_the_files_is_refused_here_and_there(world: World, tmp_path: Path) -> None:
    folder = small(tmp_path / "beside")
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  people.tsv\n")
    code, _, said = world.send(folder)
    assert code == 3
    assert "people.tsv is not as the checksum beside it says" in said
    assert not (folder / STATE).exists()

    # whoever does not compare is compared
    files = {name: (folder / name).read_bytes() for name in ("cohort.vcf.gz", "people.tsv")}
    stated = hand_in(world, files, sha256={"people.tsv": "0" * 64})
    shown = world.until(stated, "refused")
    report = world.provider.get(f"/inbox/submissions/{stated}/report")
    [people] = [each for each in report["files"] if each["path"] == "people.tsv"]
    assert people["result"] == "failed"
    assert "the manifest states 000000" in people["messages"][-1]["message"]
    assert "see the report" in shown["problem"]
    assert world.provider.call("GET", f"/inbox/submissions/{stated}/receipt").status_code == 409


def hand_in(world: World, files: dict[str, bytes], sha256: dict[str, str] | None = None, **other: Any) -> str:
    """A submission by other means than ours; its id. `sha256` states other checksums than the files'."""
    from megagenome.standards.crypt4gh_keys import read_public_key
    from megagenome.standards.crypt4gh_stream import seal

    recipient = read_public_key(world.served.client.get("/.well-known/c4gh-recipient").text)
    formats = {"cohort.vcf.gz": "vcf", "people.tsv": "people-table"}
    manifest = {
        "dataset": DATASET,
        "assembly": "GRCh37",
        "files": [
            {
                "path": name,
                "size_bytes": len(content),
                "sha256": (sha256 or {}).get(name) or hashlib.sha256(content).hexdigest(),
                "format": formats[name],
            }
            for name, content in files.items()
        ],
        "people": ["people.tsv"],
        **other,
    }
    submission = world.provider.post("/inbox/submissions", manifest)["id"]
    for number, content in enumerate(files.values()):
        sealed = b"".join(map(bytes, seal([content], [recipient])))
        digest = __import__("base64").b64encode(hashlib.sha256(sealed).digest()).decode()
        path = f"/inbox/submissions/{submission}/files/{number}/parts/0"
        headers = {"content-digest": f"sha-256=:{digest}:"}
        assert world.provider.call("PUT", path, content=sealed, headers=headers).status_code == 201
        assert world.provider.call("PUT", path, content=sealed, headers=headers).status_code == 200
    world.provider.post(f"/inbox/submissions/{submission}/complete", {"parts": [1] * len(files)})
    return str(submission)
