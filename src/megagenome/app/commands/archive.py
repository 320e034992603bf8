# SPDX-License-Identifier: Apache-2.0
"""`megagenome node archive`: the files that a node keeps sealed."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import App, Parameter
from rich.console import RenderableType

from megagenome.app.commands.operator import given_by
from megagenome.app.node import Node, open_node
from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.kernel.ids import parse_dataset_id
from megagenome.kernel.output import Json, progress, show, table
from megagenome.kernel.sealed_files import ArchivedFile, FileId, FileState, parse_file_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from megagenome.archive.archive import Archive
    from megagenome.archive.model import Recovery, Rotation

archive = App(name="archive", help="List, verify, withdraw, shred and rebuild the files that a node keeps sealed.")

Folder = Annotated[Path, Parameter(help="The node's folder.")]
Flag = Parameter(negative="")


class Verified(msgspec.Struct, frozen=True):
    """One file that was read again: its state then, and what is wrong with it."""

    id: FileId
    state: FileState
    wrong: str = ""


class Shredded(msgspec.Struct, frozen=True):
    """What was shredded, or, where it is not `done`, would be; with its signed receipt."""

    files: tuple[FileId, ...]
    done: bool
    receipt: str = ""


@archive.command(name="list")
def list_(folder: Folder, /, *, dataset: str = "", json: Json = False) -> None:
    """List the files, by when they were archived.

    Parameters
    ----------
    dataset
        Only those of this dataset.
    """
    with _opened(folder) as opened:
        found = opened.files_of(parse_dataset_id(dataset) if dataset else None)
    show(found, json=json, render=_listed)


@archive.command(name="verify")
def verify_(
    folder: Folder,
    files: Annotated[tuple[str, ...], Parameter(help="Ids of files; default all.")] = (),
    /,
    *,
    oldest: int | None = None,
    json: Json = False,
) -> int:
    """Read files again from the disk, whole, and hold every byte against what was archived.

    Parameters
    ----------
    oldest
        Only so many, those first that were verified longest ago; for a timer.
    """
    with _opened(folder) as opened:
        chosen = _chosen(opened, files, oldest)
        done = []
        with progress("Verifying", sum(each.size_bytes for each in chosen)) as advance:
            read = 0
            for each in chosen:
                done.append(_verified(opened, each))
                read += each.size_bytes
                advance(read)
    rows = [[each.id, each.state.value, each.wrong] for each in done]
    show(done, json=json, render=lambda _: table(["file", "state", "what is wrong"], rows))
    return 1 if any(each.wrong for each in done) else 0


@archive.command(name="ready")
def ready_(
    folder: Folder,
    files: Annotated[tuple[str, ...], Parameter(help="Ids of files; their indexes go with them.")] = (),
    /,
    *,
    dataset: str = "",
    json: Json = False,
) -> None:
    """Let files be given out that a rebuild found again or that were withdrawn; all, or none. Verify them first.

    Parameters
    ----------
    dataset
        Instead of files: all verified ones of this dataset, but for those that wait for a data steward.
    """
    from megagenome.app.archive import open_archive  # cryptography takes 0.1 s to import
    from megagenome.reception.let_out import let_out, waiting_for_the_operator

    if bool(files) == bool(dataset):
        raise Invalid("give the ids of files, or --dataset ID")
    with _node(folder) as node:
        engine, opened = node.collection.engine, open_archive(node)
        wanted = {parse_file_id(file) for file in files}
        if dataset:
            waiting = waiting_for_the_operator(engine, opened, parse_dataset_id(dataset))
            wanted = {each.id for each in waiting if each.state is FileState.VERIFIED}
        let_out(engine, opened, sorted(wanted), given_by())
        found = _with_indexes(opened, wanted)
    show(found, json=json, render=_listed)


@archive.command(name="withdraw")
def withdraw_(
    folder: Folder,
    files: Annotated[tuple[str, ...], Parameter(help="Ids of files; their indexes go with them.")],
    /,
    *,
    json: Json = False,
) -> None:
    """Let files not be given out any more, such as ones that turned out wrong: all of them, or none. What is stored
    stays, and `archive ready` undoes it."""
    from megagenome.app.archive import open_archive  # cryptography takes 0.1 s to import
    from megagenome.reception.let_out import withdraw

    with _node(folder) as node:
        opened, wanted = open_archive(node), {parse_file_id(file) for file in files}
        withdraw(node.collection.engine, opened, sorted(wanted), given_by())
        found = _with_indexes(opened, wanted)
    show(found, json=json, render=_listed)


@archive.command(name="shred")
def shred_(folder: Folder, file: str, /, *, yes: Annotated[bool, Flag] = False, json: Json = False) -> None:
    """Destroy a file and its indexes for good, by their keys. It cannot be taken back. Repeat it if interrupted.

    Parameters
    ----------
    file
        The file's id.
    yes
        Do it. Without this option it only says what would be shredded.
    """
    from megagenome.app.archive import open_archive  # cryptography takes 0.1 s to import
    from megagenome.reception.forget import require_over

    wanted = parse_file_id(file)
    with _node(folder) as node:
        opened = open_archive(node)
        mine = tuple(each.id for each in opened.files_of() if wanted in (each.id, each.index_of))
        if not yes:
            done = Shredded(mine, done=False)
        else:
            require_over(node.collection.engine, wanted)
            done = Shredded(mine, done=True, receipt=opened.shred(wanted, given_by()))
    show(done, json=json, render=_shredded)


@archive.command(name="rebuild")
def rebuild_(folder: Folder, /, *, json: Json = False) -> int:
    """Hold the database against the store, and make rows again from what lies beside the files; after a restored
    backup, a lost database, or a doubt. It may run while the node serves."""
    with _opened(folder) as opened:
        found = opened.rebuild()
    show(found, json=json, render=_recovered)
    return 1 if found.missing or found.lost else 0


@archive.command(name="rotate")
def rotate_(folder: Folder, /, *, forget: Annotated[bool, Flag] = False, json: Json = False) -> None:
    """Make a new recipient key, and seal every file's key for it; an interrupted rotation is finished instead.

    Parameters
    ----------
    forget
        Make none, but forget the older ones for good: what providers encrypted for them can be read no more.
    """
    from megagenome.archive.model import Rotation  # cryptography takes 0.1 s to import

    with _opened(folder) as opened:
        if forget:
            opened.forget_retired()
            done = Rotation(opened.keys.names()[0], 0, ())
        else:
            done = opened.rotate()
    show(done, json=json, render=_rotated)


@contextlib.contextmanager
def _node(folder: Path) -> "Iterator[Node]":
    node = open_node(folder)
    try:
        yield node
    finally:
        node.collection.close()


@contextlib.contextmanager
def _opened(folder: Path) -> "Iterator[Archive]":
    from megagenome.app.archive import open_archive  # cryptography takes 0.1 s to import

    with _node(folder) as node:
        yield open_archive(node)


def _chosen(opened: "Archive", files: tuple[str, ...], oldest: int | None) -> list[ArchivedFile]:
    alive = [each for each in opened.files_of() if each.state is not FileState.SHREDDED]
    if files and oldest is not None:
        raise Invalid("--oldest chooses by itself: give files, or --oldest, or neither")
    if oldest is not None:
        return sorted(alive, key=lambda each: each.verified or "")[:oldest]
    if not files:
        return alive
    wanted = {parse_file_id(file) for file in files}
    if missing := wanted - {each.id for each in alive}:
        raise Invalid(f"there is no file {', '.join(sorted(missing))} here; `archive list` shows them")
    return [each for each in alive if each.id in wanted]


def _with_indexes(opened: "Archive", files: set[FileId]) -> list[ArchivedFile]:
    return [each for each in opened.files_of() if files & {each.id, each.index_of}]


def _listed(files: list[ArchivedFile]) -> RenderableType:
    columns = ["file", "dataset", "name", "format", "bytes", "state", "verified (UTC)"]
    rows = [
        [each.id, each.dataset, each.name, each.format, each.size_bytes, each.state.value, (each.verified or "")[:19]]
        for each in files
    ]
    return table(columns, rows)


def _verified(opened: "Archive", file: ArchivedFile) -> Verified:
    try:
        return Verified(file.id, opened.verify(file.id).state)
    except Corrupt as error:
        return Verified(file.id, FileState.SUSPECT, str(error))


def _shredded(done: Shredded) -> str:
    what = ", ".join(done.files) or "nothing"
    return f"shredded {what}\nreceipt: {done.receipt}" if done.done else f"would shred {what}; repeat it with --yes"


def _recovered(found: "Recovery") -> str:
    lines = [
        f"swept {found.swept:,} unfinished attempts",
        f"shreddings finished: {', '.join(found.shredded) or 'none'}",
        f"files that are known again: {', '.join(found.adopted) or 'none'}",
        f"bodies without a key, deleted: {', '.join(found.removed) or 'none'}",
        f"files without a body: {', '.join(found.missing) or 'none'}",
        f"sidecars that no file can be made of: {', '.join(found.lost) or 'none'}",
    ]
    if found.adopted:
        lines.append("Next: megagenome node archive verify, then megagenome node archive ready")
    return "\n".join(lines)


def _rotated(done: "Rotation") -> str:
    older = f"; older ones that still open what is sent: {', '.join(done.retiring)}" if done.retiring else ""
    return f"recipient key {done.newest}; {done.rewrapped:,} files sealed for it anew{older}"
