# SPDX-License-Identifier: Apache-2.0
"""The ledger's chain: what an entry's hash is made of, what a head signs, and how both are verified. No database.

**An entry** has the fields `seq time kind actor dataset permit detail count hash`. Its hash is the SHA-256, in
lower-case hexadecimal, of these ten lines, in UTF-8, each ended by one line feed (0x0A), the last one too:

    megagenome-ledger-1
    the hash of the entry before; of the first entry: sixty-four zeros
    seq         in decimal: 1, 2, 3 ... without gaps
    time        when it was written, UTC: 2026-11-22T10:12:00.123456Z
    kind
    actor
    dataset
    permit
    detail
    count       in decimal

No field has a line feed in it; an empty field is an empty line. So it can be made by `printf '%s\\n'` of the ten, piped
into `sha256sum`. The order of entries is that of `seq`; a clock that is set back shows as times that step back.

**A head** is a JSON Web Signature (compact, ES256, `typ` `megagenome-ledger-head+jwt`) by the node's or hub's key, of

    iss    the id of the node or hub
    seq    of the newest entry when it was signed; 0 for an empty ledger
    hash   of that entry; sixty-four zeros for an empty ledger
    day    UTC date of that entry's time; of the signing, for an empty ledger
    count  how many entries up to `seq` have a time of that day
    iat    when it was signed, in seconds since 1970

Wherever an entry's day is another than that of the entry before, there is a head of the entry before. Who keeps a head
can show later that an entry up to its `seq` was changed, taken out or put in, by whomever, also by those with the key.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from megagenome.kernel.errors import Corrupt
from megagenome.kernel.public_keys import PublicKeys
from megagenome.kernel.signatures import verify

FORMAT = "megagenome-ledger-1"
HEAD_TYPE = "megagenome-ledger-head+jwt"
NO_HASH = "0" * 64
_LINES = 10


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry, as it is stored and exported. Every field but `hash` goes into the hash, and there is no other."""

    seq: int
    time: str
    kind: str
    actor: str
    dataset: str
    permit: str
    detail: str
    count: int
    hash: str

    @property
    def day(self) -> str:
        """UTC date of its time."""
        return self.time[:10]

    def follows(self, previous: str) -> bool:
        """Whether its hash is that of its fields after an entry with the hash `previous`."""
        return self.hash == digest(
            previous,
            self.seq,
            self.time,
            self.kind,
            self.actor,
            self.dataset,
            self.permit,
            self.detail,
            self.count,
        )


def digest(
    previous: str, seq: int, time: str, kind: str, actor: str, dataset: str, permit: str, detail: str, count: int
) -> str:
    """The hash of an entry with these fields; "" for fields that no entry may have, because a line feed is in them."""
    lines = (FORMAT, previous, str(seq), time, kind, actor, dataset, permit, detail, str(count), "")
    text = "\n".join(lines)
    return hashlib.sha256(text.encode()).hexdigest() if text.count("\n") == _LINES else ""


class Head(msgspec.Struct, frozen=True):
    """What a head signs."""

    iss: str
    seq: int
    hash: str
    day: str
    count: int
    iat: int


def read_head(token: str, keys: PublicKeys) -> Head:
    """A head that one of `keys` signed; raises `Corrupt` for anything else."""
    try:
        return msgspec.convert(verify(token, keys, HEAD_TYPE), Head)
    except msgspec.ValidationError:
        raise Corrupt("a signed head lacks what a head must say") from None


class Verdict(msgspec.Struct, frozen=True):
    """What verifying a ledger found.

    issuer     the id of the node or hub whose it says it is
    fine       whether everything is as it was written and signed
    entries    how many were found right, from the first one on
    heads      how many heads agree with them
    signed     `seq` of the newest entry that a head covers; later ones are only as safe as the database
    signed_at  when that head was signed, in seconds since 1970; None without one
    hash       of the last right entry
    wrong      `seq` of the first entry that is wrong or gone; None when all is fine
    says       what is wrong, in one line
    """

    issuer: str
    fine: bool
    entries: int
    heads: int
    signed: int
    signed_at: int | None
    hash: str
    wrong: int | None = None
    says: str = ""


class _Wrong(Exception):
    """`seq`: the first wrong entry, as near as it can be told."""

    def __init__(self, seq: int, says: str) -> None:
        super().__init__(says)
        self.seq = seq


class _Chain:
    """The ledger as far as it was read and found right."""

    def __init__(self, keys: PublicKeys, issuer: str, kept: Iterable[Head]) -> None:
        self.keys, self.issuer = keys, issuer
        self.seq, self.hash, self.day = 0, NO_HASH, ""
        self.heads, self.signed = 0, 0
        self.signed_at: int | None = None
        self._of_day: Counter[str] = Counter()
        self._kept_agrees = 0
        self._kept = sorted(kept, key=lambda head: head.seq, reverse=True)

    def take(self, item: Entry | str) -> None:
        """The next entry, or a head of the entries so far."""
        if isinstance(item, Entry):
            self._take_entry(item)
        else:
            self._take_head(item)

    def _take_entry(self, entry: Entry) -> None:
        due = self.seq + 1
        self._compare_kept()
        if entry.seq > due:
            raise _Wrong(due, f"entry {due} is gone: entry {entry.seq} comes after entry {self.seq}")
        if entry.seq < due:
            raise _Wrong(due, f"an entry numbered {entry.seq} stands where entry {due} must be")
        if not entry.follows(self.hash):
            raise _Wrong(
                due, f"entry {due} is not what was written after entry {self.seq}: its hash is of something else"
            )
        if self.seq and entry.day != self.day and (self.signed != self.seq or not self.heads):
            raise _Wrong(self.signed + 1, f"the head of {self.day}, which must cover entry {self.seq}, is gone")
        self.seq, self.hash, self.day = entry.seq, entry.hash, entry.day
        self._of_day[entry.day] += 1

    def _take_head(self, token: str) -> None:
        try:
            head = read_head(token, self.keys)
        except Corrupt as error:
            raise _Wrong(
                self.signed + 1, f"the head after entry {self.seq} is not signed by the ledger's keys: {error}"
            ) from None
        if head.iss != self.issuer:
            raise _Wrong(self.signed + 1, f"the head after entry {self.seq} is of {head.iss}, not of {self.issuer}")
        if head.seq < self.seq:
            raise _Wrong(self.seq, f"the head of entry {head.seq} stands after entry {self.seq}")
        self._compare(head, "the head", self.signed)
        self.heads, self.signed, self.signed_at = self.heads + 1, head.seq, head.iat

    def _compare(self, head: Head, what: str, agreed: int) -> None:
        """Raise unless the chain is what `head` signed; until `agreed` it is what such a head before it signed."""
        if head.seq > self.seq:
            gone = f"entries {self.seq + 1} to {head.seq} are" if head.seq > self.seq + 1 else f"entry {head.seq} is"
            raise _Wrong(self.seq + 1, f"{gone} gone, which {what} of {head.day} signed")
        if head.hash != self.hash:
            first = min(agreed + 1, self.seq)
            raise _Wrong(
                first,
                f"one of the entries {first} to {self.seq} is not what {what} of {head.day} signed: it was changed, "
                "taken out or put in, and the hashes after it made again",
            )
        if head.seq and (head.day, head.count) != (self.day, self._of_day[self.day]):
            raise _Wrong(
                self.seq,
                f"{what} of {head.day} counts {head.count} entries of its day: {self._of_day[self.day]} are here",
            )

    def _compare_kept(self) -> None:
        while self._kept and self._kept[-1].seq == self.seq:
            head = self._kept.pop()
            self._compare(head, "the kept head", self._kept_agrees)
            self._kept_agrees = head.seq

    def end(self, *, sealed: bool) -> None:
        """Nothing comes after. `sealed`: a head must cover the last entry."""
        self._compare_kept()
        if self._kept:
            self._compare(self._kept[-1], "the kept head", self._kept_agrees)
        if sealed and (not self.heads or self.signed < self.seq):
            raise _Wrong(self.signed + 1, "no head covers the last entry, as one does where an export ends")


def verify_chain(
    items: Iterable[Entry | str], keys: PublicKeys, issuer: str, kept: Iterable[str] = (), *, sealed: bool = False
) -> Verdict:
    """Whether `items`, the entries by `seq` with each head after the entry that it covers, are as written and signed.

    keys    of the signer, from a source other than the ledger's own folder where that is what you doubt
    kept    heads that you kept from earlier: what they cover is then shown to be unchanged since
    sealed  the last entry must be covered by a head, as it is in an export

    Finds the first entry that was changed, taken out, put in or moved, a head that is gone or forged, and entries gone
    that a head covers. Without `kept` it does not find that entries and the heads after them were cut off, or were
    written anew with other times and without those heads. Raises `Corrupt` for a kept head that the keys did not sign.
    Cost: some 5 s for a million entries; memory does not grow with them.
    """
    chain = _Chain(keys, issuer, [read_head(token, keys) for token in kept])
    wrong: _Wrong | None = None
    try:
        for item in _readable(items, chain):
            chain.take(item)
        chain.end(sealed=sealed)
    except _Wrong as error:
        wrong = error
    where, says = (wrong.seq, str(wrong)) if wrong else (None, "")
    found = (chain.seq, chain.heads, chain.signed, chain.signed_at, chain.hash)
    return Verdict(issuer, wrong is None, *found, where, says)


def _readable(items: Iterable[Entry | str], chain: _Chain) -> Iterator[Entry | str]:
    """The items as long as they can be read."""
    try:
        yield from items
    except Corrupt as error:
        raise _Wrong(chain.seq + 1, f"what follows entry {chain.seq} cannot be read: {error}") from None
