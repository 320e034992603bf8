# SPDX-License-Identifier: Apache-2.0
"""The receipt of a submission: what arrived, signed by the node, so that its provider can prove it."""

import hashlib

import msgspec

from megagenome.kernel import clock
from megagenome.kernel.errors import Corrupt
from megagenome.reception import rows
from megagenome.reception.parts import Parts
from megagenome.standards.submission import RECEIPT_TYPE, Receipt, ReceivedFile, digest_of_parts


def sign_receipt(parts: Parts, row: rows.Row) -> str:
    """The receipt of a submission of which every file is archived and verified."""
    files = []
    with parts.engine.connect() as connection:
        archived = rows.files_of(connection, row.id)
        stored = [[each.part for each in rows.parts_of(connection, row.id, each.number)] for each in archived]
    for stated, here, sent in zip(row.manifest.files, archived, stored, strict=True):
        kept = parts.archive.find(here.file)
        if kept is None or kept.sha256 != stated.sha256:
            raise Corrupt(f"{here.file} of submission {row.id} is not in the archive as it was received")
        sealed_bytes = sum(each.size_bytes for each in sent)
        digest = digest_of_parts(each.sha256 for each in sent)
        files.append(
            ReceivedFile(
                stated.path, kept.size_bytes, kept.sha256, sealed_bytes, digest, here.file, here.archived, kept.md5
            )
        )
    report_sha256 = hashlib.sha256((row.report or "").encode()).hexdigest()
    now = int(clock.now().timestamp())
    claims = Receipt(parts.node, now, row.id, row.manifest.dataset, tuple(files), report_sha256)
    return parts.sign(msgspec.to_builtins(claims), RECEIPT_TYPE)
