# SPDX-License-Identifier: Apache-2.0
"""Verifying, held against an auditor's own verifier (`tests/oracles/ledger.py`) over random ledgers and tampering."""

import io
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from megagenome.kernel.errors import Corrupt
from megagenome.kernel.ledger import Act, Kind, Ledger
from megagenome.kernel.ledger_chain import HEAD_TYPE, Entry, Verdict, digest, verify_chain
from megagenome.kernel.ledger_export import export_lines, verify_export
from tests.kernel.ledgers import ISSUER, KEYS, clock_at, make_keys, open_ledger
from tests.oracles.ledger import NO_HASH, is_fine, sha256_of

STRANGER = make_keys()

acts = st.builds(
    Act,
    st.sampled_from(Kind),
    st.sampled_from([None, "ann@x", "bo@x"]),
    dataset=st.sampled_from(["", "GDI-EE-1", "GDI-EE-2"]),
    permit=st.sampled_from(["", "permit-1"]),
    detail=st.sampled_from(["", "research", "2026-11-22T12:00Z"]),
    count=st.integers(0, 10**12),
)
steps = st.one_of(
    st.lists(acts, min_size=1, max_size=3),
    st.just("sign"),
    st.just("close"),
    st.integers(-30, 30),  # hours on the clock
)


def play(ledger: Ledger, story: list[Any]) -> list[bytes]:
    """Do what the story says; the export at its end."""
    with clock_at() as clock:
        for step in story:
            if isinstance(step, int):
                clock.step(hours=step)
            elif step == "sign":
                ledger.sign()
            elif step == "close":
                ledger.close_day()
            else:
                ledger.append(*step)
        return list(export_lines(ledger))


def check(lines: list[bytes], kept: list[str] | None = None) -> Verdict:
    return verify_export(io.BytesIO(b"".join(lines)), KEYS.key_set(), kept or [])


@given(st.lists(steps, max_size=12))
def test_every_ledger_of_ours_is_fine_to_an_auditor(story: list[Any]) -> None:
    with open_ledger() as ledger:
        lines = play(ledger, story)
        verdict = check(lines)
        assert verdict.fine
        assert is_fine(lines, KEYS.jwks())
        entries = entries_in(lines)
        assert (
            verdict.entries
            == verdict.signed
            == len(entries)
            == sum(len(step) for step in story if isinstance(step, list))
        )
        assert verdict.hash == (entries[-1]["hash"] if entries else NO_HASH)
        heads = [json.loads(line)["head"] for line in lines if line.startswith(b'{"head"')]
        assert check(lines, heads).fine
        assert ledger.verify(heads).fine


def entries_in(lines: list[bytes]) -> list[Any]:
    return [json.loads(line) for line in lines if b'"seq"' in line]


def again(lines: list[bytes], first: int) -> None:
    """Make numbers and hashes of the entries from line `first` on anew, as somebody without the key can."""
    previous, seq = NO_HASH, 0
    for number, line in enumerate(lines):
        value = json.loads(line)
        if "seq" in value:
            seq += 1
            if number >= first:
                value["seq"], value["hash"] = seq, ""
                value["hash"] = sha256_of(previous, value)
                lines[number] = json.dumps(value).encode() + b"\n"
            previous = json.loads(lines[number])["hash"]


def change(line: bytes, field: str) -> bytes:
    value = json.loads(line)
    value[field] = value[field] + 1 if isinstance(value[field], int) else value[field][:-1] + "~"
    return json.dumps(value).encode() + b"\n"


def tamper(data: st.DataObject, lines: list[bytes]) -> list[bytes]:
    """One thing that somebody who has the file and not the key may do to it."""
    lines = list(lines)
    entries = [n for n, line in enumerate(lines) if b'"seq"' in line]
    heads = [n for n, line in enumerate(lines) if line.startswith(b'{"head"')]
    place, head = data.draw(st.sampled_from(entries)), data.draw(st.sampled_from(heads))
    what = data.draw(st.sampled_from(["change", "remove", "insert", "swap", "forge", "cut", "copy", "strip"]))
    match what:
        case "change":
            lines[place] = change(lines[place], data.draw(st.sampled_from(list(Entry.__struct_fields__))))
        case "remove":
            del lines[place]
        case "insert":
            lines.insert(place, lines[data.draw(st.sampled_from(entries))])
        case "swap":
            other = data.draw(st.sampled_from(entries))
            lines[place], lines[other] = lines[other], lines[place]
        case "forge":
            lines[head] = msgspec.json.encode({"head": STRANGER.sign({"iss": ISSUER, "seq": 1}, HEAD_TYPE)}) + b"\n"
        case "cut":
            del lines[data.draw(st.integers(2, len(lines) - 1)) :]
        case "copy":
            lines.insert(data.draw(st.integers(1, len(lines))), lines[head])
        case "strip":
            lines = [line for number, line in enumerate(lines) if number == 0 or number not in heads]
    if data.draw(st.booleans()):
        again(lines, data.draw(st.integers(1, max(1, len(lines)))))
    return lines


@given(st.lists(steps, min_size=1, max_size=8), acts, st.data())
def test_tampering_is_found_as_an_auditor_finds_it(story: list[Any], act: Act, data: st.DataObject) -> None:
    with open_ledger() as ledger:
        lines = play(ledger, [*story, [act, act]])
    forged = tamper(data, lines)
    assert check(forged).fine == is_fine(forged, KEYS.jwks())
    # and whoever kept the last head knows of everything but harmless copies of heads
    kept = [json.loads(lines[-1])["head"]]
    assert check(forged, kept).fine == is_fine(forged, KEYS.jwks(), kept)
    if entries_in(forged) != entries_in(lines):
        assert not check(forged, kept).fine


STORY: list[Any] = [
    [Act(Kind.READ, "ann@x", dataset="GDI-EE-1", permit="permit-1", detail="research", count=n) for n in range(1, 6)],
    24,
    [Act(Kind.REVOCATION, "bo@x", permit="permit-1"), Act(Kind.AGGREGATE, dataset="GDI-EE-1", detail="12:00")],
    "sign",
    [Act(Kind.FILE, "ann@x", dataset="GDI-EE-2", permit="permit-2")],
]


@pytest.mark.parametrize("field", Entry.__struct_fields__)
@pytest.mark.parametrize("seq", [1, 4, 5, 8])
def test_a_change_of_any_field_is_found_where_it_is(tmp_path: Path, field: str, seq: int) -> None:
    path = tmp_path / "node.sqlite"
    with open_ledger(path) as ledger:
        play(ledger, STORY)
        assert ledger.verify().fine
        value = 99 if field in ("seq", "count") else "x"
        in_database(path, f"UPDATE ledger_entry SET {field} = ? WHERE seq = ?", value, seq)
        verdict = ledger.verify()
        assert (verdict.fine, verdict.wrong) == (False, seq)
        assert f"entry {seq} is" in verdict.says


def in_database(path: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, values)
    connection.close()


GARBLED: list[tuple[str, object]] = [
    ("UPDATE ledger_entry SET count = ? WHERE seq = 4", "many"),
    ("UPDATE ledger_entry SET count = ? WHERE seq = 4", 1.5),
    ("UPDATE ledger_entry SET permit = ? WHERE seq = 4", b"permit-1"),
    ("UPDATE ledger_entry SET permit = CAST(? AS TEXT) WHERE seq = 4", b"\xff\xfe"),
    ("UPDATE ledger_entry SET permit = ? WHERE seq = 4", "permit-1\n"),
    ("UPDATE ledger_entry SET seq = ? WHERE seq = 4", "four"),
    ("UPDATE ledger_entry SET seq = ? WHERE seq = 4", -4),
]


@pytest.mark.parametrize(("statement", "value"), GARBLED)
def test_a_garbled_row_is_found(tmp_path: Path, statement: str, value: object) -> None:
    path = tmp_path / "node.sqlite"
    with open_ledger(path) as ledger:
        play(ledger, STORY)
        in_database(path, statement, value)
        verdict = ledger.verify()
        assert not verdict.fine
        assert verdict.wrong in range(1, 5)
        assert "\n" not in verdict.says


def remade(path: Path) -> None:
    """The whole chain made again over what is in the database now."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    previous = NO_HASH
    for seq, row in enumerate(connection.execute("SELECT * FROM ledger_entry ORDER BY seq").fetchall(), 1):
        fields = {**dict(row), "seq": seq}
        hash_ = sha256_of(previous, fields)
        connection.execute("UPDATE ledger_entry SET seq = ?, hash = ? WHERE seq = ?", (seq, hash_, row["seq"]))
        previous = hash_
    connection.commit()
    connection.close()


def removed(path: Path) -> None:
    in_database(path, "DELETE FROM ledger_entry WHERE seq = 3")


def removed_and_made_again(path: Path) -> None:
    removed(path)
    remade(path)


def changed_and_made_again(path: Path) -> None:
    in_database(path, "UPDATE ledger_entry SET permit = 'permit-9' WHERE seq = 7")
    remade(path)


def insert(path: Path, seq: int) -> None:
    """A copy of entry 6 before entry `seq`, and the chain made again."""
    copied = "time, kind, actor, dataset, permit, detail, count, hash"
    in_database(path, "UPDATE ledger_entry SET seq = 1000 + seq WHERE seq >= ?", seq)
    in_database(path, f"INSERT INTO ledger_entry SELECT ?, {copied} FROM ledger_entry WHERE seq = 6", seq)
    remade(path)


def inserted(path: Path) -> None:
    insert(path, 7)


def inserted_after_the_last_head(path: Path) -> None:
    in_database(path, "DELETE FROM ledger_head WHERE seq = 8")
    insert(path, 8)


def reordered(path: Path) -> None:
    for old, new in ((2, 90), (3, 2), (90, 3)):
        in_database(path, "UPDATE ledger_entry SET seq = ? WHERE seq = ?", new, old)


def truncated(path: Path) -> None:
    in_database(path, "DELETE FROM ledger_entry WHERE seq > 6")


def without_the_days_head(path: Path) -> None:
    in_database(path, "DELETE FROM ledger_head WHERE seq = 5")


def head_of_a_stranger(path: Path) -> None:
    claims = {"iss": ISSUER, "seq": 5, "hash": NO_HASH, "day": "2026-11-22", "count": 5, "iat": 1}
    in_database(path, "UPDATE ledger_head SET token = ? WHERE seq = 5", STRANGER.sign(claims, HEAD_TYPE))


def head_elsewhere(path: Path) -> None:
    in_database(path, "UPDATE ledger_head SET seq = 6 WHERE seq = 5")


def head_that_is_none(path: Path) -> None:
    in_database(path, "UPDATE ledger_head SET token = 'x' WHERE seq = 5")


def emptied(path: Path) -> None:
    in_database(path, "DELETE FROM ledger_entry")


ATTACKS: list[tuple[Callable[[Path], None], int, str]] = [
    (removed, 3, "entry 3 is gone"),
    (removed_and_made_again, 1, "the head of 2026-11-22, which must cover entry 4, is gone"),
    (changed_and_made_again, 6, "one of the entries 6 to 7 is not what the head of 2026-11-23 signed"),
    (inserted, 6, "one of the entries 6 to 7 is not what the head of 2026-11-23 signed"),
    (inserted_after_the_last_head, 0, ""),
    (reordered, 2, "entry 2 is not what was written after entry 1"),
    (truncated, 7, "entry 7 is gone, which the head of 2026-11-23 signed"),
    (without_the_days_head, 1, "the head of 2026-11-22, which must cover entry 5, is gone"),
    (head_of_a_stranger, 1, "the head after entry 5 is not signed by the ledger's keys"),
    (head_elsewhere, 1, "the head of 2026-11-22, which must cover entry 5, is gone"),
    (head_that_is_none, 1, "the head after entry 5 is not signed by the ledger's keys"),
    (emptied, 1, "entries 1 to 5 are gone, which the head of 2026-11-22 signed"),
]


@pytest.mark.parametrize(("attack", "wrong", "says"), ATTACKS, ids=lambda value: getattr(value, "__name__", ""))
def test_each_attack_is_named(tmp_path: Path, attack: Callable[[Path], None], wrong: int, says: str) -> None:
    path = tmp_path / "node.sqlite"
    with open_ledger(path) as ledger:
        lines = play(ledger, STORY)
        attack(path)
        verdict = ledger.verify()
        assert (verdict.fine, verdict.wrong) == (not wrong, wrong or None)
        assert verdict.says.startswith(says)
        # and whoever kept the last head knows of them all
        assert not ledger.verify([json.loads(lines[-1])["head"]]).fine


def test_who_has_the_key_cannot_deceive_who_kept_a_head(tmp_path: Path) -> None:
    path = tmp_path / "node.sqlite"
    with open_ledger(path) as ledger:
        kept = [json.loads(play(ledger, STORY)[-1])["head"]]
        in_database(path, "DELETE FROM ledger_head")
        in_database(
            path, "UPDATE ledger_entry SET permit = 'permit-9', time = '2026-11-23T12:00:00.000000Z' WHERE seq < 9"
        )
        remade(path)
        ledger.sign()
        assert ledger.verify().fine
        verdict = ledger.verify(kept)
        assert (verdict.fine, verdict.wrong) == (False, 1)
        assert verdict.says.startswith("one of the entries 1 to 8 is not what the kept head of 2026-11-23 signed")
        in_database(path, "DELETE FROM ledger_entry WHERE seq > 4")
        in_database(path, "DELETE FROM ledger_head")
        assert ledger.verify().fine
        assert ledger.verify(kept).says == "entries 5 to 8 are gone, which the kept head of 2026-11-23 signed"


def test_a_kept_head_must_be_one() -> None:
    with pytest.raises(Corrupt):
        verify_chain([], KEYS.key_set(), ISSUER, ["x"])
    with pytest.raises(Corrupt, match="lacks what a head must say"):
        verify_chain([], KEYS.key_set(), ISSUER, [KEYS.sign({"seq": 1}, HEAD_TYPE)])
    with pytest.raises(Corrupt):
        verify_chain([], KEYS.key_set(), ISSUER, [KEYS.sign({"seq": 1}, "other+jwt")])


def test_the_hash_is_that_of_the_text_in_the_docstring() -> None:
    """Made by hand: printf '%s\\n' megagenome-ledger-1 000...0 1 TIME read a D P w 40 | sha256sum"""
    fields = (1, "2026-11-22T10:12:00.123456Z", "read", "a", "D", "P", "w", 40)
    assert digest(NO_HASH, *fields) == "c4a1dd9eb43727d198f66233fb796e6f27963ca8dda79ec923e38063f7f696f2"
    assert digest(NO_HASH, 1, "t", "read", "a", "D\nP", "", "w", 40) == ""
