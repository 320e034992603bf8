# SPDX-License-Identifier: Apache-2.0
"""The frozen types of the catalogue: who serves it, what it lists, and in which profile it is read."""

from enum import Enum
from typing import NamedTuple

from megagenome.collection.model import Dataset, DatasetState
from megagenome.standards.dataset_record import DatasetRecord

ROOT = "/fairdp"
"""Where a node serves its FAIR Data Point."""


class Profile(Enum):
    """One of the two views of the one model; they differ where their vocabularies exclude each other."""

    GDI = "gdi"
    """The GDI metadata profile, which the GDI portal harvests."""
    HEALTHDCAT_AP = "healthdcat-ap"
    """HealthDCAT-AP, release 8, over DCAT-AP 3.0.1, for the EU dataset catalogue."""


class Place(NamedTuple):
    """The node that serves the catalogue.

    url           its address, without a slash at its end
    id            its Beacon id; the catalogue is called so too
    country       ISO 3166-1 alpha-2
    version       the software's
    """

    url: str
    id: str
    name: str
    organisation: str
    country: str
    version: str

    @property
    def root(self) -> str:
        """The address of the FAIR Data Point."""
        return self.url + ROOT

    @property
    def catalog(self) -> str:
        """The address of its one catalogue."""
        return f"{self.root}/catalog/{self.id}"

    @property
    def beacon(self) -> str:
        """The address of the service that answers for all datasets."""
        return f"{self.root}/service/beacon"

    def dataset(self, dataset: str) -> str:
        """The address of a dataset."""
        return f"{self.root}/dataset/{dataset}"

    def distribution(self, dataset: str, offer: "Offer") -> str:
        """The address of a way to a dataset."""
        return f"{self.root}/distribution/{offer.value}.{dataset}"


class Offer(Enum):
    """A way to a dataset; its value is the beginning of its address."""

    BEACON = "beacon"
    """Numbers about it, without a permit, as far as disclosure control lets them out."""
    ACCESS = "access"
    """The data of its people, by permit."""


class Listed(NamedTuple):
    """A dataset as the catalogue tells of it.

    record   its record, with what the node says of itself where nothing is stated
    people   how many people are in it; None where everybody may not be told
    version  of the metadata
    changed  when dataset or record were changed last
    """

    dataset: Dataset
    record: DatasetRecord
    people: int | None
    version: str
    changed: str

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was published and is no more: only that is told."""
        return self.dataset.state is not DatasetState.PUBLISHED


class Listing(NamedTuple):
    """All that the catalogue tells, at one version of the collection: what is published, and what was."""

    version: int
    datasets: tuple[Listed, ...]

    @property
    def published(self) -> tuple[Listed, ...]:
        """What containers list."""
        return tuple(each for each in self.datasets if not each.is_withdrawn)

    @property
    def changed(self) -> str:
        """When any of it was changed last; empty where there is nothing."""
        return max((each.changed for each in self.datasets), default="")
