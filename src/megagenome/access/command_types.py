# SPDX-License-Identifier: Apache-2.0
"""What may be asked of an application. On the wire a command is its JSON with its name as `type`.

Ids, digests and moments are the process's to make; a command holds only what its sender says.
"""

from datetime import date
from typing import Annotated, Any

import msgspec

from megagenome.standards.application import Advice, Criterion, DatasetRef, PersonKey, Vote

Reasons = Annotated[str, msgspec.Meta(pattern=r"\S", max_length=10_000)]
Note = Annotated[str, msgspec.Meta(max_length=10_000)]
Short = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=100_000)]
CommandId = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9._-]{8,100}\Z")]


class Create(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Begin a draft. It belongs to no application yet, so it is sent by itself.

    id                  chosen by the client, as that of an `Order`
    cohort              the id of the cohort; one that the caller saved, where no definition stands here
    definition          its canonical definition, which must agree with the id
    form_version        the newest where none is named
    organisation        one of the caller's; may be left out by who has exactly one
    """

    id: CommandId
    cohort: Id
    datasets: Annotated[tuple[DatasetRef, ...], msgspec.Meta(min_length=1, max_length=500)]
    form: Id
    definition: Annotated[str, msgspec.Meta(max_length=100_000)] = ""
    form_version: Annotated[str, msgspec.Meta(max_length=20)] = ""
    organisation: Annotated[str, msgspec.Meta(max_length=300)] = ""


class Sent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """Base of all commands."""


class SaveDraft(Sent, frozen=True, tag="save-draft"):
    """Keep the answers as they are; nothing is required of them yet but their shape."""

    answers: dict[str, Any]


class InviteMember(Sent, frozen=True, tag="invite-member"):
    """Make an invitation for one more person."""

    name: Short
    email: Annotated[str, msgspec.Meta(max_length=300)] = ""


class UninviteMember(Sent, frozen=True, tag="uninvite-member"):
    """Take an invitation back."""

    invitation: Id


class Join(Sent, frozen=True, tag="join"):
    """Take up an invitation: only its secret lets anybody in."""

    secret: Id


class RemoveMember(Sent, frozen=True, tag="remove-member"):
    """Remove a member from a draft."""

    person: PersonKey


class Leave(Sent, frozen=True, tag="leave"):
    """Stop being a member."""


class Attach(Sent, frozen=True, tag="attach"):
    """Store a document; its bytes come beside the command. `sha256` is of them."""

    name: Short
    sha256: Id


class Detach(Sent, frozen=True, tag="detach"):
    """Take a document out of the draft."""

    attachment: Id


class Submit(Sent, frozen=True, tag="submit"):
    """Submit the answers as saved."""


class Endorse(Sent, frozen=True, tag="endorse"):
    """Say that the organisation stands behind it."""


class Decline(Sent, frozen=True, tag="decline"):
    """Say that it does not; back to the applicant."""

    reasons: Reasons


class BeginAssessment(Sent, frozen=True, tag="begin-assessment"):
    """Say that it is complete enough to be assessed."""


class Return(Sent, frozen=True, tag="return"):
    """Give it back to the applicant, with what is asked for."""

    reasons: Reasons


class DeclareInterest(Sent, frozen=True, tag="declare-interest"):
    """Say whether one has a conflict of interest; needed before voting and recommending."""

    conflict: bool
    note: Note = ""


class CastVote(Sent, frozen=True, tag="vote"):
    """Vote on one criterion; that it is not met needs a note."""

    criterion: Criterion
    vote: Vote
    note: Note = ""


class Recommend(Sent, frozen=True, tag="recommend"):
    """Recommend to the countries. To approve takes uses, a first and a last day; conditions are for the permit."""

    advice: Advice
    reasons: Reasons
    uses: Annotated[tuple[Id, ...], msgspec.Meta(max_length=20)] = ()
    starts: date | None = None
    ends: date | None = None
    conditions: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=2000)], ...], msgspec.Meta(max_length=50)] = ()


class RequestDecisions(Sent, frozen=True, tag="request-decisions"):
    """Send the proposed permit to every country that it names."""


class Reject(Sent, frozen=True, tag="reject"):
    """Let a recommendation to reject take effect."""


class RecordDecision(Sent, frozen=True, tag="record-decision"):
    """Record a country's signed decision (compact JWS)."""

    token: Text


class Resubmit(Sent, frozen=True, tag="resubmit"):
    """Ask a country again that let its time lapse."""

    country: Annotated[str, msgspec.Meta(min_length=2, max_length=2)]


class Withdraw(Sent, frozen=True, tag="withdraw"):
    """Take the application back."""


class Close(Sent, frozen=True, tag="close"):
    """Say that nothing more will happen with it."""

    reasons: Reasons


class Suspend(Sent, frozen=True, tag="suspend"):
    """Stop the permit for now."""

    reasons: Reasons


class Resume(Sent, frozen=True, tag="resume"):
    """Let the permit work again where countries granted it."""

    reasons: Reasons


class Revoke(Sent, frozen=True, tag="revoke"):
    """End the permit for ever."""

    reasons: Reasons


Command = (
    SaveDraft
    | InviteMember
    | UninviteMember
    | Join
    | RemoveMember
    | Leave
    | Attach
    | Detach
    | Submit
    | Endorse
    | Decline
    | BeginAssessment
    | Return
    | DeclareInterest
    | CastVote
    | Recommend
    | RequestDecisions
    | Reject
    | RecordDecision
    | Resubmit
    | Withdraw
    | Close
    | Suspend
    | Resume
    | Revoke
)


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A command as it is sent.

    id       chosen by the client, new for each thing that it wants done; the same again does nothing again
    version  of the application that the client saw
    """

    id: CommandId
    version: int
    command: Command


def name_of(command: Command) -> str:
    """The command's name, such as `save-draft`."""
    return str(command.__struct_config__.tag)
