# SPDX-License-Identifier: Apache-2.0
"""The catalogue: addresses below `/fairdp` to descriptions, in each profile and form, and to what pages show."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from megagenome.catalogue.containers import (
    PAGED,
    contain_distributions,
    describe_catalog,
    describe_page,
    describe_point,
)
from megagenome.catalogue.describe import (
    describe_beacon,
    describe_dataset,
    describe_distribution,
    describe_withdrawn,
)
from megagenome.catalogue.listing import take_listing
from megagenome.catalogue.model import ROOT, Listed, Listing, Offer, Place, Profile
from megagenome.catalogue.needs import CountAggregate, CountPeople
from megagenome.catalogue.rdf import Description
from megagenome.catalogue.serialise import Form, serialise
from megagenome.collection import Collection
from megagenome.kernel.errors import Invalid, NotFound
from megagenome.kernel.ids import DatasetId

_MOST_KEPT = 8_192
"""Documents kept in memory at once, each of some KB; when there are more, all are forgotten."""
_LARGEST_PAGE = 500

POINT = ("", "")
"""The root, as the address of a resource: its kind and its name."""
Address = tuple[str, str]


class Document(NamedTuple):
    """A description as bytes. `tag` is made of them, so it is the same in every process; `gone` is True of a tombstone;
    `told` are datasets of which it holds a number."""

    content: bytes
    tag: str
    changed: str
    gone: bool
    told: tuple[DatasetId, ...] = ()


class _Kept(NamedTuple):
    """What is told at one version, and the documents that were made of it. In one piece, so that no document of an
    earlier listing gets among those of a later one."""

    listing: Listing
    documents: dict[tuple[Address, Profile, Form], Document]


class Page(NamedTuple):
    """A part of a container: a description, and the numbers of the first, previous, next and last page."""

    description: Description
    numbers: dict[str, int]


class Catalogue:
    """What a node tells of its datasets. Safe to call from many threads.

    Descriptions are made when they are first asked for and kept until the collection changes: then all of them are made
    anew, so that none is older than the Beacon's answers.
    """

    def __init__(
        self,
        collection: Collection,
        place: Place,
        count_people: CountPeople,
        count_aggregate: CountAggregate,
    ) -> None:
        """`count_aggregate` is told of each answer that holds a number of people."""
        self.place = place
        self.collection = collection
        self.count_aggregate = count_aggregate
        self._count_people = count_people
        self._kept: _Kept | None = None

    def listing(self) -> Listing:
        """All that is told now."""
        return self._now().listing

    def document(self, address: Address, profile: Profile, form: Form) -> Document:
        """A resource's description. Raises `NotFound` for what is not published and never was."""
        listing, documents = self._now()
        kept = documents.get((address, profile, form))
        if kept is None:
            described, listed = self._describe(listing, address, profile)
            content = serialise(described.triples, form)
            gone = listed is not None and listed.is_withdrawn
            told = (listed.dataset.id,) if listed and not gone and listed.people is not None else ()
            changed = listed.changed if listed else listing.changed
            kept = Document(content, tag_of(content), changed, gone, told if address[0] == "dataset" else ())
            if len(documents) >= _MOST_KEPT:
                documents.clear()
            documents[address, profile, form] = kept
        return kept

    def page(self, address: Address, prefix: str, number: int, size: int) -> Page:
        """A page of a container's children, from 0. Raises `NotFound` for a container that the resource has not."""
        if not 1 <= size <= _LARGEST_PAGE:
            raise Invalid(f"size={size}: a page has 1 to {_LARGEST_PAGE}")
        at, children = self._children(address, prefix)
        last = max(0, (len(children) - 1) // size)
        near = {"first": 0, "prev": number - 1, "next": number + 1, "last": last}
        shown = describe_page(at, prefix, children[number * size : (number + 1) * size])
        return Page(shown, {name: each for name, each in near.items() if 0 <= each <= last})

    def find(self, name: str) -> Listed:
        """A dataset that is told of. Raises `NotFound`."""
        for each in self.listing().datasets:
            if each.dataset.id == name:
                return each
        raise NotFound("there is no such dataset in this catalogue")

    def has(self, address: Address) -> bool:
        """Whether a dataset, or a way to one, of this very name is told of."""
        kind, name = address
        known = {each.dataset.id for each in self.listing().datasets}
        return (kind == "dataset" and name in known) or (kind == "distribution" and name.partition(".")[2] in known)

    def _now(self) -> "_Kept":
        kept = self._kept
        if kept is None or kept.listing.version != self.collection.version:
            kept = self._kept = _Kept(take_listing(self.collection, self.place, self._count_people), {})
        return kept

    def _children(self, address: Address, prefix: str) -> tuple[str, Sequence[str]]:
        kind, name = address
        if address == POINT and prefix == "catalog":
            return self.place.root, [self.place.catalog]
        if (kind, prefix) == ("catalog", "dataset") and name == self.place.id:
            published = self.listing().published
            return self.place.catalog, [self.place.dataset(each.dataset.id) for each in published]
        if (kind, prefix) == ("dataset", "distribution") and not self.find(name).is_withdrawn:
            return self.place.dataset(name), [self.place.distribution(name, offer) for offer in Offer]
        raise NotFound(f"there is nothing of this kind here; the containers are {', '.join(PAGED)}")

    def _describe(self, listing: Listing, address: Address, profile: Profile) -> tuple[Description, Listed | None]:
        kind, name = address
        match kind:
            case "":
                return describe_point(listing, self.place, profile), None
            case "catalog" if name == self.place.id:
                return describe_catalog(listing, self.place, profile), None
            case "service" if name == "beacon":
                return describe_beacon(self.place, listing.published, profile), None
            case "dataset":
                return self._describe_dataset(self.find(name), profile)
            case "distribution":
                offer, dataset = _offer_of(name)
                listed = self.find(dataset)
                if listed.is_withdrawn:
                    return describe_withdrawn(listed, self.place), listed
                return describe_distribution(listed, offer, self.place, profile), listed
        raise NotFound("there is no such resource in this catalogue")

    def _describe_dataset(self, listed: Listed, profile: Profile) -> tuple[Description, Listed]:
        if listed.is_withdrawn:
            return describe_withdrawn(listed, self.place), listed
        described = describe_dataset(listed, self.place, profile)
        contain_distributions(described, listed, self.place)
        return described, listed


def path_of(address: Address) -> str:
    """Where a resource is on the server."""
    return ROOT if address == POINT else f"{ROOT}/{address[0]}/{address[1]}"


def tag_of(content: bytes) -> str:
    """The strong ETag of some bytes."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _offer_of(name: str) -> tuple[Offer, str]:
    prefix, _, dataset = name.partition(".")
    for offer in Offer:
        if offer.value == prefix:
            return offer, dataset
    raise NotFound("there is no such distribution in this catalogue")
