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
from collections.abc import Callable, Iterator
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
from megagenome.standards.catalogue_pages import PublicPreview
from megagenome.standards.crypt4gh_keys import read_public_key
from megagenome.standards.crypt4gh_stream import seal
from megagenome.standards.dataset_record import encode_record
from megagenome.standards.submission import Preview, content_digest, read_receipt
from megagenome.synthetic.governance import made_up_record
from tests.journeys.nations import make_node
from tests.journeys.network import Served, beacon_query, free_ports, megagenome
from tests.journeys.signed_in import Person, grant, subject
from tests.journeys.studying import Process
from tests.reception.handing_in import DATASET, MARKER, PEOPLE, calls, make_folder, samples, write_people, write_vcf
from tests.reception.receptions import manifest_of

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

    def command(self, folder: Path, assembly: str = "GRCh37") -> list[str]:
        where = ["--to", self.served.url, "--dataset", DATASET, "--assembly", assembly, "--json"]
        return [sys.executable, "-m", "megagenome", "send", str(folder), *where]

    def send(self, folder: Path, assembly: str = "GRCh37") -> tuple[int, Any, str]:
        """Exit code, what was printed, what was said."""
        done = subprocess.run(
            self.command(folder, assembly),
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
    listed = json.loads(megagenome("node", "archive", "list", world.folder, "--json").stdout)
    archived = [each for each in listed if each["state"] != "shredded"]  # those are other stories'
    by_name = {each["name"]: each for each in archived}
    assert {each["state"] for each in archived} == {"ready"}
    assert by_name["cohort.vcf.gz"]["samples"] == samples()
    assert by_name["reads/S0.bam"]["samples"] == ["S0"]
    assert by_name["reads/S0.bam.bai"]["index_of"] == by_name["reads/S0.bam"]["id"]
    assert by_name["reads/S0.bam.bai"]["samples"] == ["S0"]
    assert served.get("/beacon/v2/datasets")["response"]["collections"] == []  # a draft is told to nobody

    record = tmp_path / "dataset.json"
    record.write_text(encode_record(made_up_record(DATASET)))
    megagenome("node", "metadata", world.folder, DATASET, record)
    before = look_at_what_becomes_public(world)
    megagenome("node", "dataset", world.folder, DATASET, "approve")
    megagenome("node", "dataset", world.folder, DATASET, "publish")
    time.sleep(0.3)
    at, mine = next(iter(calls().items()))
    place = {"assemblyId": "GRCh37", "referenceName": "22", "start": [at - 1]}
    asked = {"requestParameters": {**place, "referenceBases": "A", "alternateBases": "G"}}
    told = json.dumps(served.post("/beacon/v2/g_variants", beacon_query(**asked)))
    copies = sum(call.count("1") for call in mine)
    assert f'"alleleCount": {copies}' in told
    assert f'"alleleNumber": {2 * PEOPLE}' in told
    assert undated(world.steward.call("GET", f"/fairdp/dataset/{DATASET}.ttl").text) == before
    lose_and_find_again(world, {each["id"] for each in archived})
    assert "archived:" in megagenome("node", "ledger", world.folder, "export").stdout
    assert json.loads(megagenome("node", "ledger", world.folder, "verify", "--json").stdout)["fine"]


def lose_and_find_again(world: World, files: set[str]) -> None:
    """The archive's rows of these files are lost, and while the node serves the operator lets all of them out again."""
    engine = open_database(sqlite_url(world.folder / "node.sqlite"))
    with engine.begin() as connection:
        for table, column in (("archive_header", "file"), ("archive_file", "id")):
            for file in files:
                connection.exec_driver_sql(f"DELETE FROM {table} WHERE {column} = ?", (file,))
    engine.dispose()

    def says() -> str:
        return megagenome("node", "check", world.folder, check=False).stdout

    said = megagenome("node", "archive", "rebuild", world.folder).stdout
    assert all(file in said for file in files)
    assert f"{len(files)} archived files are not given out" in " ".join(says().split())
    megagenome("node", "archive", "verify", world.folder)
    done = json.loads(megagenome("node", "archive", "ready", world.folder, "--dataset", DATASET, "--json").stdout)
    assert {each["id"]: each["state"] for each in done} == dict.fromkeys(files, "ready")
    assert "are not given out" not in " ".join(says().split())


def look_at_what_becomes_public(world: World) -> str:
    """The description as it will be, whose numbers are those that the rule lets out. It leaves no trace."""
    before = entries(world)
    found = msgspec.convert(world.steward.get(f"/metadata/{DATASET}/preview"), PublicPreview)
    copies = [sum(call.count("1") for call in mine) for mine in calls().values()]
    told = sum(10 <= count <= 2 * PEOPLE - 10 for count in copies)
    answers = found.answers
    assert answers is not None
    assert (found.state, answers.people, answers.people_told, answers.floor) == ("draft", PEOPLE, True, 10)
    assert (answers.alleles, answers.alleles_held_back) == (told, len(copies) - told)
    assert (answers.files, answers.files_kept) == (2, 3)  # reads with their index; what names people stays
    page = world.steward.call("GET", f"/datasets/{DATASET}/preview")
    assert (page.status_code, page.headers["cache-control"]) == (200, "no-store, private")
    turtle = f"/metadata/{DATASET}/preview/index.ttl"
    for path in (turtle, f"/metadata/{DATASET}/preview", f"/datasets/{DATASET}/preview"):
        assert world.provider.call("GET", path).status_code == 403
    shown = world.steward.call("GET", turtle).text
    assert entries(world) == before
    return undated(shown)


def entries(world: World) -> list[str]:
    """The ledger's, without the heads that an export signs anew."""
    exported = megagenome("node", "ledger", world.folder, "export").stdout.splitlines()
    return [line for line in exported if not line.startswith('{"head"')]


def undated(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", "WHEN", text)


def send_bad(world: World, folder: Path, assembly: str = "GRCh37") -> dict[str, str]:
    """Send what is refused; what its report says, by file. Nothing is left of it."""
    before = world.kept()
    code, sent, said = world.send(folder, assembly=assembly)
    assert (code, sent is not None) == (3, True), said
    assert sent["submission"]["state"] == "refused"
    assert "see the report" in sent["submission"]["problem"]
    assert not (folder / STATE).exists()
    wait_for_nothing(world, before)
    return messages(sent["report"])


def messages(report: Any) -> dict[str, str]:
    return {
        each["path"]: " ".join(
            f"{message.get('line', '')} {message['message']}" for message in each.get("messages", ())
        )
        for each in report["files"]
    }


def wait_for_nothing(world: World, before: list[str]) -> None:
    until = time.monotonic() + PATIENCE_S
    while world.kept() != before:
        assert time.monotonic() < until, world.kept()
        time.sleep(0.1)


def small(folder: Path) -> Path:
    folder.mkdir()
    write_vcf(folder / "cohort.vcf.gz")
    write_people(folder / "people.tsv")
    return folder


def strangers(folder: Path) -> str:
    write_vcf(folder / "cohort.vcf.gz", [f"X{n}" for n in range(PEOPLE)])
    return "has samples X0, X1"


def called_otherwise(folder: Path) -> str:
    (folder / "cohort.vcf.gz").unlink()
    (folder / "cohort.vcf.gz.tbi").unlink()
    (folder / "reads.bam").write_bytes((folder / "people.tsv").read_bytes())
    return "is called as bam is, yet it holds people-table"


def of_another_file(folder: Path) -> str:
    other = folder.parent / f"{folder.name}-other"
    other.mkdir()
    index = write_vcf(other / "cohort.vcf.gz", records=3).with_name("cohort.vcf.gz.tbi")
    shutil.copyfile(index, folder / "cohort.vcf.gz.tbi")
    return "says 3 records of contig 22"


@pytest.mark.parametrize(
    ("spoil", "file", "assembly"),
    [
        (strangers, "cohort.vcf.gz", "GRCh37"),
        (called_otherwise, "reads.bam", "GRCh37"),
        (of_another_file, "cohort.vcf.gz.tbi", "GRCh37"),
        (lambda _folder: "GRCh38", "cohort.vcf.gz", "GRCh38"),
    ],
    ids=["strangers", "called otherwise", "index of another file", "wrong assembly"],
)
def test_what_is_not_what_it_says_is_refused_by_file_and_reason(
    world: World, tmp_path: Path, spoil: Callable[[Path], str], file: str, assembly: str
) -> None:
    folder = small(tmp_path / "files")
    says = spoil(folder)
    told = send_bad(world, folder, assembly)
    assert says in told[file]
    assert told["people.tsv"].strip() == ""


def test_a_checksum_beside_a_file_is_compared_before_anything_is_sent(world: World, tmp_path: Path) -> None:
    folder = small(tmp_path / "files")
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  people.tsv\n")
    code, _, said = world.send(folder)
    assert code == 3
    assert "people.tsv is not as the checksum beside it says" in said
    assert not (folder / STATE).exists()


def hand_in(world: World, files: dict[str, bytes], stated: dict[str, bytes]) -> str:
    """Send files by other means than ours, under the manifest of others; the submission's id."""
    recipient = read_public_key(world.served.client.get("/.well-known/c4gh-recipient").text)
    manifest = manifest_of(stated)
    content = msgspec.json.encode(manifest)
    json_ = {"content-type": "application/json"}
    begun = world.provider.call("POST", "/inbox/submissions", content=content, headers=json_)
    assert begun.status_code == 201, begun.text
    path = f"/inbox/submissions/{begun.json()['id']}"
    for number, file in enumerate(manifest.files):
        sealed = b"".join(map(bytes, seal([files[file.path]], [recipient])))
        headers = {"content-digest": content_digest(hashlib.sha256(sealed).digest())}
        put = f"{path}/files/{number}/parts/0"
        assert world.provider.call("PUT", put, content=sealed, headers=headers).status_code == 201
        assert world.provider.call("PUT", put, content=sealed, headers=headers).status_code == 200
        assert world.provider.call("PUT", put, content=sealed + b"x", headers=headers).status_code == 400
    world.provider.post(f"{path}/complete", {"parts": [1] * len(manifest.files)})
    return str(begun.json()["id"])


def test_what_is_not_as_the_manifest_states_is_refused_by_the_node_too(world: World, tmp_path: Path) -> None:
    folder, before = small(tmp_path / "files"), world.kept()
    files = {name: (folder / name).read_bytes() for name in ("cohort.vcf.gz", "people.tsv")}
    cut = files | {"cohort.vcf.gz": files["cohort.vcf.gz"][:-500]}
    swapped = files | {"people.tsv": files["people.tsv"].replace(b"female", b"FEMALE")}
    grown = files | {"people.tsv": files["people.tsv"] + b"EE-999\tS999\tmale\tEE\t\tyes\t\n"}
    for sent, file, says in (
        (cut, "cohort.vcf.gz", "it was cut short"),
        (swapped, "people.tsv", "the manifest states"),
        (grown, "people.tsv", "holds more than the"),
    ):
        ident = hand_in(world, sent, files)
        world.until(ident, "refused")
        assert says in messages(world.provider.get(f"/inbox/submissions/{ident}/report"))[file]
        assert world.provider.call("GET", f"/inbox/submissions/{ident}/receipt").status_code == 409
    wait_for_nothing(world, before)


def test_a_path_that_leads_elsewhere_is_no_submission(world: World) -> None:
    for path in ("../../node.toml", "/etc/passwd", "a/../../b", "a\u0000b", "..\\x"):
        file = {"path": path, "size_bytes": 1, "sha256": "0" * 64, "format": "bam"}
        manifest = {"dataset": DATASET, "assembly": "GRCh37", "files": [file]}
        answer = world.provider.call("POST", "/inbox/submissions", json=manifest)
        assert answer.status_code == 400, path
        assert "path" in answer.json()["detail"]


def test_a_stolen_token_sends_files_and_nothing_else(world: World) -> None:
    headers = {"authorization": f"Bearer {world.token}"}
    ask = world.served.client.get
    assert ask("/inbox/submissions", headers=headers).status_code == 200
    for path in ("/access/desk", "/own/genome", "/submissions", "/account"):
        assert ask(path, headers=headers).status_code in (303, 401, 403)  # a page leads to the sign-in
    wrong = {"authorization": f"Bearer {world.token[:-1]}x"}
    assert ask("/inbox/submissions", headers=wrong).status_code == 401
    assert ask("/inbox/submissions").status_code == 401


def test_a_browser_without_scripts_sends_sealed_files_and_a_steward_decides(world: World, tmp_path: Path) -> None:
    folder, before = small(tmp_path / "files"), world.kept()
    files = {name: (folder / name).read_bytes() for name in ("cohort.vcf.gz", "people.tsv")}
    manifest = msgspec.json.encode(manifest_of(files))
    assert "megagenome send FOLDER" in world.provider.call("GET", "/submissions").text
    assert "megagenome send FOLDER" not in world.steward.call("GET", "/submissions").text
    begun = world.provider.call("POST", "/submissions", files={"manifest": ("manifest.json", manifest)})
    assert begun.status_code == 303, begun.text
    page = begun.headers["location"]
    key = read_public_key(world.served.client.get("/.well-known/c4gh-recipient").text)
    for number, content in enumerate(files.values()):
        plain = world.provider.call("POST", f"{page}/files/{number}", files={"sealed": ("x", content)})
        assert (plain.status_code, "no Crypt4GH file" in plain.text) == (400, True)
        sealed = b"".join(map(bytes, seal([content], [key])))
        sent = world.provider.call("POST", f"{page}/files/{number}", files={"sealed": ("x.c4gh", sealed)})
        assert sent.status_code == 303, sent.text
    assert world.provider.call("POST", f"{page}/complete", data={"x": "1"}).status_code == 303
    ident = page.rpartition("/")[2]
    world.until(ident, "reported")
    shown = world.steward.call("GET", page).text
    for words in ("What would become public", "People counted", "Quality of the genotypes", "Your decision"):
        assert words in shown
    assert "What would become public" not in world.provider.call("GET", page).text
    unreasoned = world.steward.call("POST", f"{page}/decision", data={"verdict": "reject"})
    assert (unreasoned.status_code, "write the reasons" in unreasoned.text) == (400, True)
    reasons = {"verdict": "reject", "reasons": "sent twice"}
    assert world.steward.call("POST", f"{page}/decision", data=reasons).status_code == 303
    assert "sent twice" in world.provider.call("GET", page).text
    wait_for_nothing(world, before)
