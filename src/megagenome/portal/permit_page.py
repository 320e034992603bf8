# SPDX-License-Identifier: Apache-2.0
"""The permit as a page that can be printed: what it says, where it works now, and how it is used."""

import shlex
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from megagenome.kernel import clock
from megagenome.kernel.errors import NotFound
from megagenome.portal.application_pages import is_own, title_of
from megagenome.portal.cohort_words import definition_words
from megagenome.portal.moments import day
from megagenome.portal.pages import render, web_address
from megagenome.standards.application import ApplicationShown, PartState, RecommendationShown, State
from megagenome.standards.application_form import Form
from megagenome.standards.federation import NodeState
from megagenome.standards.permit import PermitDocument

_OVER = frozenset({State.REVOKED, State.EXPIRED, State.WITHDRAWN, State.CLOSED, State.REJECTED})


class Standing(NamedTuple):
    """What a permit is worth now."""

    text: str
    tone: str
    says: str


class Place(NamedTuple):
    """A node at which the permit works, and the commands that use it there."""

    name: str
    passport: str
    read: str


def permit_page(
    shown: ApplicationShown, form: Form, permit: PermitDocument | None, nodes: Sequence[NodeState] = ()
) -> str:
    """The page, for the applicant, the committee and countries; for auditors without the document, which names people.

    `nodes` are those of the network, for where and how it is used. Raises `NotFound` where no permit was proposed.
    """
    proposed = shown.recommendation
    if proposed is None or not proposed.permit:
        raise NotFound("this application has no permit: none was proposed yet")
    field = form.field_that_means("uses")
    labels = {option.id: option.label["en"] for option in field.options} if field else {}
    return render(
        "permit.html",
        shown=shown,
        permit=permit,
        proposed=proposed,
        title=title_of(shown, form),
        is_granted=any(part.state is PartState.APPROVED for part in shown.parts) or shown.state is State.REVOKED,
        standing=standing(shown, proposed),
        uses=[labels.get(use, use) for use in permit.uses] if permit else [],
        words=definition_words(shown.cohort.definition),
        now=clock.now(),
        places=places(shown, permit, nodes) if permit and is_own(shown) and shown.state is State.ACTIVE else [],
        is_over=shown.state in _OVER,
    )


def places(shown: ApplicationShown, permit: PermitDocument, nodes: Sequence[NodeState]) -> list[Place]:
    """Where it was granted, with what a program sends there: a passport for the node, then the question."""
    granted = {part.dataset.node for part in shown.parts if part.state is PartState.APPROVED}
    use = next(iter(permit.uses), "research")
    found = []
    for node in nodes:
        url = web_address(node.url)
        if node.id not in granted or not url:
            continue
        passport = (
            f"curl -s {shlex.quote(url + '/visas/token')}"
            " -d grant_type=urn:ietf:params:oauth:grant-type:token-exchange"
            " -d requested_token_type=urn:ga4gh:params:oauth:token-type:passport"
            " -d subject_token_type=urn:ietf:params:oauth:token-type:access_token"
            " --data-urlencode subject_token@my-passport.jwt"
        )
        asked = {
            "meta": {"apiVersion": "v2.0"},
            "query": {
                "requestParameters": {"permit": {"id": permit.id, "use": use}},
                "pagination": {"skip": 0, "limit": 100},
                "requestedGranularity": "record",
            },
        }
        body = shlex.quote(msgspec.json.encode(asked).decode())
        read = (
            f"curl -s {shlex.quote(url + '/beacon/v2/individuals')}"
            f' -H "Authorization: Bearer $(cat node-passport.jwt)" -H "Content-Type: application/json" -d {body}'
        )
        found.append(Place(node.name or node.id, passport, read))
    return found


def standing(shown: ApplicationShown, permit: RecommendationShown) -> Standing:
    """Whether it works now, in words."""
    granted = any(part.state is PartState.APPROVED for part in shown.parts)
    match shown.state:
        case State.REVOKED:
            return Standing("Revoked", "bad", "It works nowhere, and never again.")
        case State.SUSPENDED:
            return Standing("Suspended", "act", "It works nowhere until the committee resumes it.")
        case State.EXPIRED:
            return Standing("Expired", "over", f"Its last day was {day(permit.ends)}.")
        case State.WITHDRAWN | State.CLOSED | State.REJECTED:
            return Standing("Over", "over", "It works nowhere.")
    if not granted:
        return Standing("Not granted", "open", "No country has granted it, so it works nowhere.")
    if clock.now().date().isoformat() < permit.starts:
        return Standing("Granted", "good", "It begins to work on its first day.")
    return Standing("Active", "good", "It works in the countries that granted it.")
