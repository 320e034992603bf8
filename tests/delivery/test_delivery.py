# SPDX-License-Identifier: Apache-2.0
"""How many files would leave, for who decides on a dataset. That they do or do not is what stories over HTTP hold."""

import msgspec

from megagenome.delivery.delivery import leaving
from megagenome.kernel.ids import DatasetId
from megagenome.kernel.sealed_files import ArchivedFile, FileId, FileState, new_file_id


def file(kind: str, *samples: str, of: FileId | None = None, state: FileState = FileState.READY) -> ArchivedFile:
    return ArchivedFile(new_file_id(), DatasetId("D"), "", kind, samples, of, 9, 0, "", None, None, state, "", None)


def test_by_permit_reads_and_their_indexes_leave_and_of_open_data_whatever_is_somebodys() -> None:
    reads, variants, people = file("BAM", "S"), file("VCF", "S"), file("people-table")
    files = [reads, file("BAI", of=reads.id), variants, file("TBI", of=variants.id), people]
    assert leaving(files, is_open=False) == 2
    assert leaving(files, is_open=True) == 4
    waiting = [msgspec.structs.replace(each, state=FileState.VERIFIED) for each in files]
    assert leaving(waiting, is_open=True) == leaving(waiting, is_open=False) == leaving([], is_open=True) == 0
