# SPDX-License-Identifier: Apache-2.0
"""A node that keeps its records in PostgreSQL tells what one tells that keeps them in its folder."""

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from megagenome.kernel.database import open_database
from tests.journeys.network import Served, beacon_query, megagenome, serving
from tests.journeys.small import ALLELE, COPIES, load_options
from tests.kernel.postgres import new_database

pytestmark = pytest.mark.postgres

CHROM, POS1, REF, ALT = ALLELE.split("-")


def as_written(url: sa.URL) -> str:
    """As an operator writes it."""
    return f"postgresql://{url.username}@/{url.database}?host={url.query['host']}"


def make(folder: Path, *database: str) -> Path:
    megagenome("node", "init", folder, "--country", "EE", *database)
    megagenome("node", "load", folder, *load_options(folder.with_name(f"{folder.name}-files"), "EE"))
    megagenome("node", "consent", folder, "EE-3", "withdraw")
    megagenome("node", "release", folder)
    return folder


def without_times(dataset: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in dataset.items() if not name.endswith("DateTime")}


def told(node: Served) -> list[Any]:
    allele: dict[str, str | int] = {
        "assemblyId": "GRCh37",
        "referenceName": CHROM,
        "start": int(POS1) - 1,
        "referenceBases": REF,
        "alternateBases": ALT,
    }
    filters = [{"id": "HP:0001250"}]
    return [
        node.get("/beacon/v2/g_variants", **allele)["response"],
        node.post("/beacon/v2/individuals", beacon_query("count", filters=filters))["responseSummary"],
        [without_times(each) for each in node.get("/beacon/v2/datasets")["response"]["collections"]],
        node.get("/beacon/v2/filtering_terms")["response"],
        node.get("/health"),
    ]


def test_both_tell_the_same(tmp_path: Path, postgres: sa.URL) -> None:
    url = as_written(postgres)
    folders = [make(tmp_path / "sqlite"), make(tmp_path / "postgresql", "--database", url)]
    with serving("node", folders) as nodes:
        first, second = (told(node) for node in nodes)
    assert first == second
    assert str(COPIES) in json.dumps(first[0])
    assert not list(folders[1].glob("*.sqlite*"))
    for folder in folders:
        entries = json.loads(megagenome("node", "ledger", folder, "verify", "--json").stdout)
        findings = json.loads(megagenome("node", "check", folder, "--deep", "--json").stdout)
        assert entries["entries"] > 0
        assert [each for each in findings if not each["fine"]] == []
        megagenome("node", "upgrade", folder)


def test_a_database_is_of_one_node_or_hub(tmp_path: Path, postgres_server: sa.URL) -> None:
    url = as_written(new_database(postgres_server))
    megagenome("hub", "init", tmp_path / "hub", "--database", url)
    with serving("hub", [tmp_path / "hub"]) as [hub]:
        assert hub.client.get("/health").status_code == 200
    done = megagenome("node", "init", tmp_path / "node", "--country", "EE", "--database", url, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "an empty one of its own" in done.stderr
    assert not (tmp_path / "node").exists()


def test_a_database_that_is_gone_is_said_in_one_line(tmp_path: Path, postgres_server: sa.URL) -> None:
    database = new_database(postgres_server)
    folder = tmp_path / "node"
    megagenome("node", "init", folder, "--country", "EE", "--database", as_written(database))
    server = open_database(postgres_server).execution_options(isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {database.database}")
    server.dispose()
    for command in (["node", "release", folder], ["node", "serve", folder], ["node", "upgrade", folder]):
        done = megagenome(*command, check=False)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert "the database does not answer" in done.stderr
    assert megagenome("node", "check", folder, check=False).returncode == 1
