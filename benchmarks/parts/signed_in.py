# SPDX-License-Identifier: Apache-2.0
"""Somebody who is signed in at a server that is served, and exact alleles over HTTP with identity in front."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from benchmarks.harness.claim import Claim, claim
from benchmarks.harness.http_load import open_loop
from benchmarks.parts.node import (
    EXACT_ALLELE,
    P99_BAR,
    RATE,
    ROUNDS,
    Round,
    allele_questions,
    ask_alleles,
    make_node,
    median_of,
    random_genotypes,
    served,
)
from megagenome.identity.own_site import asked_site
from megagenome.identity.sessions import Sessions
from megagenome.identity.settings import SignInSettings
from megagenome.identity.subjects import Profile
from megagenome.kernel.database import open_database, sqlite_url

ISSUER = "https://login.example.org"
SESSION_RATE = 200
"""One person's requests a second, each of which looks into the database who it is."""
SESSION_REQUESTS = 1000


def subject_named(name: str) -> str:
    """As a server knows somebody who signed in at the issuer."""
    return f"{name}@{ISSUER}"


def database_of(folder: Path) -> sa.Engine:
    """That of a server's folder."""
    return open_database(sqlite_url(next(folder.glob("*.sqlite"))))


def signed_in(folder: Path, port: int, name: str) -> dict[str, str]:
    """The headers of somebody's browser at the server of this folder, for as long as a session lasts."""
    engine = database_of(folder)
    token = Sessions(engine, SignInSettings()).open(Profile(subject_named(name), name), "benchmark")
    engine.dispose()
    host = f"127.0.0.1:{port}"
    site = asked_site(host)
    if site is None:
        raise RuntimeError(f"nobody can sign in at {host}")
    return {"Host": host, "Cookie": f"{site.session_cookie}={token}"}


def claims(seed: int) -> Iterator[Claim]:
    """A node at which people sign in, asked what the skeleton's is asked: by anybody, and by somebody signed in."""
    genotypes = random_genotypes(seed)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name) / "node"
        make_node(folder, genotypes, 1)
        with (folder / "node.toml").open("a", encoding="utf-8") as file:
            file.write(f'\n[signin]\nissuer = "{ISSUER}"\nclient_id = "node"\n')
        node = stack.enter_context(served(folder))
        anybody = allele_questions(genotypes, seed)
        somebody = allele_questions(genotypes, seed, SESSION_REQUESTS, signed_in(folder, node.port, "reader"))
        open_loop(node.port, anybody.requests[:1000], rate=RATE)  # warm
        public = [ask_alleles(node, anybody) for _ in range(ROUNDS)]
        session = [ask_alleles(node, somebody, SESSION_RATE) for _ in range(ROUNDS)]
    yield from _claims(f"{EXACT_ALLELE}, identity in front", public, P99_BAR)
    yield from _claims(f"the same by a session, {SESSION_RATE} requests/s", session)


def _claims(words: str, measured: list[Round], bar: str = "") -> Iterator[Claim]:
    equal = all(each.equal for each in measured)
    yield claim(f"{words}: p99", "ms", median_of(measured, "p99_ms"), bar=bar, equal=equal)
    yield claim("... p50", "ms", median_of(measured, "p50_ms"))
    yield claim("... processor", "ms/request", median_of(measured, "cpu_ms"))
