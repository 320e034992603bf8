# SPDX-License-Identifier: Apache-2.0
"""A node with forty people, a permit for some of them, and passports by which they come. All of it as files say it."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pysam
import sqlalchemy as sa

from benchmarks.parts.countersigning import countersign
from benchmarks.parts.passports.forging import altered
from benchmarks.parts.passports.world import HUB, Draft, Mint, sign_passport
from megagenome.app.ledger import open_keys
from megagenome.app.node import open_node
from megagenome.collection.cohort import HasTerm
from megagenome.collection.permits import change_permit
from megagenome.kernel.ids import PermitId
from megagenome.kernel.keys import SigningKeys
from megagenome.network.joined_hub import note_answer, pin
from megagenome.standards.dataset_record import encode_record
from megagenome.standards.descriptor import meet, sign_descriptor
from megagenome.standards.permit import PermitState
from megagenome.synthetic.governance import made_up_record
from tests.journeys.nations import make_node, run
from tests.journeys.network import Served, free_ports, serving

DATASET = "EE-COHORT"
PERMIT = PermitId("permit-of-the-journey")
READER = f"h-1@{HUB.iss}"
SEIZURE = "HP:0001250"
HEADER = """##fileformat=VCFv4.2
##contig=<ID=22,length=51304566>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT"""
POSITIONS = range(16050075, 16050475, 10)

Row = dict[str, str]


def table() -> list[Row]:
    """The people table."""
    chance = random.Random(3)
    return [
        {
            "individual_id": f"EE-{n:03}",
            "sample_id": f"S{n}",
            "sex": chance.choice(["female", "male"]),
            "country": "EE",
            "phenotypes": chance.choice([SEIZURE, f"!{SEIZURE}", SEIZURE, ""]),
            "consent": "no" if n % 9 == 0 else "yes",
            "code": f"c{n}",
        }
        for n in range(40)
    ]


def calls() -> dict[int, list[str]]:
    """Everybody's call at each position."""
    chance = random.Random(4)
    return {at: chance.choices(["0/0", "0/1", "1/1", "./."], [6, 3, 1, 1], k=40) for at in POSITIONS}


def permitted() -> list[Row]:
    """Those of the table whom the permit names, in whom seizures were observed, and who consent."""
    return [row for row in table() if row["phenotypes"] == SEIZURE and row["consent"] == "yes"]


def make_permit_node(folder: Path) -> None:
    """The node, which trusts the hub's passports by a key set brought by hand."""
    files = folder.with_name(f"{folder.name}-files")
    files.mkdir()
    rows = table()
    lines = ["\t".join(rows[0]), *("\t".join(row.values()) for row in rows)]
    (files / "people.tsv").write_text("\n".join(lines) + "\n")
    text = [HEADER + "".join(f"\t{row['sample_id']}" for row in rows)]
    text += [f"22\t{at}\t.\tA\tG\t.\t.\t.\tGT\t" + "\t".join(mine) for at, mine in calls().items()]
    with pysam.BGZFile(str(files / "cohort.vcf.gz"), "wb") as file:
        file.write(("\n".join(text) + "\n").encode())
    make_node(folder, "EE")
    with (folder / "node.toml").open("a") as settings:  # its hub is silent (`join_silent_hub`) for as long as tests run
        settings.write("\n[exchange]\nlongest_silence_s = 3600\n")
    inputs = ["--assembly", "GRCh37", "--vcf", files / "cohort.vcf.gz", "--individuals", files / "people.tsv"]
    record = files / "dataset.json"
    record.write_text(encode_record(made_up_record(DATASET)))
    run("node", "load", folder, "--dataset", DATASET, *inputs, "--metadata", record, "--publish")
    keys = [dict(key.as_dict(private=False)) | {"kid": kid} for kid, key in HUB.keys]
    (folder / "hub.json").write_text(json.dumps({"keys": keys}))
    (folder / "trust.toml").write_text(f'[[brokers]]\nissuer = "{HUB.iss}"\njwks_file = "hub.json"\n')


@contextmanager
def serving_at_its_address(folder: Path) -> Iterator[Served]:
    """Serve a node whose address is known before it starts, as an operator's is."""
    port = free_ports(1)
    settings = folder / "node.toml"
    settings.write_text(settings.read_text().replace("[node]\n", f'[node]\nurl = "http://127.0.0.1:{port}"\n'))
    with serving("node", [folder], port=port) as [served]:
        yield served


def grant(folder: Path, people: frozenset[str] = frozenset({READER})) -> None:
    """The country countersigns the permit."""
    node = open_node(folder)
    opened, me, keys = node.collection, node.settings.node, open_keys(folder)
    with opened.engine.begin() as connection:
        countersign(connection, keys, me.id, me.country, PERMIT, DATASET, people, HasTerm(SEIZURE))
        join_silent_hub(connection, SigningKeys.open(folder.with_name(f"{folder.name}-hub")))
    opened.close()


def join_silent_hub(connection: sa.Connection, keys: SigningKeys) -> None:
    """The node's hub was heard just now and not again."""
    url, now = "http://127.0.0.1:1", datetime.now(UTC)
    iat = int(now.timestamp())
    token = sign_descriptor(
        keys, id="org.hub", kind="hub", name="Hub", country="", url=url, version="1", services=(), iat=iat
    )
    pin(connection, meet(token), token)
    note_answer(connection, 0, now)


def revoke(folder: Path) -> None:
    """The node revokes the permit."""
    opened = open_node(folder).collection
    with opened.engine.begin() as connection:
        change_permit(connection, PERMIT, PermitState.REVOKED, "the study has ended")
    opened.close()


def draft(audience: str, sub: str = "h-1", **claims: Any) -> Draft:
    """A passport of the hub before it is signed, for five minutes."""
    now = int(datetime.now(UTC).timestamp())
    today: dict[str, Any] = {"iat": now, "exp": now + 300, "nbf": 0, "aud": [audience]}
    return altered(Mint(random.Random(now)).passport(HUB, sub), **today | claims)


class Reader:
    """Somebody who asks a node's Beacon by a passport and the permit."""

    def __init__(self, served: Served, passport: str | None = None) -> None:
        self.served = served
        token = sign_passport(draft(served.url), []) if passport is None else passport
        self.headers = {"authorization": f"Bearer {token}"} if token else {}

    def ask(self, path: str, parameters: Any = None, **query: Any) -> httpx.Response:
        """The answer, whatever it is."""
        asked = {"requestParameters": {**(parameters or {}), "permit": {"id": PERMIT}}, **query}
        body = {"meta": {"apiVersion": "2"}, "query": asked}
        return self.served.client.post(f"/beacon/v2/{path}", json=body, headers=self.headers)

    def read(self, path: str, parameters: Any = None, **query: Any) -> Any:
        """The answer, which must be one."""
        answer = self.ask(path, parameters, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def records(self, path: str = "individuals") -> dict[str, Any]:
        """All records, page by page, by pseudonym."""
        found: dict[str, Any] = {}
        while True:
            answer = self.read(path, pagination={"skip": len(found), "limit": 7})
            page = {each["id"]: each for one in answer["response"]["resultSets"] for each in one["results"]}
            assert not page.keys() & found.keys()
            found |= page
            if len(found) >= answer["responseSummary"]["numTotalResults"] or not page:
                assert len(found) == answer["responseSummary"]["numTotalResults"]
                return found
