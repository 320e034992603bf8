# SPDX-License-Identifier: Apache-2.0
"""Tickets: good for what they say, for some minutes, by this node's signature alone."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from megagenome.delivery.tickets import LARGEST_BYTES, TICKET_TYPE, Ticket, Tickets
from megagenome.kernel import clock
from megagenome.kernel.errors import TooLarge, Unauthenticated
from megagenome.kernel.keys import SigningKeys
from megagenome.standards.htsget import Slice

SLICE = Ticket(
    "carol@x", "D/GRCh38", "VCF", False, [Slice("22", 5, None), Slice("X", 0, 9)], "p", "research", "ab" * 32
)


@pytest.fixture
def keys(tmp_path: Path) -> SigningKeys:
    return SigningKeys.open(tmp_path / "keys")


def tickets(keys: SigningKeys, issuer: str = "node.ee", ticket_s: int = 900) -> Tickets:
    return Tickets(keys.sign, keys.key_set(), issuer, ticket_s)


@pytest.mark.parametrize("ticket", [SLICE, Ticket(None, "MGF-ABCDEFGHIJKLMNOP"), Ticket(None, "F", "BAM", True)])
def test_what_is_read_is_what_was_made(keys: SigningKeys, ticket: Ticket) -> None:
    made = tickets(keys).make(ticket)
    read = tickets(keys).read(made)
    assert msgspec.structs.replace(read, slices=ticket.slices) == ticket
    assert [tuple(each) for each in read.slices or ()] == [tuple(each) for each in ticket.slices or ()]
    assert read.caller.subject == ticket.subject
    assert read.caller.roles == frozenset()


def test_a_ticket_ends(keys: SigningKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    made, now = tickets(keys).make(SLICE), clock.now()
    for seconds, good in ((0, True), (890, True), (901, False), (-30, True), (-90, False)):
        monkeypatch.setattr(clock, "now", lambda seconds=seconds: now + timedelta(seconds=seconds))
        if good:
            tickets(keys).read(made)
        else:
            with pytest.raises(Unauthenticated, match="not good any more"):
                tickets(keys).read(made)


def test_no_other_ticket_is_believed(keys: SigningKeys, tmp_path: Path) -> None:
    others = SigningKeys.open(tmp_path / "others")
    good = tickets(keys).make(SLICE)
    head, body, signature = good.split(".")
    other_body = tickets(keys).make(msgspec.structs.replace(SLICE, object="E/GRCh38")).split(".")[1]
    for forged in (
        "",
        "x",
        good[:-8],
        f"{head}.{other_body}.{signature}",
        f"eyJhbGciOiJub25lIn0.{body}.",
        tickets(others).make(SLICE),
        tickets(keys, "node.fi").make(SLICE),
        keys.sign(
            {"iss": "node.ee", "iat": 0, "exp": 1 << 40, "ticket": {"subject": None, "object": "F"}}, "other+jwt"
        ),
        keys.sign({"iss": "node.ee"}, TICKET_TYPE),
        "a" * (LARGEST_BYTES + 1),
    ):
        with pytest.raises(Unauthenticated, match="ticket"):
            tickets(keys).read(forged)


def test_more_regions_than_fit_in_a_header_are_too_many(keys: SigningKeys) -> None:
    def many(count: int) -> Ticket:
        return msgspec.structs.replace(SLICE, slices=[Slice("22", k, k + 1) for k in range(count)])

    assert len(tickets(keys).read(tickets(keys).make(many(1000))).slices or ()) == 1000
    with pytest.raises(TooLarge, match="ask for fewer"):
        tickets(keys).make(many(5000))
