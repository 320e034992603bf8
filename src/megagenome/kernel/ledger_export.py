# SPDX-License-Identifier: Apache-2.0
"""The ledger as a file for auditors: JSON Lines, verified with nothing but the signer's public keys.

The first line is `{"ledger":"megagenome-ledger-1","issuer":ID}`. Each entry is a line, its fields as `ledger_chain`
has them; each head is a line `{"head":JWS}` after the entry that it covers. The last line is a head of all before it.
"""

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import msgspec

from megagenome.kernel.errors import Corrupt
from megagenome.kernel.ledger import Ledger
from megagenome.kernel.ledger_chain import FORMAT, Entry, Verdict, verify_chain
from megagenome.kernel.public_keys import PublicKeys

_LONGEST_LINE_BYTES = 16 * 1024


class _Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ledger: str
    issuer: str


class _Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    head: str


def export_lines(ledger: Ledger) -> Iterator[bytes]:
    """The lines of an export, each with its line feed. Signs a head first, so that all of it is covered."""
    ledger.sign()
    yield _line(_Opening(FORMAT, ledger.issuer))
    for item in ledger.items():
        yield _line(item if isinstance(item, Entry) else _Signed(item))


def verify_export(file: BinaryIO, keys: PublicKeys, kept: Iterable[str] = ()) -> Verdict:
    """Whether an exported file is as it was written and signed by `keys`, of the issuer that it states.

    Raises `Corrupt` when it does not begin as an export does. Cost: some 5 s for a million entries.
    """
    try:
        opening = msgspec.json.decode(file.readline(_LONGEST_LINE_BYTES), type=_Opening)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Corrupt("this is no exported ledger: its first line must say so") from None
    if opening.ledger != FORMAT:
        raise Corrupt(f"this ledger is of the format {opening.ledger[:40]!r}; this version reads {FORMAT}")
    return verify_chain(_items(file), keys, opening.issuer, kept, sealed=True)


def _items(file: BinaryIO) -> Iterator[Entry | str]:
    number = 1
    while line := file.readline(_LONGEST_LINE_BYTES):
        number += 1
        try:
            signed = line.startswith(b'{"head"')
            yield msgspec.json.decode(line, type=_Signed).head if signed else msgspec.json.decode(line, type=Entry)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Corrupt(f"line {number} is neither an entry nor a head") from None


def _line(value: Any) -> bytes:
    return msgspec.json.encode(value) + b"\n"
