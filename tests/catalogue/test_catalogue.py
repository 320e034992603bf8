# SPDX-License-Identifier: Apache-2.0
"""What the catalogue tells of a collection, and when."""

import pytest
import rdflib

from megagenome.catalogue.catalogue import POINT, Address, Catalogue, path_of
from megagenome.catalogue.model import Profile
from megagenome.catalogue.serialise import Form
from megagenome.catalogue.steward import Stewardship
from megagenome.collection import Collection
from megagenome.collection.datasets import move_dataset, set_tiers
from megagenome.collection.model import DatasetState, Tier
from megagenome.collection.publication import write_draft
from megagenome.kernel.errors import Invalid, NotFound
from megagenome.kernel.ids import DatasetId
from megagenome.standards.catalogue_pages import ToWrite
from megagenome.standards.dataset_record import DatasetRecord
from megagenome.synthetic.governance import made_up_record
from tests.catalogue.samples import CLOSED, DRAFT, OPEN, PLACE

pytestmark = pytest.mark.usefixtures("database")

LDP = rdflib.Namespace("http://www.w3.org/ns/ldp#")
HEALTH = rdflib.Namespace("http://healthdataportal.eu/ns/health#")
CATALOG = ("catalog", PLACE.id)


def graph(catalogue: Catalogue, address: Address, profile: Profile = Profile.GDI) -> rdflib.Graph:
    return rdflib.Graph().parse(data=catalogue.document(address, profile, Form.TURTLE).content, format="turtle")


def contained(catalogue: Catalogue, address: Address) -> set[str]:
    return {str(child) for child in graph(catalogue, address).objects(None, LDP.contains)}


def publish(collection: Collection, stewardship: Stewardship, dataset: DatasetId = CLOSED) -> None:
    assert stewardship.write_as("operator", dataset, ToWrite(made_up_record(dataset, country="EE"))).version
    move(collection, DatasetState.APPROVED, dataset)
    move(collection, DatasetState.PUBLISHED, dataset)


def move(collection: Collection, to: DatasetState, dataset: DatasetId = CLOSED) -> None:
    with collection.engine.begin() as connection:
        move_dataset(connection, dataset, to)
    collection.refresh()


def test_only_what_is_published_is_contained(
    catalogue: Catalogue, collection: Collection, stewardship: Stewardship
) -> None:
    assert contained(catalogue, POINT) == {PLACE.catalog}
    assert contained(catalogue, CATALOG) == {PLACE.dataset(OPEN)}
    for unknown in (CLOSED, DRAFT, "NONE"):
        for address in (("dataset", unknown), ("distribution", f"beacon.{unknown}")):
            with pytest.raises(NotFound):
                catalogue.document(address, Profile.GDI, Form.TURTLE)
    publish(collection, stewardship)
    assert contained(catalogue, CATALOG) == {PLACE.dataset(OPEN), PLACE.dataset(CLOSED)}
    ways = {f"{PLACE.root}/distribution/{kind}.{CLOSED}" for kind in ("beacon", "access")}
    assert contained(catalogue, ("dataset", CLOSED)) == ways
    assert {str(each) for each in graph(catalogue, ("dataset", CLOSED)).objects(None, rdflib.DCAT.distribution)} == ways
    for profile in Profile:
        assert len(graph(catalogue, ("service", "beacon"), profile)) > 5


def test_what_was_withdrawn_leaves_a_tombstone(
    catalogue: Catalogue, collection: Collection, stewardship: Stewardship
) -> None:
    publish(collection, stewardship)
    before = catalogue.document(("dataset", CLOSED), Profile.GDI, Form.TURTLE)
    move(collection, DatasetState.WITHDRAWN)
    assert contained(catalogue, CATALOG) == {PLACE.dataset(OPEN)}
    for address in (("dataset", CLOSED), ("distribution", f"access.{CLOSED}")):
        gone = catalogue.document(address, Profile.GDI, Form.TURTLE)
        assert (before.gone, gone.gone) == (False, True)
        assert gone.content != before.content
        said = rdflib.Graph().parse(data=gone.content, format="turtle")
        statuses = {
            str(each).rpartition("/")[2]
            for each in said.objects(None, rdflib.URIRef("http://www.w3.org/ns/adms#status"))
        }
        assert statuses == {"WITHDRAWN"}
        assert b"biobank" not in gone.content
    with pytest.raises(NotFound):
        catalogue.page(("dataset", CLOSED), "distribution", 0, 10)
    move(collection, DatasetState.APPROVED)
    move(collection, DatasetState.PUBLISHED)
    assert not catalogue.document(("dataset", CLOSED), Profile.GDI, Form.TURTLE).gone


def test_what_was_never_published_leaves_nothing(catalogue: Catalogue, collection: Collection) -> None:
    move(collection, DatasetState.WITHDRAWN)
    with pytest.raises(NotFound):
        catalogue.document(("dataset", CLOSED), Profile.GDI, Form.TURTLE)


def test_numbers_are_those_that_everybody_may_be_told(
    catalogue: Catalogue, collection: Collection, stewardship: Stewardship
) -> None:
    def told(dataset: DatasetId) -> set[int]:
        said = graph(catalogue, ("dataset", dataset))
        properties = (HEALTH.numberOfUniqueIndividuals, HEALTH.numberOfRecords)
        return {int(number) for each in properties for number in said.objects(None, each)}

    publish(collection, stewardship)
    publish(collection, stewardship, DRAFT)
    assert told(OPEN) == {20}
    assert told(CLOSED) == set()  # its people are for those with registered access
    for dataset in (CLOSED, DRAFT):
        with collection.engine.begin() as connection:
            set_tiers(connection, dataset, "test", people=Tier.PUBLIC)
    collection.refresh()
    assert told(CLOSED) == {40}
    assert told(DRAFT) == set()  # five are below the floor
    document = catalogue.document(("dataset", CLOSED), Profile.GDI, Form.TURTLE)
    assert document.told == (CLOSED,)
    assert catalogue.document(("dataset", DRAFT), Profile.GDI, Form.TURTLE).told == ()


def test_a_draft_of_a_record_is_shown_nowhere(catalogue: Catalogue, collection: Collection) -> None:
    before = catalogue.document(("dataset", OPEN), Profile.GDI, Form.N_TRIPLES)
    with collection.engine.begin() as connection:
        write_draft(connection, OPEN, DatasetRecord(title="Secret plan"), "steward")
    collection.refresh()
    assert catalogue.document(("dataset", OPEN), Profile.GDI, Form.N_TRIPLES) == before


def test_documents_follow_the_collection(catalogue: Catalogue, stewardship: Stewardship) -> None:
    before = catalogue.document(("dataset", OPEN), Profile.GDI, Form.N_TRIPLES)
    assert catalogue.document(("dataset", OPEN), Profile.GDI, Form.N_TRIPLES) is before
    assert stewardship.write_as("operator", OPEN, ToWrite(DatasetRecord(title="Another"))).version == 1
    after = catalogue.document(("dataset", OPEN), Profile.GDI, Form.N_TRIPLES)
    assert b"Another" in after.content
    assert after.tag != before.tag


def test_pages_of_a_container_hold_all_children_once(
    catalogue: Catalogue, collection: Collection, stewardship: Stewardship
) -> None:
    publish(collection, stewardship)
    seen = []
    for number in range(2):
        page = catalogue.page(CATALOG, "dataset", number, 1)
        [child] = [str(each) for _, property_, each in page.description.triples if property_.endswith("#contains")]
        seen.append(child)
        assert page.numbers == {"first": 0, "last": 1} | ({"next": 1} if number == 0 else {"prev": 0})
    assert seen == [PLACE.dataset(OPEN), PLACE.dataset(CLOSED)]
    for address, prefix in ((CATALOG, "catalog"), (POINT, "dataset"), (("catalog", "other"), "dataset")):
        with pytest.raises(NotFound):
            catalogue.page(address, prefix, 0, 10)
    for size in (0, 501):
        with pytest.raises(Invalid):
            catalogue.page(CATALOG, "dataset", 0, size)


def test_addresses_are_paths() -> None:
    assert path_of(POINT) == "/fairdp"
    assert path_of(("dataset", "A")) == "/fairdp/dataset/A"
