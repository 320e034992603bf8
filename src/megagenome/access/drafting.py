# SPDX-License-Identifier: Apache-2.0
"""What the applicant's side does: write, invite, attach, submit, withdraw. Each: `(case, command) -> events`."""

import hashlib
import secrets

import msgspec

from megagenome.access import command_types as c
from megagenome.access import events as e
from megagenome.access.attachments import kind_of, shown_name
from megagenome.access.case import Bodies, Case, new_id
from megagenome.access.form import read_form
from megagenome.access.model import Application, Attachment, Invitation
from megagenome.kernel.errors import Conflict, Invalid, NotEntitled, TooLarge
from megagenome.standards.application import FieldFinding
from megagenome.standards.application_form import Around, check_complete, check_shape

LARGEST_ANSWERS_BYTES = 300_000
MOST_INVITATIONS = 50


def save_draft(case: Case, command: c.SaveDraft) -> Bodies:
    """Keep the answers; the draft that they replace is erased unless it was submitted."""
    text = msgspec.json.encode(command.answers, order="sorted").decode()
    if len(text.encode()) > LARGEST_ANSWERS_BYTES:
        raise TooLarge(f"the answers have over {LARGEST_ANSWERS_BYTES} bytes; put long texts into attachments")
    _refuse(check_shape(read_form(case.view.form), command.answers, around(case.view)))
    if case.view.answers and case.view.answers != case.view.submitted:
        case.erased.append(case.view.answers)
    return [e.DraftSaved(case.keep(text))]


def invite_member(case: Case, command: c.InviteMember) -> Bodies:
    """Make an invitation, and tell its secret."""
    if len(case.view.invitations) + len(case.view.members) >= MOST_INVITATIONS:
        raise TooLarge(f"an application has at most {MOST_INVITATIONS} members and invitations")
    secret = secrets.token_urlsafe(24)
    text = case.keep(msgspec.json.encode({"name": command.name, "email": command.email, "secret": secret}).decode())
    invitation = Invitation(new_id(), _sha256(secret), text)
    case.told["invitation"] = invitation.id
    return [e.MemberInvited(invitation)]


def uninvite_member(case: Case, command: c.UninviteMember) -> Bodies:
    """Take an invitation back, and erase whom it was for."""
    for invitation in case.view.invitations:
        if invitation.id == command.invitation:
            case.erased.append(invitation.text)
            return [e.MemberUninvited(invitation.id)]
    raise Conflict("there is no such invitation, or it was taken up")


def join(case: Case, command: c.Join) -> Bodies:
    """Become a member by an invitation's secret, once; whoever dealt with it at a desk cannot."""
    invitation = invitation_for(case.view, command.secret)
    if invitation is None:
        raise NotEntitled("the invitation was taken back or taken up")
    if case.person in (case.view.applicant, *case.view.members):
        raise Conflict("you take part already; the invitation stays for somebody else")
    if case.person in case.view.desks:
        raise NotEntitled("you have dealt with this application at another desk and cannot take part in it")
    case.erased.append(invitation.text)
    return [e.MemberJoined(invitation.id, case.person)]


def invitation_for(view: Application, secret: str) -> Invitation | None:
    """The invitation that has this secret."""
    digest = _sha256(secret)
    return next((each for each in view.invitations if secrets.compare_digest(each.secret_sha256, digest)), None)


def remove_member(case: Case, command: c.RemoveMember) -> Bodies:
    """Remove a member."""
    if command.person not in case.view.members:
        raise Conflict("this person is not a member")
    return [e.MemberRemoved(command.person)]


def leave(case: Case, _: c.Leave) -> Bodies:
    """Stop being a member."""
    return [e.MemberRemoved(case.person)]


def attach(case: Case, command: c.Attach) -> Bodies:
    """Store a document durably, before the event that names it."""
    settings = case.world.settings
    if len(case.view.attachments) >= settings.attachments:
        raise TooLarge(f"an application has at most {settings.attachments} attachments; take one out first")
    if hashlib.sha256(case.content).hexdigest() != command.sha256:
        raise Invalid("the document is not the one that the command names by its sha256: send it again")
    name = shown_name(command.name)
    kind = kind_of(name, case.content, settings.attachment_bytes)
    attachment = Attachment(new_id(), case.keep(name), kind, len(case.content), command.sha256, case.person)
    case.world.attachments.put(attachment.id, case.content)
    case.told["attachment"] = attachment.id
    return [e.Attached(attachment)]


def detach(case: Case, command: c.Detach) -> Bodies:
    """Take a document out of the draft; answers that name it are for their author to change."""
    if command.attachment not in {each.id for each in case.view.attachments}:
        raise Conflict("there is no such attachment, or it was taken out")
    return [e.Detached(command.attachment)]


def submit(case: Case, _: c.Submit) -> Bodies:
    """Submit what was saved last, when nothing is missing in it."""
    answers = case.read_answers(case.view.answers)
    _refuse(check_complete(read_form(case.view.form), answers, around(case.view)))
    if case.view.answers is None:
        raise Invalid("nothing was saved yet")
    return [e.Submitted(case.view.answers)]


def withdraw(_: Case, __: c.Withdraw) -> Bodies:
    """Take it back."""
    return [e.Withdrawn()]


def around(view: Application) -> Around:
    """What answers may refer to."""
    return Around(frozenset({view.applicant, *view.members}), frozenset(each.id for each in view.attachments))


def _refuse(findings: tuple[FieldFinding, ...]) -> None:
    if findings:
        named = "; ".join(f"{each.field}: {each.says}" for each in findings[:20])
        raise Invalid(f"{len(findings)} answers need work: {named}")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
