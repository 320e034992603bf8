# SPDX-License-Identifier: Apache-2.0
"""A node whose sealed files lie in an object store gives out slices and files as from its own disk."""

from pathlib import Path

import pysam
import pytest

from tests.delivery.world import READS, make_world, paths
from tests.journeys.delivering import Reader, nobody, opened
from tests.journeys.permit_node import serving_at_its_address
from tests.kernel.object_store import BUCKET, settings_for

pytestmark = pytest.mark.s3


def as_written(address: str, prefix: str) -> str:
    """As an operator writes it."""
    store = settings_for(address)
    return f"""
[blobs]
url = "s3://{BUCKET}/{prefix}"
endpoint = "{store.endpoint}"
region = "{store.region}"
access_key_id = "{store.access_key_id}"
secret_access_key = "{store.secret_access_key.reveal()}"
"""


PART_BYTES = 200_000
ASKED = {"referenceName": "1", "start": 100_000, "end": 200_000}


def reads_of(path: Path, content: bytes) -> set[str]:
    path.write_bytes(content)
    with pysam.AlignmentFile(str(path)) as file:
        return {str(read.query_name) for read in file.fetch(until_eof=True)}


def test_a_slice_and_a_whole_file_by_range_come_from_an_object_store(object_store: str, tmp_path: Path) -> None:
    folder, slice_ = tmp_path / "node", tmp_path / "slice.bam"
    world = make_world(folder, as_written(object_store, tmp_path.name))
    assert not [path for path in (folder / "blobs").rglob("*") if path.is_file()]
    file = paths(folder) / "reads.bam"
    with pysam.AlignmentFile(str(file)) as reads:
        expected = {str(read.query_name) for read in reads.fetch("1", ASKED["start"], ASKED["end"])}
    assert len(expected) > 100
    with serving_at_its_address(folder) as served:
        found = reads_of(slice_, nobody(served).fetch(f"reads/{world.opened['BAM']}", **ASKED))
        assert expected <= found
        assert len(found) < READS / 2
        sealed = Reader(served).fetch(f"reads/{world.mine['BAM']}", **ASKED)
        assert reads_of(slice_, opened(sealed, world)) == found
        url, headers = nobody(served).ticket(f"reads/{world.opened['BAM']}")
        content, size = b"", file.stat().st_size
        while len(content) < size:
            asked = f"{len(content)}-{min(len(content) + PART_BYTES, size) - 1}"
            answer = served.client.get(url, headers=headers | {"range": f"bytes={asked}"})
            assert (answer.status_code, answer.headers["content-range"]) == (206, f"bytes {asked}/{size}")
            content += answer.content
    assert content == file.read_bytes()
