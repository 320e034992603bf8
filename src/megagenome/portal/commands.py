# SPDX-License-Identifier: Apache-2.0
"""Commands to the application process as web forms send them: which fields each takes, and what stood in them."""

from collections.abc import Callable, Mapping
from typing import Any

from megagenome.kernel.errors import Invalid
from megagenome.portal.answers import Posted
from megagenome.portal.application_pages import Typed
from megagenome.standards.application import Verb

Fields = Mapping[str, Any]


def text_of(posted: Posted, name: str) -> str:
    """One text of a form; empty where it is missing, or is a file."""
    values = [value for value in posted.getall(name, []) if isinstance(value, str)]
    return values[0].replace("\r\n", "\n").strip() if values else ""


def texts_of(posted: Posted, name: str) -> tuple[str, ...]:
    """All texts of one name."""
    return tuple(value for value in posted.getall(name, []) if isinstance(value, str) and value)


def typed(verb: str, posted: Posted) -> Typed:
    """What stood in the form, to be shown again where it could not be done."""
    texts = {name: text_of(posted, name) for name in Typed.__struct_fields__ if name not in ("verb", "uses")}
    return Typed(verb=verb, uses=texts_of(posted, "uses"), **texts)


def read_command(verb: Verb, posted: Posted) -> Fields:
    """The fields of the command. Raises `Invalid` in words where one is missing, and for what no page sends."""
    reads = _READS.get(verb)
    if reads is None:
        raise Invalid(f"{verb} is not sent by a page")
    return reads(posted)


def _nothing(_: Posted) -> Fields:
    return {}


def _needed(name: str, says: str) -> Callable[[Posted], Fields]:
    def read(posted: Posted) -> Fields:
        text = text_of(posted, name)
        if not text:
            raise Invalid(says)
        return {name: text}

    return read


_reasons = _needed("reasons", "write the reasons, then send it again")


def _interest(posted: Posted) -> Fields:
    choice = text_of(posted, "conflict")
    if choice not in ("yes", "no"):
        raise Invalid("say whether you have a conflict of interest: yes or no")
    return {"conflict": choice == "yes", "note": text_of(posted, "note")}


def _invitation(posted: Posted) -> Fields:
    return {**_needed("name", "write the name of whom you invite")(posted), "email": text_of(posted, "email")}


def _recommendation(posted: Posted) -> Fields:
    advice = text_of(posted, "advice")
    if advice not in ("approve", "reject"):
        raise Invalid("choose what the committee recommends: to approve, or to reject")
    fields: dict[str, Any] = {"advice": advice, **_reasons(posted)}
    if advice == "approve":
        fields["uses"] = texts_of(posted, "uses")
        fields |= {name: text_of(posted, name) or None for name in ("starts", "ends")}
        lines = text_of(posted, "conditions").split("\n")
        fields["conditions"] = [line.strip() for line in lines if line.strip()]
    return fields


_READS: Mapping[Verb, Callable[[Posted], Fields]] = {
    Verb.INVITE: _invitation,
    Verb.UNINVITE: _needed("invitation", "say which invitation to take back"),
    Verb.JOIN: _needed("secret", "the address of the invitation is not whole: open it again as you got it"),
    Verb.REMOVE: _needed("person", "say whom to remove"),
    Verb.LEAVE: _nothing,
    Verb.SUBMIT: _nothing,
    Verb.ENDORSE: _nothing,
    Verb.DECLINE: _reasons,
    Verb.BEGIN: _nothing,
    Verb.RETURN: _reasons,
    Verb.DECLARE: _interest,
    Verb.RECOMMEND: _recommendation,
    Verb.REQUEST: _nothing,
    Verb.REJECT: _nothing,
    Verb.RESUBMIT: _needed("country", "say which country to ask again"),
    Verb.WITHDRAW: _nothing,
    Verb.CLOSE: _reasons,
    Verb.SUSPEND: _reasons,
    Verb.RESUME: _reasons,
    Verb.REVOKE: _reasons,
}
"""Drafts, documents and votes have forms of their own; countries decide at their nodes."""
