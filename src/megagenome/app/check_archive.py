# SPDX-License-Identifier: Apache-2.0
"""Checks of a node's archive: its keys, what is wrong with its files, and, where asked, every byte of them."""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from megagenome.app.node import Node, blobs_of, keys_folder
from megagenome.kernel.errors import MegagenomeError
from megagenome.kernel.findings import Finding
from megagenome.kernel.sealed_files import FileId, FileState

if TYPE_CHECKING:
    from megagenome.archive.archive import Archive


def check_archive(node: Node, *, deep: bool) -> Iterator[Finding]:
    """What is found of the archive; nothing where its keys or its store are wrong, which is found elsewhere. `deep`
    verifies all files."""
    from megagenome.app.archive import open_archive  # cryptography takes 0.1 s to import
    from megagenome.app.ledger import open_keys

    try:
        keys = open_keys(node.folder)
        blobs_of(node)
    except MegagenomeError:
        return  # that is found already
    try:
        archive = open_archive(node, keys)
        files = archive.files_of()
    except MegagenomeError as error:
        yield Finding("archive", fine=False, says=str(error), do="restore keys/ from the backup, or see to the store")
        return
    yield _recipient(node, archive)
    found = Counter(file.state for file in files)
    says = ", ".join(f"{count:,} {state}" for state, count in sorted(found.items())) or "no files yet"
    fine = not found[FileState.SUSPECT]
    do = "" if fine else "restore the blobs of what is suspect, then `megagenome node archive verify`"
    yield Finding("archive", fine, says, do)
    yield from _waiting(node, archive)
    if overdue := archive.count_overdue():
        says = f"{overdue:,} files were verified by nobody for {2 * node.settings.archive.verify_days} days"
        do = "see the server's log, which says why; `megagenome node archive verify DIR --oldest 100` beside it helps"
        yield Finding("archive, verifying", fine=False, says=says, do=do)
    alive = [file.id for file in files if file.state is not FileState.SHREDDED]
    if deep and alive:
        wrong = [finding for file in alive for finding in _unverified(archive, file)]
        yield from wrong or [Finding("archive, every byte", fine=True, says="as archived")]


def _recipient(node: Node, archive: "Archive") -> Finding:
    keyless, says = archive.count_keyless(), archive.keys.names()[0]
    place = keys_folder(node.folder, node.settings.archive).resolve()
    if not node.settings.blobs.url and place.is_relative_to(node.folder.resolve()):
        says += "; it lies beside the files that it opens: move it to a volume of its own (archive.keys)"
    says += f"; {keyless:,} files are sealed for keys that are not here" if keyless else ""
    do = "put the keys of the backup's keys/recipient.json after the one that is there" if keyless else ""
    return Finding("recipient key", not keyless, says, do)


def _waiting(node: Node, archive: "Archive") -> Iterator[Finding]:
    from megagenome.reception.let_out import waiting_for_the_operator  # cryptography takes 0.1 s to import

    found = Counter(file.state for file in waiting_for_the_operator(node.collection.engine, archive))
    if found:
        counts = " and ".join(f"{count:,} {state}" for state, count in sorted(found.items()))
        says = f"{counts} files are not given out, and no data steward is asked about them; a rebuild found them again"
        do = "`megagenome node archive verify DIR`, then `megagenome node archive ready DIR --dataset ID` or `withdraw`"
        yield Finding("archive, let out", fine=False, says=says, do=do)


def _unverified(archive: "Archive", file: FileId) -> Iterator[Finding]:
    try:
        archive.verify(file)
    except MegagenomeError as error:
        yield Finding("archive", fine=False, says=str(error), do="restore its blobs, then verify it")
