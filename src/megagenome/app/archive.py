# SPDX-License-Identifier: Apache-2.0
"""The archive of a node's folder, and how its server keeps it whole: what killed workers left is set right at the start
and each hour, and what nobody read for long is verified."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator

from megagenome.app.ledger import open_keys
from megagenome.app.node import Node, blobs_of, recipient_keys
from megagenome.archive.archive import Archive
from megagenome.kernel.every import Lifespan, every
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Ledger
from megagenome.kernel.memory import keep_buffers
from megagenome.reception.forget import forget_file

_EVERY_S = 3600

_log = logging.getLogger(__name__)


def open_archive(node: Node, keys: SigningKeys | None = None, ledger: Ledger | None = None) -> Archive:
    """The archive of an open node; its recipient key is made where there is none."""
    keep_buffers()
    keys = keys or open_keys(node.folder)
    ledger = ledger or Ledger(node.collection.engine, keys, node.settings.node.id)
    recipient = recipient_keys(node.folder, node.settings.archive)
    settings = node.settings.archive
    return Archive(ledger.engine, blobs_of(node), recipient, ledger, keys, settings, forget_file, node.folder)


def keep_whole(archive: Archive) -> Lifespan:
    """A server's lifespan that sets right what killed workers left, at its start and each hour."""

    def recover() -> None:
        done = archive.recover()
        if done.swept or done.shredded:
            _log.warning(
                "the archive swept %d unfinished files and finished %d shreddings", done.swept, len(done.shredded)
            )

    return every(_EVERY_S, recover, "the archive is not set right yet, it is tried again in an hour")


def keep_verified(archive: Archive) -> Lifespan:
    """A server's lifespan that verifies what is due, in a thread of its own, for that may take days."""

    @contextlib.asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        stopping = threading.Event()
        verifying = threading.Thread(target=_verify, args=(archive, stopping), name="verifying", daemon=True)
        verifying.start()
        try:
            yield
        finally:
            stopping.set()
            await asyncio.to_thread(verifying.join)

    return lifespan


def _verify(archive: Archive, stopping: threading.Event) -> None:
    while True:
        try:
            for checked in archive.scrub(stopping):
                if checked.wrong:
                    _log.error("a file was verified: %s", checked.wrong)
        except Exception:  # noqa: BLE001 - a thread that ends by whatever it was would be missed much later
            _log.exception("files are not verified, it is tried again in an hour")
        if stopping.wait(_EVERY_S):
            return
