# SPDX-License-Identifier: Apache-2.0
"""A dataset as schema.org's Dataset (https://schema.org/Dataset), which search engines read in pages."""

from megagenome.catalogue.model import Listed, Offer, Place
from megagenome.standards import duo
from megagenome.standards.dataset_record import Party


def dataset_json(listed: Listed, place: Place) -> dict[str, object]:
    """The description as JSON-LD, without what is not stated."""
    record, at = listed.record, place.dataset(listed.dataset.id)
    found: dict[str, object] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": at,
        "url": at,
        "name": record.title,
        "description": record.description,
        "identifier": record.identifier,
        "version": listed.version,
        "inLanguage": record.language,
        "keywords": list(record.keywords),
        "datePublished": listed.dataset.published,
        "dateModified": listed.changed,
        "isAccessibleForFree": True,
        "conditionsOfAccess": " ".join(duo.plain_words(use) for use in record.uses),
        "citation": list(record.references),
        "publisher": _organisation(record.publisher),
        "creator": _organisation(record.creator),
        "includedInDataCatalog": {"@type": "DataCatalog", "name": f"Genomes at {place.name}", "url": place.catalog},
        "distribution": [
            {"@type": "DataDownload", "contentUrl": place.distribution(listed.dataset.id, offer)} for offer in Offer
        ],
    }
    if record.contact.email:
        contact = {"@type": "ContactPoint", "name": record.contact.name, "email": record.contact.email}
        found["publisher"] = {**_organisation(record.publisher), "contactPoint": contact}
    return {name: value for name, value in found.items() if value not in ("", [], {})}


def catalog_json(place: Place, datasets: tuple[Listed, ...]) -> dict[str, object]:
    """The catalogue as schema.org's DataCatalog."""
    return {
        "@context": "https://schema.org/",
        "@type": "DataCatalog",
        "@id": place.catalog,
        "url": place.catalog,
        "name": f"Genomes at {place.name}",
        "publisher": _organisation(Party(place.organisation, "", place.url)),
        "dataset": [
            {"@type": "Dataset", "@id": place.dataset(each.dataset.id), "name": each.record.title} for each in datasets
        ],
    }


def _organisation(party: Party) -> dict[str, object]:
    said = {"@type": "Organization", "name": party.name, "url": party.url, "email": party.email}
    return {name: text for name, text in said.items() if text}
