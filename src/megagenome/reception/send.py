# SPDX-License-Identifier: Apache-2.0
"""Sending a folder to a node: sealed here, in parts, until the node has all of it and says so under its key.

The same command again goes on where it was: the node says which parts it has, and the others are sealed as before. What
is remembered between is in `send_state`, and is deleted with the receipt's arrival.
"""

import contextlib
import time
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

import msgspec

from megagenome.kernel.durable_files import write_durably
from megagenome.kernel.errors import Conflict, Corrupt, NotFound
from megagenome.kernel.output import Tell
from megagenome.reception.folder import (
    RECEIPT,
    STATE,
    Dataset,
    manifest_of,
    require_folder,
    require_sendable,
    total_bytes,
)
from megagenome.reception.inbox_client import Inbox
from megagenome.reception.send_state import (
    SealedAs,
    SendState,
    new_state,
    read_state,
    require_unchanged,
    write_state,
)
from megagenome.standards.crypt4gh_keys import fingerprint
from megagenome.standards.crypt4gh_segments import SEALED_SEGMENT_BYTES, SEGMENT_BYTES
from megagenome.standards.submission import OVER, Manifest, Receipt, State, Submission, digest_of_parts, read_receipt
from megagenome.standards.validation_report import Report

SEGMENTS_A_PART = 128
PART_BYTES = SEGMENTS_A_PART * SEGMENT_BYTES
"""Plain bytes of a part: 8 MiB."""

_POLL_S = (0.2, 0.5, 1.0, 2.0)


class Sent(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a folder: the submission as it is now, what validation said, and where the receipt lies."""

    submission: Submission
    recipient: str
    report: Report | None = None
    receipt: str = ""


def send(folder: Path, inbox: Inbox, said: Dataset, tell: Tell, *, wait: bool = True) -> Sent:
    """Send a folder, or go on with it. With `wait`, until the node validated and archived it.

    On return without `wait` the node has every byte. Raises `Conflict` where a file changed since the sending began or
    another folder's state lies here, `Corrupt` where a checksum or the receipt is not what it must be.
    """
    state = check(folder, inbox, said) or _begun(folder, inbox, said, tell)
    shown = inbox.show(state.submission)
    if shown.state is State.OPEN:
        counts = _send_files(folder, inbox, state, shown, tell)
        shown = inbox.complete(state.submission, counts)
    if not wait:
        return Sent(shown, state.recipient)
    shown = _waited(inbox, state, tell)
    report = None if shown.state is State.CANCELLED else _report(inbox, shown)
    receipt = ""
    if shown.state in (State.REPORTED, State.LOADING, State.ACCEPTED):
        receipt = str(_keep_receipt(folder, inbox, state, shown))
    if receipt or shown.state in OVER:
        (folder / STATE).unlink(missing_ok=True)
    return Sent(shown, state.recipient, report, receipt)


def cancel(folder: Path, inbox: Inbox) -> str:
    """Cancel what is being sent from a folder, and forget it; the submission's id."""
    require_folder(folder)
    state = read_state(folder / STATE)
    if state is None:
        raise NotFound(f"nothing is being sent from {folder}")
    if state.node != inbox.url:
        raise Conflict(f"{folder} is being sent to {state.node}: cancel it there")
    with contextlib.suppress(NotFound):  # the node forgot it
        inbox.cancel(state.submission)
    (folder / STATE).unlink()
    return state.submission


def check_receipt(token: str, manifest: Manifest, submission: str, inbox: Inbox) -> Receipt:
    """A receipt that the node signed for exactly these files. Raises `Corrupt` where it is of anything else."""
    receipt = read_receipt(token, inbox.keys())
    told = [(each.path, each.size_bytes, each.sha256) for each in receipt.files]
    stated = [(each.path, each.size_bytes, each.sha256) for each in manifest.files]
    if receipt.submission != submission or receipt.dataset != manifest.dataset or told != stated:
        raise Corrupt("the receipt is not of the files that were sent: keep it, and ask the node's operator")
    return receipt


def check(folder: Path, inbox: Inbox, said: Dataset) -> SendState | None:
    """What is remembered of the sending that is to go on; None where a new one begins. Asks nobody; of
    the files it reads lists of checksums alone.

    Raises `Invalid` for what no node would take, `Conflict` where something else is being sent from the folder.
    """
    require_folder(folder)
    state = read_state(folder / STATE)
    if state is None:
        require_sendable(folder, said)
        return None
    if state.node != inbox.url:
        raise Conflict(f"{folder} is being sent to {state.node}: go on there, or cancel that with --cancel")
    for name, value in msgspec.structs.asdict(said).items():
        if value not in ("", None, getattr(state.manifest, name)):
            raise Conflict(f"{folder} is being sent with another {name}: go on without --{name}, or cancel by --cancel")
    require_unchanged(folder, state)
    return state


def _begun(folder: Path, inbox: Inbox, said: Dataset, tell: Tell) -> SendState:
    total = total_bytes(folder)
    manifest = manifest_of(folder, said, lambda read: tell("Checksums", read, total))
    recipient = inbox.recipient()
    # what is refused here is not remembered, so that a second try begins anew
    state = new_state(folder, inbox.url, recipient, manifest, inbox.begin(manifest).id)
    write_state(folder / STATE, state)
    return state


def _send_files(folder: Path, inbox: Inbox, state: SendState, shown: Submission, tell: Tell) -> tuple[int, ...]:
    total = sum(each.size_bytes for each in state.manifest.files)
    done, counts = 0, []
    for number, (file, sealed) in enumerate(zip(state.manifest.files, state.files, strict=True)):
        here = {part.number for part in shown.files[number].parts}
        count = max(1, -(-file.size_bytes // PART_BYTES))
        for k, content in _parts(folder / file.path, sealed, set(range(count)) - here):
            inbox.put(state.submission, number, k, content)
            tell("Sending", done + min((k + 1) * PART_BYTES, file.size_bytes), total)
        done += file.size_bytes
        counts.append(count)
    return tuple(counts)


def _parts(path: Path, sealed: SealedAs, wanted: set[int]) -> Iterator[tuple[int, memoryview]]:
    """The parts of these numbers, sealed; each is valid until the next is asked for."""
    body, header = sealed.body(), sealed.header
    room = bytearray(SEGMENTS_A_PART * SEALED_SEGMENT_BYTES)
    with path.open("rb") as file:
        for number in sorted(wanted):
            file.seek(number * PART_BYTES)
            plain = file.read(PART_BYTES)
            content = body.seal(plain, number * SEGMENTS_A_PART, room)
            yield number, content if number else memoryview(header + bytes(content))


def _waited(inbox: Inbox, state: SendState, tell: Tell) -> Submission:
    total = len(state.manifest.files)
    waits_s = chain(_POLL_S, repeat(_POLL_S[-1]))
    while (shown := inbox.show(state.submission)).state is State.PROCESSING:
        archived = sum(bool(each.file) for each in shown.files)
        tell(shown.problem or "The node validates and archives", archived, total)
        time.sleep(next(waits_s))
    return shown


def _report(inbox: Inbox, shown: Submission) -> Report | None:
    try:
        return inbox.report(shown.id)
    except Conflict:
        return None


def _keep_receipt(folder: Path, inbox: Inbox, state: SendState, shown: Submission) -> Path:
    token = inbox.receipt(state.submission)
    receipt = check_receipt(token, state.manifest, state.submission, inbox)
    for told, here in zip(receipt.files, shown.files, strict=True):
        # once it is accepted the parts are gone, and so are their digests
        if here.parts and told.parts_sha256 != digest_of_parts(part.sha256 for part in here.parts):
            raise Corrupt(f"the receipt states another sealed {told.path} than was sent: ask the node's operator")
    path = folder / RECEIPT
    with write_durably(path) as file:
        file.write(token.encode() + b"\n")
    return path


def recipient_name(inbox: Inbox) -> str:
    """The fingerprint of the key that the node has now, to be compared with what its operator says."""
    return fingerprint(inbox.recipient())
