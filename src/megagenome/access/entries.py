# SPDX-License-Identifier: Apache-2.0
"""What of the process goes into the hub's ledger: each decision, grant and end of a permit, with the events' commit."""

from collections.abc import Iterable, Iterator

from megagenome.access import events as e
from megagenome.access.model import Application
from megagenome.kernel.callers import Caller
from megagenome.kernel.ledger import Act, Kind
from megagenome.standards.permit import Verdict

_VERDICTS = {Verdict.APPROVED: Kind.GRANT, Verdict.REFUSED: Kind.DECISION, Verdict.REVOKED: Kind.REVOCATION}
_DECISIONS: dict[type[e.Body], str] = {e.Endorsed: "endorsed", e.Declined: "declined", e.Rejected: "rejected"}
_ENDS: dict[type[e.Body], str] = {
    e.PermitSuspended: "suspended",
    e.PermitResumed: "resumed",
    e.PermitExpired: "expired",
    e.Revoked: "revoked",
    e.Withdrawn: "withdrawn",
}


def entries_of(after: Application, bodies: Iterable[e.Body], caller: Caller | None) -> tuple[Act, ...]:
    """The entries for these events of an application, as it is after them. `caller` is None where time acted."""
    permit = after.recommendation.permit.id if after.recommendation and after.recommendation.permit else after.id
    subject, name = (caller.subject, caller.name) if caller else (None, "")
    return tuple(
        Act(kind, subject, name, dataset=dataset, permit=permit, detail=detail)
        for body in bodies
        for kind, dataset, detail in _entered(body)
    )


def _entered(body: e.Body) -> Iterator[tuple[Kind, str, str]]:
    """Kind, dataset and word of each entry."""
    match body:
        case e.Recommended(advice=advice):
            yield Kind.DECISION, "", f"recommended:{advice}"
        case e.Decided(outcomes=outcomes):
            yield from ((_VERDICTS[each.verdict], each.dataset.dataset, each.verdict.value) for each in outcomes)
        case e.DecisionLapsed(datasets=datasets):
            yield from ((Kind.DECISION, each.dataset, "lapsed") for each in datasets)
        case _ if type(body) in _DECISIONS:
            yield Kind.DECISION, "", _DECISIONS[type(body)]
        case _ if type(body) in _ENDS:
            yield Kind.REVOCATION, "", _ENDS[type(body)]
        case _:
            pass
