# SPDX-License-Identifier: Apache-2.0
"""Who may do what, in which state: the one table. The process asks it, tests walk it, docs/access.md shows it.

Beside the table stand four rules that need more than a state (`roles_of`):

- Whoever takes or took part in an application is its applicant or member and nothing else to it.
- Nobody holds an application in two hands: who endorsed it does not assess it, who assessed it does not decide on it
  for a country.
- A node that holds one of its datasets brings its country's signed decisions, from the request on. Nobody signs in as a
  node, and at the hub no person decides for a country.
- A desk sees an application from the moment it gets there: a signing official of its organisation from the first
  submission (auditors too), the committee from the first endorsement, a country's decider and data steward from the
  request.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from megagenome.access.model import Application, Desk, Reach
from megagenome.access.needs import Directory
from megagenome.kernel.callers import Caller, Role
from megagenome.standards.application import PersonKey, ProcessRole, State, Verb


class Rule(NamedTuple):
    """One line of the table: what it is to people, and in which states which role may."""

    says: str
    may: Mapping[ProcessRole, frozenset[State]]


_A, _M, _I = ProcessRole.APPLICANT, ProcessRole.MEMBER, ProcessRole.INVITED
_S, _C, _D = ProcessRole.SIGNING_OFFICIAL, ProcessRole.DAC_CHAIR, ProcessRole.DAC_MEMBER
_N, _W, _U = ProcessRole.COUNTRY_DECIDER, ProcessRole.DATA_STEWARD, ProcessRole.AUDITOR
_O, _T = ProcessRole.NODE, ProcessRole.CLOCK
_ALL = frozenset(State)
_SUBMITTED = _ALL - {State.DRAFT}
_OPEN = (State.DRAFT, State.RETURNED)
_TABLED = (State.SCREENING, State.ASSESSING)
_PERMIT = (State.ACTIVE, State.SUSPENDED)
_OVER = (State.DECIDED, State.EXPIRED, State.REVOKED)
_SENT = frozenset({State.NATIONAL_WINDOW, *_PERMIT, *_OVER, State.WITHDRAWN, State.CLOSED})
_LETTERS = {_A: "A", _M: "M", _I: "I", _S: "S", _C: "C", _D: "D", _N: "N", _W: "W", _U: "U", _O: "O", _T: "T"}


def _rule(says: str, states: Iterable[State], *roles: ProcessRole) -> Rule:
    return Rule(says, dict.fromkeys(roles, frozenset(states)))


TABLE: Mapping[Verb, Rule] = {
    Verb.LOOK: Rule(
        "see that it is, its state, parts and timeline",
        {
            _A: _ALL,
            _M: _ALL,
            _S: _SUBMITTED,
            _C: _SUBMITTED,
            _D: _SUBMITTED,
            _N: _SENT,
            _W: _SENT,
            _U: _SUBMITTED,
            _O: _SENT,
        },
    ),
    Verb.READ: Rule(
        "read answers, attachments and reasons",
        {_A: _ALL, _M: _ALL, _S: _SUBMITTED, _C: _SUBMITTED, _D: _SUBMITTED, _N: _SENT},
    ),
    Verb.SAVE_DRAFT: _rule("save the draft", _OPEN, _A, _M),
    Verb.INVITE: _rule("invite a member", _OPEN, _A),
    Verb.UNINVITE: _rule("take an invitation back", _OPEN, _A),
    Verb.JOIN: _rule("take up an invitation", _OPEN, _I),
    Verb.REMOVE: _rule("remove a member", _OPEN, _A),
    Verb.LEAVE: _rule("leave", _OPEN, _M),
    Verb.ATTACH: _rule("attach a document", _OPEN, _A, _M),
    Verb.DETACH: _rule("take a document out", _OPEN, _A, _M),
    Verb.SUBMIT: _rule("submit", _OPEN, _A),
    Verb.ENDORSE: _rule("endorse for the organisation", [State.SUBMITTED], _S),
    Verb.DECLINE: _rule("decline to endorse", [State.SUBMITTED], _S),
    Verb.BEGIN: _rule("find it complete, begin the assessment", [State.SCREENING], _C),
    Verb.RETURN: _rule("return it to the applicant", [*_TABLED, State.RECOMMENDED], _C),
    Verb.DECLARE: _rule("declare one's interests", _TABLED, _C, _D),
    Verb.VOTE: _rule("vote on a criterion", [State.ASSESSING], _C, _D),
    Verb.RECOMMEND: _rule("recommend", [State.ASSESSING], _C),
    Verb.REQUEST: _rule("send the proposed permit to the countries", [State.RECOMMENDED], _C),
    Verb.REJECT: _rule("let a recommendation to reject take effect", [State.RECOMMENDED], _C),
    Verb.RECORD: _rule("record the country's signed decision", [State.NATIONAL_WINDOW, State.DECIDED, *_PERMIT], _O),
    Verb.RESUBMIT: _rule(
        "ask a country again that let its time lapse", [State.NATIONAL_WINDOW, State.DECIDED, *_PERMIT], _A
    ),
    Verb.WITHDRAW: _rule(
        "withdraw",
        [*_OPEN, State.SUBMITTED, *_TABLED, State.RECOMMENDED, State.NATIONAL_WINDOW, State.DECIDED],
        _A,
    ),
    Verb.CLOSE: Rule("close", {_A: frozenset([*_OVER, *_PERMIT]), _C: frozenset([State.RETURNED, *_OVER])}),
    Verb.SUSPEND: _rule("suspend the permit", [State.ACTIVE], _C),
    Verb.RESUME: _rule("resume the permit", [State.SUSPENDED], _C),
    Verb.REVOKE: _rule("revoke the permit", _PERMIT, _C),
    Verb.LAPSE: _rule("let a country's time lapse", [State.NATIONAL_WINDOW, *_PERMIT], _T),
    Verb.EXPIRE: _rule("let the permit expire", [State.NATIONAL_WINDOW, State.DECIDED, *_PERMIT], _T),
}
"""Everything that is not here is refused."""


def may(verb: Verb, role: ProcessRole, state: State) -> bool:
    """Whether the table has it."""
    return state in TABLE[verb].may.get(role, frozenset())


def states_of(verb: Verb, roles: Iterable[ProcessRole]) -> frozenset[State]:
    """The states in which somebody with these roles may."""
    return frozenset().union(*(TABLE[verb].may.get(role, frozenset()) for role in roles))


def roles_of(
    caller: Caller, person: PersonKey | None, view: Application, directory: Directory
) -> frozenset[ProcessRole]:
    """What `caller`, known here as `person`, is to the application; empty for a stranger, who learns of nothing.

    A role without its own organisation or country counts for nothing. Somebody who took part, or who holds the
    application in another hand, is not of this desk.
    """
    if caller.subject is None:
        return frozenset()
    if caller.node:
        holds = view.reached >= Reach.REQUESTED and any(part.dataset.node == caller.node for part in view.parts)
        return frozenset({_O} if holds else ())
    if person is not None and person in view.took_part:
        if person == view.applicant:
            return frozenset({_A})
        return frozenset({_M} if person in view.members else ())
    found = {
        role
        for role, desk in _DESKS.items()
        if _DESK_ROLES[role] in caller.roles
        and view.reached >= REACHES[role]
        and (desk is None or person is None or view.desks.get(person, desk) is desk)
        and _is_concerned(role, caller.subject, view, directory)
    }
    return frozenset(found)


_DESK_ROLES = {
    _S: Role.SIGNING_OFFICIAL,
    _C: Role.DAC_CHAIR,
    _D: Role.DAC_MEMBER,
    _N: Role.COUNTRY_DECIDER,
    _W: Role.DATA_STEWARD,
    _U: Role.AUDITOR,
}
_DESKS = {_S: Desk.ENDORSING, _C: Desk.ASSESSING, _D: Desk.ASSESSING, _N: Desk.DECIDING, _W: None, _U: None}


REACHES = {
    _S: Reach.SUBMITTED,
    _U: Reach.SUBMITTED,
    _C: Reach.ENDORSED,
    _D: Reach.ENDORSED,
    _N: Reach.REQUESTED,
    _W: Reach.REQUESTED,
}
"""How far an application must have come for a desk to see it."""


def _is_concerned(role: ProcessRole, subject: str, view: Application, directory: Directory) -> bool:
    if role is _S:
        return view.organisation in directory.organisations(subject, Role.SIGNING_OFFICIAL)
    if role in (_N, _W):
        return not view.countries().isdisjoint(directory.countries(subject, _DESK_ROLES[role]))
    return True


def render() -> str:
    """The table as Markdown: a line per command, a column per state, a letter per role."""
    names = {state: state.value.replace("_", " ") for state in State}
    lines = [
        "Roles: "
        + ", ".join(f"**{letter}** {role.value.replace('_', ' ')}" for role, letter in _LETTERS.items())
        + ".",
        "",
        "| | what | " + " | ".join(names.values()) + " |",
        "|---|---|" + "---|" * len(names),
    ]
    for verb, rule in TABLE.items():
        cells = ["".join(_LETTERS[role] for role in ProcessRole if may(verb, role, state)) for state in State]
        lines.append(f"| `{verb}` | {rule.says} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
