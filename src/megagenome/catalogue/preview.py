# SPDX-License-Identifier: Apache-2.0
"""What everybody would see of a dataset if it were published now: for its stewards, before anybody does.

There is no second way to describe a dataset: the catalogue of a collection in which it is supposed to be published
makes page and files as the catalogue will that serves them. Looking changes nothing and is entered nowhere.
"""

from typing import NamedTuple

from msgspec.structs import replace

from megagenome.catalogue.catalogue import Catalogue, Document
from megagenome.catalogue.model import Place, Profile
from megagenome.catalogue.needs import CountAnswers, CountPeopleOf
from megagenome.catalogue.serialise import Form
from megagenome.catalogue.shown import dataset_page, downloads
from megagenome.collection import Collection
from megagenome.collection.model import Dataset
from megagenome.collection.publication import in_words, read_history
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.errors import Conflict, NotFound
from megagenome.kernel.ids import DatasetId
from megagenome.standards.catalogue_pages import STEWARD_PATH, PublicPreview
from megagenome.standards.dataset_fields import faults, missing
from megagenome.standards.dataset_record import DatasetRecord


class _Supposed(NamedTuple):
    """A collection in which a dataset is published with a record, the dataset as it is, and whether that is a draft."""

    collection: Collection
    dataset: Dataset
    record: DatasetRecord
    is_draft: bool


class Previews:
    """What would become public of one node's datasets, for its data stewards. Safe to call from many threads."""

    def __init__(
        self, collection: Collection, place: Place, count_people: CountPeopleOf, count_answers: CountAnswers
    ) -> None:
        self._collection = collection
        self._place = place
        self._count_people = count_people
        self._count_answers = count_answers

    def view(self, caller: Caller, dataset: DatasetId) -> PublicPreview:
        """The page and the numbers. Raises `Unauthenticated`, `NotEntitled`, `NotFound`; `Conflict` for a draft in
        which stands what no description can hold, naming it."""
        supposed = self._suppose(caller, dataset)
        page = dataset_page(self._catalogue(supposed).find(dataset), self._place)
        here = f"{STEWARD_PATH}/{dataset}/preview"
        return PublicPreview(
            replace(page, downloads=downloads(here, is_folder=True)),
            supposed.dataset.state,
            supposed.is_draft,
            missing(supposed.record, is_open=supposed.dataset.open),
            self._count_answers(supposed.collection, dataset),
        )

    def document(self, caller: Caller, dataset: DatasetId, profile: Profile, form: Form) -> Document:
        """The description in a form of RDF. Raises what `view` raises."""
        return self._catalogue(self._suppose(caller, dataset)).document(("dataset", dataset), profile, form)

    def _catalogue(self, supposed: _Supposed) -> Catalogue:
        return Catalogue(
            supposed.collection,
            self._place,
            lambda: self._count_people(supposed.collection),
            lambda _subject, _datasets: None,  # no number is told to anybody from whom it is held back
        )

    def _suppose(self, caller: Caller, dataset: DatasetId) -> _Supposed:
        caller.require(Role.DATA_STEWARD)
        self._collection.refresh()
        known = next((each for each in self._collection.snapshot().datasets if each.id == dataset), None)
        if known is None:
            raise NotFound(f"there is no dataset {dataset[:100]} at this node")
        with self._collection.engine.connect() as connection:
            newest = next(iter(read_history(connection, dataset)), None)
        if newest is None:
            return _Supposed(self._collection.as_if_published(dataset), known, DatasetRecord(), is_draft=False)
        if found := faults(newest.record, is_open=known.open):
            raise Conflict(f"what was saved last of {dataset} can be shown when it is corrected: {in_words(found)}")
        recorded = replace(newest, version=newest.version + 1, draft=False, at=clock.now().isoformat())
        supposed = self._collection.as_if_published(dataset, recorded if newest.draft else newest)
        return _Supposed(supposed, known, newest.record, newest.draft)
