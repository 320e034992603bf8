# SPDX-License-Identifier: Apache-2.0
"""The collection as it would be if a dataset were published now: for who decides on it, before it is."""

from msgspec.structs import replace

from megagenome.collection.model import Dataset, DatasetState
from megagenome.collection.snapshot import Snapshot
from megagenome.kernel import clock
from megagenome.kernel.errors import NotFound
from megagenome.kernel.ids import DatasetId
from megagenome.standards.dataset_record import RecordVersion


def suppose_published(snapshot: Snapshot, dataset: DatasetId, record: RecordVersion | None) -> Snapshot:
    """A snapshot in which the dataset is published, and has this record where one is given, as `datasets.move_dataset`
    and `publication.write_record` would leave it. Tiers, floors and people stay. Raises `NotFound`."""
    if not any(each.id == dataset for each in snapshot.datasets):
        raise NotFound(f"there is no dataset {dataset[:100]} here")
    datasets = (_published(each, record) if each.id == dataset else each for each in snapshot.datasets)
    return snapshot._replace(datasets=tuple(datasets))


def _published(dataset: Dataset, record: RecordVersion | None) -> Dataset:
    if dataset.state is not DatasetState.PUBLISHED:
        now = clock.now().isoformat()
        dataset = replace(dataset, state=DatasetState.PUBLISHED, published=now, updated=now)
    if record is None:
        return dataset
    return replace(
        dataset,
        title=record.record.title or dataset.title,
        description=record.record.description or dataset.description,
        record=record.record,
        record_version=record.version,
        recorded=record.at,
    )
