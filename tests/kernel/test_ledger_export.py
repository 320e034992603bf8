# SPDX-License-Identifier: Apache-2.0
"""Exports; that tampering with them is found, `test_ledger_chain` shows."""

import io
import json
from collections.abc import Callable

import pytest

from megagenome.kernel.errors import Corrupt
from megagenome.kernel.ledger import Act, Kind
from megagenome.kernel.ledger_export import export_lines, verify_export
from megagenome.kernel.public_keys import read_public_keys
from tests.kernel.ledgers import ISSUER, KEYS, make_keys, open_ledger


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    with open_ledger() as ledger:
        ledger.append(*[Act(Kind.READ, "ann@x", "Ann", "D1", count=n) for n in range(3)])
        return list(export_lines(ledger))


def test_an_export_needs_only_public_keys(lines: list[bytes]) -> None:
    keys = read_public_keys(json.dumps(KEYS.jwks()).encode())
    verdict = verify_export(io.BytesIO(b"".join(lines)), keys)
    assert (verdict.issuer, verdict.fine, verdict.entries, verdict.heads, verdict.signed) == (ISSUER, True, 3, 1, 3)
    kinds = [set(json.loads(line)) for line in lines]
    entry = {"seq", "time", "kind", "actor", "dataset", "permit", "detail", "count", "hash"}
    assert kinds == [{"ledger", "issuer"}, entry, entry, entry, {"head"}]
    assert b"ann@x" not in b"".join(lines)


def test_other_keys_do_not_verify_it(lines: list[bytes]) -> None:
    verdict = verify_export(io.BytesIO(b"".join(lines)), make_keys().key_set())
    assert not verdict.fine


BROKEN: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "without its last head": (lambda lines: lines[:-1], "no head covers the last entry"),
    "its first line alone": (lambda lines: lines[:1], "no head covers the last entry"),
    "an entry again": (lambda lines: [*lines, lines[1]], "an entry numbered 1 stands where entry 4 must be"),
    "a line of nothing": (lambda lines: [*lines[:2], b"{}\n", *lines[2:]], "line 3 is neither an entry nor a head"),
    "a field more": (lambda lines: within(lines, b'"count"', b'"note":"x","count"'), "line 3 is neither"),
    "a field less": (lambda lines: within(lines, b'"permit":"",', b""), "line 3 is neither"),
    "a text for a number": (lambda lines: within(lines, b'"seq":2', b'"seq":"2"'), "line 3 is neither"),
    "no UTF-8": (lambda lines: within(lines, b"D1", b"\xff"), "line 3 is neither"),
    "an endless line": (lambda lines: [*lines[:2], b"x" * 10**6, *lines[2:]], "line 3 is neither"),
    "a line cut short": (lambda lines: [*lines[:-1], lines[-1][:-20]], "line 5 is neither"),
    "another issuer": (lambda lines: [lines[0].replace(b".ee", b".fi"), *lines[1:]], "of node.ee, not of node.fi"),
}


def within(lines: list[bytes], old: bytes, new: bytes) -> list[bytes]:
    assert old in lines[2]
    return [*lines[:2], lines[2].replace(old, new), *lines[3:]]


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_export_is_named(lines: list[bytes], name: str) -> None:
    broken, says = BROKEN[name]
    verdict = verify_export(io.BytesIO(b"".join(broken(lines))), KEYS.key_set())
    assert not verdict.fine
    assert says in verdict.says


STARTS = {
    "nothing": b"",
    "bytes": b"\x00\xff",
    "JSON": b"{}\n",
    "later": b'{"ledger":"megagenome-ledger-9","issuer":"x"}\n',
}


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_what_is_no_export_is_refused(start: bytes) -> None:
    with pytest.raises(Corrupt, match="ledger"):
        verify_export(io.BytesIO(start), KEYS.key_set())
