# SPDX-License-Identifier: Apache-2.0
"""What the catalogue tells of, taken from the collection: the datasets that it says are published, and no others.

The catalogue keeps no list of its own. That a dataset is published, and its record, come with one snapshot of the
collection, which Beacon and access read too; so all of them show a dataset, or none does.
"""

from collections.abc import Mapping

from msgspec.structs import replace

from megagenome.catalogue.model import Listed, Listing, Place
from megagenome.catalogue.needs import CountPeople
from megagenome.collection import Collection
from megagenome.collection.model import Dataset, DatasetState
from megagenome.kernel.ids import DatasetId
from megagenome.standards.dataset_fields import IDENTIFIER
from megagenome.standards.dataset_record import DatasetRecord, Party

_ATTEMPTS = 5


def take_listing(collection: Collection, place: Place, count_people: CountPeople) -> Listing:
    """The listing now. Numbers are of the same version as the datasets, unless the collection changes all the time."""
    snapshot, people = collection.snapshot(), count_people()
    for _ in range(_ATTEMPTS):
        if collection.version == snapshot.version:
            break
        snapshot, people = collection.snapshot(), count_people()
    known = zip(snapshot.numbers, snapshot.datasets, strict=True)
    told = [_listed(each, number, place, people) for number, each in known if _is_told(each)]
    return Listing(snapshot.version, tuple(sorted(told, key=lambda each: each.dataset.id)))


def _is_told(dataset: Dataset) -> bool:
    """What is published, and what was withdrawn after it had been: who knows its address is told that it is gone."""
    return dataset.state is DatasetState.PUBLISHED or dataset.published != ""


def _listed(dataset: Dataset, number: int, place: Place, people: Mapping[DatasetId, int]) -> Listed:
    record = filled(dataset.record or DatasetRecord(), dataset, number, place)
    changed = max(dataset.updated, dataset.recorded)
    return Listed(dataset, record, people.get(dataset.id), str(max(1, dataset.record_version)), changed)


def filled(record: DatasetRecord, dataset: Dataset, number: int, place: Place) -> DatasetRecord:
    """The record with what the node says of itself where the holder states nothing, as of open data they may.

    A dataset without an identifier of the pattern of GDI gets one from its number in this node, which never changes.
    """
    us = Party(place.organisation, "", place.url)
    publisher = record.publisher if record.publisher.name else us
    named = dataset.id if IDENTIFIER.fullmatch(dataset.id) else f"GDI-{place.country}-LOCAL-{number + 1:03}"
    title = record.title or dataset.title or dataset.id
    return replace(
        record,
        title=title,
        description=record.description or dataset.description or f"{title}, at {place.name}.",
        identifier=record.identifier or named,
        access_rights=record.access_rights or ("PUBLIC" if dataset.open else "NON_PUBLIC"),
        publisher=publisher,
        creator=record.creator if record.creator.name else publisher,
    )
