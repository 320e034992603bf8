# SPDX-License-Identifier: Apache-2.0
"""Commands as forms send them: every verb that a page sends, and what is missing in words."""

import msgspec
import pytest
from litestar.datastructures import FormMultiDict

from megagenome.access.command_types import Order
from megagenome.kernel.errors import Invalid
from megagenome.portal.commands import _READS, read_command, text_of, typed
from megagenome.standards.application import Verb

WHOLE = FormMultiDict(
    [
        ("reasons", " because\r\nof it "),
        ("conflict", "no"),
        ("note", ""),
        ("name", "Ada"),
        ("email", ""),
        ("invitation", "i1"),
        ("secret", "s"),
        ("person", "p1"),
        ("country", "FI"),
        ("advice", "approve"),
        ("uses", "research"),
        ("uses", "policy"),
        ("starts", "2026-12-01"),
        ("ends", "2027-11-30"),
        ("conditions", "one\r\n\r\n two "),
    ]
)
ELSEWHERE = {Verb.SAVE_DRAFT, Verb.ATTACH, Verb.DETACH, Verb.VOTE}
"""Of other forms."""
NOT_SENT = {Verb.LOOK, Verb.READ, Verb.RECORD, Verb.LAPSE, Verb.EXPIRE}


@pytest.mark.parametrize("verb", sorted(_READS))
def test_what_a_page_sends_is_a_command_of_the_process(verb: Verb) -> None:
    sent = {"id": "a" * 20, "version": 3, "command": {"type": verb.value, **read_command(verb, WHOLE)}}
    order = msgspec.json.decode(msgspec.json.encode(sent), type=Order)
    assert order.command.__struct_config__.tag == verb.value


def test_no_verb_is_forgotten() -> None:
    assert set(_READS) | ELSEWHERE | NOT_SENT == set(Verb)
    assert not (set(_READS) & (ELSEWHERE | NOT_SENT))


@pytest.mark.parametrize("verb", sorted(NOT_SENT | ELSEWHERE))
def test_what_no_page_sends_is_refused(verb: Verb) -> None:
    with pytest.raises(Invalid):
        read_command(verb, WHOLE)


@pytest.mark.parametrize("verb", sorted(verb for verb in _READS if read_command(verb, WHOLE)))
def test_what_is_missing_is_said_in_words(verb: Verb) -> None:
    with pytest.raises(Invalid, match=r"^[a-z][^{}$]+$"):
        read_command(verb, FormMultiDict([("reasons", "  \r\n ")]))


def test_lines_and_blanks() -> None:
    assert read_command(Verb.REVOKE, WHOLE) == {"reasons": "because\nof it"}
    recommended = read_command(Verb.RECOMMEND, WHOLE)
    assert recommended["conditions"] == ["one", "two"]
    assert recommended["uses"] == ("research", "policy")
    rejected = read_command(Verb.RECOMMEND, FormMultiDict([("advice", "reject"), ("reasons", "no")]))
    assert rejected == {"advice": "reject", "reasons": "no"}


def test_what_was_typed_is_kept() -> None:
    again = typed("return", WHOLE)
    assert (again.verb, again.reasons, again.uses) == ("return", "because\nof it", ("research", "policy"))
    assert text_of(FormMultiDict([("a", b"x")]), "a") == ""  # a file where a text belongs
