# SPDX-License-Identifier: Apache-2.0
"""What a node tells people of their own genome, and its contact point for them (`standards.own_genome`).

A citizen needs the role and the operator's word on who they are (`megagenome node citizen link`); a data steward names
the individual. Errors are RFC 9457 problems; nothing here tells one person of another.
"""

from datetime import timedelta

import msgspec
import sqlalchemy as sa
from litestar import Response, Router, get, post
from litestar.params import FromPath, RawBody

from megagenome.collection import Collection
from megagenome.collection.acts import Act, effects, read_acts, say
from megagenome.collection.citizens import individual_of, part_of
from megagenome.collection.model import Use
from megagenome.collection.permits import StoredPermit
from megagenome.kernel import clock
from megagenome.kernel.callers import Role
from megagenome.kernel.ids import IndividualId
from megagenome.kernel.ledger import Kind
from megagenome.kernel.ledger_pages import Chosen, months, page
from megagenome.standards import own_genome
from megagenome.web import Http, answer_json, caller_of, problems, read_json

_READINGS = (Kind.READ, Kind.SLICE, Kind.FILE, Kind.EGRESS)


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person says; no use named is all that the act is about."""

    act: Act
    uses: tuple[Use, ...] = ()


def own_genome_router(collection: Collection, longest_delay_days: int) -> Router:
    """All of them, to be mounted at the node's root. `longest_delay_days` is the settings' for releases."""

    def told(individual: IndividualId) -> Response[bytes]:
        with collection.engine.connect() as connection:
            return answer_json(_genome(connection, individual))

    def said(individual: IndividualId, request: Http, body: bytes, by: str) -> Response[bytes]:
        words = read_json(request, body, Words)
        report = say(collection, individual, words.act, words.uses, by=by, longest_delay_days=longest_delay_days)
        return answer_json(own_genome.Said(report.holds, report.changed, report.public_until, report.leaves_by))

    def own(request: Http) -> tuple[IndividualId, str]:
        subject = caller_of(request).require(Role.CITIZEN)
        with collection.engine.connect() as connection:
            return individual_of(connection, subject), subject

    @get("/own/genome", sync_to_thread=True)
    def mine(request: Http) -> Response[bytes]:
        return told(own(request)[0])

    @post("/own/genome/consent", sync_to_thread=True, status_code=200)
    def say_mine(request: Http, body: RawBody) -> Response[bytes]:
        individual, subject = own(request)
        return said(individual, request, body, subject)

    @get("/own/genomes/{individual:str}", sync_to_thread=True)
    def theirs(request: Http, individual: FromPath[str]) -> Response[bytes]:
        caller_of(request).require(Role.DATA_STEWARD)
        return told(IndividualId(individual))

    @post("/own/genomes/{individual:str}/consent", sync_to_thread=True, status_code=200)
    def say_theirs(request: Http, individual: FromPath[str], body: RawBody) -> Response[bytes]:
        return said(IndividualId(individual), request, body, caller_of(request).require(Role.DATA_STEWARD))

    return Router(
        "/",
        route_handlers=[mine, say_mine, theirs, say_theirs],
        exception_handlers=problems(),
        include_in_schema=False,
        request_max_body_size=10_000,
    )


def _genome(connection: sa.Connection, individual: IndividualId) -> own_genome.OwnGenome:
    part = part_of(connection, individual)
    chosen = Chosen(datasets=part.datasets)
    counted = months(connection, chosen) if part.datasets else ()
    return own_genome.OwnGenome(
        individual,
        part.datasets,
        tuple(use.value for use in Use),
        tuple(sorted(part.holds)),
        tuple(own_genome.SaidBefore(act, uses, at) for act, uses, at in read_acts(connection, individual)),
        tuple(_permit(connection, each, part.datasets) for each in part.permits),
        tuple(own_genome.MonthUse(each.month, each.kind, each.count) for each in counted),
        tuple(own_genome.Effect(*row) for row in effects()),
    )


def _permit(connection: sa.Connection, permit: StoredPermit, mine: tuple[str, ...]) -> own_genome.PermitUse:
    datasets = tuple(each for each in permit.datasets if each in mine)
    chosen = Chosen(datasets=datasets, permit=permit.id, kinds=_READINGS)
    newest = page(connection, chosen, limit=1).entries
    over = permit.expires <= clock.now()
    return own_genome.PermitUse(
        permit.id,
        datasets,
        tuple(sorted(permit.uses)),
        permit.not_before.date().isoformat(),
        (permit.expires - timedelta(microseconds=1)).date().isoformat(),
        "expired" if over and permit.state == "active" else permit.state,
        sum(each.entries for each in months(connection, chosen)),
        newest[0].time if newest else "",
    )
