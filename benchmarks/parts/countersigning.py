# SPDX-License-Identifier: Apache-2.0
"""A permit that a node countersigns without a hub that proposes it."""

from collections.abc import Collection as Some
from datetime import timedelta

import msgspec
import sqlalchemy as sa

from megagenome.access import tables as t
from megagenome.access.projection import stamp
from megagenome.app.node_access import CollectionPermits
from megagenome.collection.cohort import EVERYONE, Cohort, canonical, cohort_id
from megagenome.kernel import clock
from megagenome.kernel.keys import SigningKeys
from megagenome.standards.exchange import sign_proposal
from megagenome.standards.permit import (
    DECISION_TYPE,
    CountryDecision,
    DatasetDecision,
    PermitDataset,
    PermitDocument,
    PermitPerson,
    Proposal,
    Verdict,
    digest,
)


def countersign(
    connection: sa.Connection,
    keys: SigningKeys,
    node: str,
    country: str,
    permit: str,
    dataset: str,
    people: Some[str],
    cohort: Cohort = EVERYONE,
) -> None:
    """A permit for research from yesterday on, for ninety days, as if a hub had asked for it and the country agreed."""
    now = clock.now()
    document = PermitDocument(
        id=permit,
        hub="org.hub",
        application="application-1",
        cohort=cohort_id(cohort),
        definition=msgspec.json.encode(canonical(cohort)).decode(),
        datasets=(PermitDataset(node, country, dataset),),
        uses=("research",),
        people=tuple(PermitPerson(each, each) for each in sorted(people)),
        starts=(now - timedelta(days=1)).date(),
        ends=(now + timedelta(days=90)).date(),
        conditions=(),
        form_digest="sha256:0",
        proposed_at=now,
    )
    signs = digest(document)
    proposal = Proposal(document, signs, country, (dataset,), now, now + timedelta(days=14))
    fixed = {"permit": permit, "hub": document.hub, "country": country, "digest": signs, "received": stamp(now)}
    times = {"requested_at": stamp(now), "decide_by": stamp(proposal.decide_by)}
    connection.execute(sa.insert(t.proposal).values(**fixed, **times, token=sign_proposal(keys, proposal)))
    approved = (DatasetDecision(dataset, Verdict.APPROVED),)
    decision = CountryDecision(permit, signs, node, country, approved, "decider@https://idp.example", now)
    token = keys.sign(msgspec.to_builtins(decision), DECISION_TYPE)
    CollectionPermits().grant(connection, document, (dataset,), token)
