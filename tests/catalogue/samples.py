# SPDX-License-Identifier: Apache-2.0
"""Datasets as the catalogue lists them, without a collection."""

from megagenome.catalogue.listing import filled
from megagenome.catalogue.model import Listed, Listing, Place
from megagenome.collection.model import Dataset, DatasetState, Tier
from megagenome.kernel.ids import DatasetId
from megagenome.standards.dataset_record import DatasetRecord
from megagenome.synthetic.governance import made_up_record

PLACE = Place("https://node.example.org", "node.ee", "EE national node", "Example institute", "EE", "0.1")
SINCE = "2026-01-05T08:00:00.123456+00:00"
CLOSED, OPEN, DRAFT = DatasetId("GDI-EE-COHORT-001"), DatasetId("EE-OPEN"), DatasetId("EE-DRAFT.ttl")


def dataset(name: DatasetId = CLOSED, *, is_open: bool = False, **more: object) -> Dataset:
    values: dict[str, object] = {
        "id": name,
        "title": f"Title of {name}",
        "description": "",
        "state": DatasetState.PUBLISHED,
        "open": is_open,
        "floor": 0 if is_open else 10,
        "alleles_tier": Tier.PUBLIC,
        "people_tier": Tier.PUBLIC if is_open else Tier.REGISTERED,
        "collection_year": 2020,
        "individuals": 40,
        "assemblies": ("GRCh38",),
        "created": SINCE,
        "updated": SINCE,
        "published": SINCE,
    }
    return Dataset(**{**values, **more})  # type: ignore[arg-type]


def listed(
    record: DatasetRecord | None = None, *, is_open: bool = False, people: int | None = 40, number: int = 0
) -> Listed:
    """A published dataset with this record; without one, an open dataset has none and a closed one a made-up one."""
    name = OPEN if is_open else CLOSED
    stated = record or (DatasetRecord() if is_open else made_up_record(name, country="EE"))
    mine = dataset(name, is_open=is_open)
    return Listed(mine, filled(stated, mine, number, PLACE), people, "1", SINCE)


def listing(*datasets: Listed) -> Listing:
    return Listing(1, datasets or (listed(), listed(is_open=True, number=1)))
