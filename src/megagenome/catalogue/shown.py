# SPDX-License-Identifier: Apache-2.0
"""What pages show of the catalogue (`standards.catalogue_pages`)."""

from megagenome.catalogue.catalogue import POINT, Address, Catalogue, path_of
from megagenome.catalogue.describe import way_title
from megagenome.catalogue.model import Listed, Offer, Place, Profile
from megagenome.catalogue.schema_org import catalog_json, dataset_json
from megagenome.catalogue.serialise import Form
from megagenome.collection.model import Dataset, Tier
from megagenome.kernel.errors import NotFound
from megagenome.standards import duo
from megagenome.standards.catalogue_pages import CataloguePage, DatasetPage, Download, Way, WithdrawnPage
from megagenome.standards.dataset_fields import HEALTH_CATEGORIES, LEGAL_BASES

_NEEDED = {
    Tier.PUBLIC: "",
    Tier.REGISTERED: "registered access",
    Tier.CONTROLLED: "a permit",
}
_PROFILES = {Profile.GDI: "GDI profile", Profile.HEALTHDCAT_AP: "HealthDCAT-AP"}

Shown = CataloguePage | DatasetPage | WithdrawnPage


def show(catalogue: Catalogue, address: Address) -> Shown:
    """What the page of a resource shows. The way to a dataset is shown with the dataset. Raises `NotFound`."""
    kind, name = address
    if kind == "distribution":
        kind, name = "dataset", name.partition(".")[2]
    if kind == "dataset":
        listed = catalogue.find(name)
        if listed.is_withdrawn:
            return WithdrawnPage(listed.dataset.id, listed.record.identifier, listed.changed)
        return dataset_page(listed, catalogue.place)
    if address in (POINT, ("catalog", catalogue.place.id), ("service", "beacon")):
        return _catalogue(catalogue, address)
    raise NotFound("there is no such resource in this catalogue")


def _catalogue(catalogue: Catalogue, address: Address) -> CataloguePage:
    place, published = catalogue.place, catalogue.listing().published
    return CataloguePage(
        f"Genomes at {place.name}",
        place.name,
        place.country,
        path_of(address),
        address == POINT,
        tuple(dataset_page(each, place) for each in published),
        downloads(path_of(address), is_folder=address == POINT),
        catalog_json(place, published),
    )


def dataset_page(listed: Listed, place: Place) -> DatasetPage:
    """What the page of a published dataset shows."""
    dataset, record = listed.dataset, listed.record
    basis = LEGAL_BASES.get(record.governance.legal_basis)
    return DatasetPage(
        id=dataset.id,
        address=path_of(("dataset", dataset.id)),
        record=record,
        is_open=dataset.open,
        words=tuple((use.term, duo.plain_words(use)) for use in record.uses),
        categories=tuple(HEALTH_CATEGORIES[each] for each in record.health_categories),
        legal_basis=basis[0] if basis else "",
        people=listed.people,
        needs=_needs(dataset),
        assemblies=dataset.assemblies,
        issued=dataset.published,
        changed=listed.changed,
        ways=tuple(
            Way(
                way_title(offer, is_open=dataset.open),
                f"{place.url}/beacon/v2" if offer is Offer.BEACON else "",
            )
            for offer in Offer
        ),
        downloads=downloads(path_of(("dataset", dataset.id))),
        schema_org=dataset_json(listed, place),
    )


def _needs(dataset: Dataset) -> str:
    """What it takes to be told numbers about it, in words; empty where it takes nothing."""
    needed = {
        "how frequent alleles are": dataset.alleles_tier,
        "how many people match a description": dataset.people_tier,
    }
    return " ".join(f"To be told {what} takes {_NEEDED[tier]}." for what, tier in needed.items() if _NEEDED[tier])


def downloads(path: str, *, is_folder: bool = False) -> tuple[Download, ...]:
    """The other forms of what is at a path; of a folder they are files in it."""
    stem = f"{path}/index" if is_folder else path
    return tuple(
        Download(f"{form.label}, {_PROFILES[profile]}", _variant(stem + form.suffix, profile))
        for profile in Profile
        for form in Form
        if form is not Form.HTML
    )


def _variant(suffixed: str, profile: Profile) -> str:
    return suffixed if profile is Profile.GDI else f"{suffixed}?profile={profile.value}"
