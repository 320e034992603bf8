# SPDX-License-Identifier: Apache-2.0
"""What signing officials and the data access committee do (1+MG SOP0003). Each: `(case, command) -> events`."""

from megagenome.access import command_types as c
from megagenome.access import events as e
from megagenome.access.case import Bodies, Case
from megagenome.access.clocks import pause_assessment, start_assessment
from megagenome.access.model import Application
from megagenome.access.permit import propose
from megagenome.kernel.errors import Conflict, Invalid, NotEntitled
from megagenome.standards.application import Advice, Criterion, Vote


def endorse(case: Case, _: c.Endorse) -> Bodies:
    """The organisation stands behind it: the committee's clock runs."""
    return [e.Endorsed(), start_assessment(case.view, case.world.settings, case.now)]


def decline(case: Case, command: c.Decline) -> Bodies:
    """Back to the applicant."""
    return [e.Declined(case.keep(command.reasons))]


def begin_assessment(case: Case, _: c.BeginAssessment) -> Bodies:
    """It is complete enough."""
    case.refuse_conflicted()
    return [e.AssessmentBegun()]


def return_to_applicant(case: Case, command: c.Return) -> Bodies:
    """Back to the applicant; the committee's clock stands, votes are void."""
    case.refuse_conflicted()
    return [*pause_assessment(case.view, case.now), e.Returned(case.keep(command.reasons))]


def declare_interest(case: Case, command: c.DeclareInterest) -> Bodies:
    """Say whether one has a conflict. With one, the votes that one cast are void."""
    if command.conflict and not command.note.strip():
        raise Invalid("say in a note which conflict of interest it is")
    return [e.InterestDeclared(command.conflict, case.keep_note(command.note))]


def cast_vote(case: Case, command: c.CastVote) -> Bodies:
    """Vote on one criterion."""
    _require_declared(case)
    if command.vote is Vote.NOT_MET and not command.note.strip():
        raise Invalid(f"say in a note why {command.criterion} is not met")
    return [e.Voted(command.criterion, command.vote, case.keep_note(command.note))]


def recommend(case: Case, command: c.Recommend) -> Bodies:
    """Recommend, once enough members voted; to approve only what the votes bear, with a permit to sign."""
    _require_declared(case)
    _require_quorum(case.view, case.world.settings.quorum)
    if command.advice is Advice.APPROVE:
        _require_met(case.view)
    permit = propose(case, command) if command.advice is Advice.APPROVE else None
    return [e.Recommended(command.advice, case.keep(command.reasons), permit)]


def reject(case: Case, _: c.Reject) -> Bodies:
    """Let the recommendation to reject take effect."""
    case.refuse_conflicted()
    if case.view.recommendation is None or case.view.recommendation.advice is not Advice.REJECT:
        raise Conflict("the recommendation is to approve: send it to the countries, or return the application")
    return [e.Rejected()]


def tally(view: Application, criterion: Criterion) -> dict[Vote, int]:
    """How the committee voted on a criterion."""
    votes = [cast.vote for cast in view.votes if cast.criterion is criterion]
    return {vote: votes.count(vote) for vote in Vote}


def _require_quorum(view: Application, quorum: int) -> None:
    missing = [criterion for criterion in Criterion if sum(tally(view, criterion).values()) < quorum]
    if missing:
        raise Conflict(f"fewer than {quorum} members voted on {', '.join(missing)}")


def _require_met(view: Application) -> None:
    """A criterion is met when more find so than not, or nobody finds it unmet."""
    tallies = {criterion: tally(view, criterion) for criterion in Criterion}
    unmet = [c for c, votes in tallies.items() if votes[Vote.NOT_MET] and votes[Vote.MET] <= votes[Vote.NOT_MET]]
    if unmet:
        raise Conflict(f"the votes do not bear an approval: {', '.join(unmet)}")


def _require_declared(case: Case) -> None:
    if case.person not in case.view.conflicts:
        raise NotEntitled("declare first whether you have a conflict of interest")
    case.refuse_conflicted()
