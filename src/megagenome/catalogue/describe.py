# SPDX-License-Identifier: Apache-2.0
"""Datasets, distributions and services as statements, in either profile.

GDI metadata 1.1 (Health-RI, 2025), HealthDCAT-AP release 8 over DCAT-AP 3.0.1 (SEMIC), FAIR Data Point 1.2 for what
all have in common. Where the two profiles exclude each other (health categories, types, media types), or their readers
need it (the language of texts), each view has its own; all else is the same in both.
"""

from megagenome.catalogue.model import Listed, Offer, Place, Profile
from megagenome.catalogue.rdf import Description, Literal, term, value
from megagenome.catalogue.variables import describe_variables
from megagenome.standards import duo
from megagenome.standards.dataset_fields import HEALTH_CATEGORIES, LEGAL_BASES
from megagenome.standards.dataset_record import EHDS, Party

EU = "http://publications.europa.eu/resource/authority/"
IANA = "http://www.iana.org/assignments/media-types/"
_HDEU = "https://hdeu-dcat.data.health.europa.eu/resource/authority/"
_GDI_CATEGORIES = {
    "human-genetic": "HealthCategoryHumanGenetic",
    "human-genomic": "HealthCategoryHumanGenomic",
    "human-epigenomic": "HealthCategoryHumanEpigenomic",
}
_EHDS_CATEGORY = _HDEU + "healthcategories/HGPD"
"""The one category of the EHDS (Art. 51(1)(f)) that all three of GDI fall under."""
_DPV_PD = "https://w3id.org/dpv/dpv-pd#"
_PERSONAL = ("Age", "Gender", "Genetic", "MedicalHealth")
"""What the variables of each dataset are, in the Data Privacy Vocabulary."""
_PORTAL_LANGUAGE = "en"
"""GDI's portal shows texts in it or without a language, and an empty title of a dataset that has neither. FDP 1.2 takes
one title and one description; so texts in other languages are said without theirs to it."""
_LANGUAGES = {
    "bg": "BUL", "cs": "CES", "da": "DAN", "de": "DEU", "el": "ELL", "en": "ENG", "es": "SPA", "et": "EST",
    "fi": "FIN", "fr": "FRA", "ga": "GLE", "hr": "HRV", "hu": "HUN", "is": "ISL", "it": "ITA", "lt": "LIT",
    "lv": "LAV", "mt": "MLT", "nl": "NLD", "no": "NOR", "pl": "POL", "pt": "POR", "ro": "RON", "sk": "SLK",
    "sl": "SLV", "sv": "SWE",
}  # fmt: skip
_OFFERS = {
    Offer.BEACON: (
        "Counts of alleles and people, by GA4GH Beacon v2",
        "Numbers, without a permit where the dataset allows it. Small ones are withheld unless the data are open.",
    ),
    Offer.ACCESS: (
        "Data of individuals, by permit",
        "Genotypes and clinical facts, sealed for the environment of a permit, which is applied for.",
    ),
}
"""Title and description."""
_OPEN_ACCESS = (
    "Data of individuals, for everybody",
    "Genotypes by GA4GH htsget and files by GA4GH DRS, without a permit, as the data are declared open.",
)
_FORMATS = {Offer.BEACON: ("application/json", "JSON"), Offer.ACCESS: ("application/octet-stream", "BIN")}
"""Media type, and the code of the EU authority table file-type."""


def describe_dataset(listed: Listed, place: Place, profile: Profile) -> Description:
    """A dataset as whoever catalogues it is to read it. It holds numbers as far as everybody may be told them."""
    said, record, at = Description(), listed.record, place.dataset(listed.dataset.id)
    language = record.language if profile is not Profile.GDI or record.language == _PORTAL_LANGUAGE else ""
    said.typed(at, "dcat:Dataset", "dcat:Resource")
    said.text(at, "dct:title", record.title, language=language)
    if not language:  # and no rdfs:label, which CKAN takes for what leads here
        said.text(at, "skos:prefLabel", record.title, language=record.language)
    said.text(at, "dct:description", record.description, language=language)
    said.text(at, "dct:identifier", record.identifier)
    said.text(at, "dcat:version", listed.version)
    said.text(at, "owl:versionInfo", listed.version)  # its name in DCAT-AP 2, which CKAN reads
    said.link(at, "dct:isPartOf", place.catalog)
    said.link(at, "dcat:landingPage", at)
    said.say(at, "dct:issued", *_moment(listed.dataset.published))
    said.say(at, "dct:modified", *_moment(listed.changed))
    said.link(at, "dct:accessRights", EU + "access-right/" + record.access_rights)
    said.link(at, "dcatap:applicableLegislation", *(record.legislation or (EHDS,)))
    said.link(at, "dcat:theme", *(f"{EU}data-theme/{code}" for code in record.themes))
    said.text(at, "dcat:keyword", *record.keywords, language=language)
    said.text(at, "healthdcatap:populationCoverage", record.population, language=language)
    said.link(at, "dct:isReferencedBy", *record.references)
    if code := _LANGUAGES.get(record.language):
        said.link(at, "dct:language", f"{EU}language/{code}")
    for property_, name, party in (
        ("dct:publisher", "publisher", record.publisher),
        ("dct:creator", "publisher" if record.creator == record.publisher else "creator", record.creator),
        ("healthdcatap:hdab", "hdab", record.hdab),
        ("geodcatap:custodian", "controller", record.governance.controller),
    ):
        _link_agent(said, at, property_, name, party, profile)
    _say_contact(said, at, record.contact)
    _say_ground(said, at, listed, language)
    _say_numbers(said, at, listed)
    if profile is Profile.GDI:
        _say_by_gdi(said, at, listed, place)
    else:
        _say_by_ehds(said, at, listed, place)
    return said


def describe_distribution(listed: Listed, offer: Offer, place: Place, profile: Profile) -> Description:
    """A way to a dataset. Numbers come from the node's Beacon, which is described with it."""
    said, at = Description(), place.distribution(listed.dataset.id, offer)
    title, text = _way(offer, is_open=listed.dataset.open)
    media_type, file_type = _FORMATS[offer]
    dataset = place.dataset(listed.dataset.id)
    said.typed(at, "dcat:Distribution", "dcat:Resource")
    said.text(at, "dct:title", title, language="en")
    said.text(at, "dct:description", text, language="en")
    said.text(at, "dcat:version", listed.version)
    said.link(at, "dct:isPartOf", dataset)
    said.say(at, "dct:issued", *_moment(listed.dataset.published))
    said.say(at, "dct:modified", *_moment(listed.changed))
    said.link(at, "dcatap:applicableLegislation", *(listed.record.legislation or (EHDS,)))
    said.link(at, "dcat:accessURL", f"{place.url}/beacon/v2" if offer is Offer.BEACON else dataset)
    said.link(at, "adms:status", f"{EU}distribution-status/COMPLETED")
    _link_agent(said, at, "dct:publisher", "publisher", listed.record.publisher, profile)
    if offer is Offer.BEACON:
        said.link(at, "dcat:accessService", place.beacon)
        said.add(_service(place).triples)
    elif listed.record.uses:
        said.link(at, "dct:rights", _say_rights(said, dataset, listed))
    if profile is Profile.GDI:
        said.text(at, "dcat:mediaType", media_type)
        if offer is Offer.BEACON:
            said.link(place.beacon, "dcat:servesDataset", dataset)
    else:
        _typed_link(said, at, "dcat:mediaType", IANA + media_type, "dct:MediaType")
        _typed_link(said, at, "dct:format", f"{EU}file-type/{file_type}", "dct:MediaTypeOrExtent")
        type_vocabulary(said)
    return said


def way_title(offer: Offer, *, is_open: bool) -> str:
    """What a way to a dataset is called."""
    return _way(offer, is_open=is_open)[0]


def describe_beacon(place: Place, datasets: tuple[Listed, ...], profile: Profile) -> Description:
    """The node's Beacon as a service, and which datasets it answers for."""
    said = _service(place)
    said.typed(place.beacon, "dcat:Resource")
    said.text(place.beacon, "dcat:version", place.version)
    said.link(place.beacon, "dcat:servesDataset", *(place.dataset(each.dataset.id) for each in datasets))
    _link_agent(said, place.beacon, "dct:publisher", "publisher", Party(place.organisation, "", place.url), profile)
    if profile is Profile.HEALTHDCAT_AP:
        for each in datasets:
            said.typed(place.dataset(each.dataset.id), "dcat:Dataset")
            said.text(place.dataset(each.dataset.id), "dct:title", each.record.title, language=each.record.language)
            text = each.record.description
            said.text(place.dataset(each.dataset.id), "dct:description", text, language=each.record.language)
        type_vocabulary(said)
    return said


def describe_withdrawn(listed: Listed, place: Place) -> Description:
    """What is told of a dataset that was published and is no more."""
    said, at = Description(), place.dataset(listed.dataset.id)
    said.typed(at, "dcat:Dataset")
    said.text(at, "dct:identifier", listed.record.identifier)
    said.link(at, "adms:status", f"{EU}dataset-status/WITHDRAWN")
    said.say(at, "dct:modified", *_moment(listed.changed))
    return said


def say_agent(said: Description, at: str, party: Party, profile: Profile) -> None:
    """Describe an organisation at an address: with what each profile calls its contact point."""
    said.typed(at, "foaf:Agent")
    said.text(at, "foaf:name", party.name)
    said.link(at, "foaf:mbox", f"mailto:{party.email}" if party.email else "")
    said.link(at, "foaf:homepage", party.url)
    said.text(at, "dct:identifier", party.url)
    if profile is Profile.GDI and party.email:
        said.link(at, "dcat:contactPoint", f"{at}-contact")
        _say_kind(said, f"{at}-contact", party)
    if profile is Profile.HEALTHDCAT_AP:
        if party.url:
            said.typed(party.url, "foaf:Document")
        if party.email or party.url:
            said.link(at, "cv:contactPoint", f"{at}-contact")
            said.typed(f"{at}-contact", "cv:ContactPoint")
            said.text(f"{at}-contact", "cv:email", party.email)
            said.link(f"{at}-contact", "cv:contactPage", party.url)


def _way(offer: Offer, *, is_open: bool) -> tuple[str, str]:
    return _OPEN_ACCESS if is_open and offer is Offer.ACCESS else _OFFERS[offer]


def _service(place: Place) -> Description:
    said = Description()
    said.typed(place.beacon, "dcat:DataService")
    said.text(place.beacon, "dct:title", f"Beacon of {place.name}", language="en")
    said.text(place.beacon, "dct:description", ". ".join(_OFFERS[Offer.BEACON]), language="en")
    said.link(place.beacon, "dcat:endpointURL", f"{place.url}/beacon/v2")
    said.link(place.beacon, "dcatap:applicableLegislation", EHDS)
    return said


def _link_agent(said: Description, at: str, property_: str, name: str, party: Party, profile: Profile) -> None:
    if party.name:
        said.link(at, property_, f"{at}#{name}")
        say_agent(said, f"{at}#{name}", party, profile)


def _say_contact(said: Description, at: str, party: Party) -> None:
    if party.name and party.email:
        said.link(at, "dcat:contactPoint", f"{at}#contact")
        _say_kind(said, f"{at}#contact", party)


def _say_kind(said: Description, at: str, party: Party) -> None:
    said.typed(at, "vcard:Kind")
    said.text(at, "vcard:fn", party.name)
    said.link(at, "vcard:hasEmail", f"mailto:{party.email}")
    said.link(at, "vcard:hasURL", party.url)


def _say_ground(said: Description, at: str, listed: Listed, language: str) -> None:
    """Why the data may be processed, where they come from, and what they may be used for, in terms and in words."""
    record = listed.record
    if basis := LEGAL_BASES.get(record.governance.legal_basis):
        _typed_link(said, at, "dpv:hasLegalBasis", basis[1], "dpv:LegalBasis")
    if _is_personal(listed):
        for category in _PERSONAL:
            _typed_link(said, at, "dpv:hasPersonalData", _DPV_PD + category, "dpv:PersonalData")
    if record.provenance:
        said.link(at, "dct:provenance", f"{at}#provenance")
        said.typed(f"{at}#provenance", "dct:ProvenanceStatement")
        said.text(f"{at}#provenance", "rdfs:label", record.provenance, language=language)
    if record.uses:
        policy = f"{at}#use"
        said.link(at, "odrl:hasPolicy", policy)
        said.typed(policy, "odrl:Policy")
        for use in record.uses:
            said.link(policy, "dct:type", duo.iri_of(use.term))
            said.text(policy, "rdfs:label", duo.plain_words(use), language="en")
            if duo.TERMS[use.term].needs is duo.Needs.DISEASES:
                diseases = (duo.split_disease(each)[0] for each in use.values)
                said.link(policy, "dct:subject", *map(duo.iri_of, diseases))
        _say_rights(said, at, listed)


def _say_rights(said: Description, dataset: str, listed: Listed) -> str:
    """The terms of use in words, as one text, and its address. It stands with the dataset as well as with the way to
    the data: GDI's harvester takes from a distribution what that says of itself, and follows no address in it.
    """
    rights = f"{dataset}#rights"
    said.typed(rights, "dct:RightsStatement")
    said.text(rights, "rdfs:label", " ".join(map(duo.plain_words, listed.record.uses)), language="en")
    return rights


def _say_numbers(said: Description, at: str, listed: Listed) -> None:
    """A record is what is kept of one person."""
    if listed.people is not None:
        number = value(listed.people, "nonNegativeInteger")
        said.say(at, "healthdcatap:numberOfRecords", number)
        said.say(at, "healthdcatap:numberOfUniqueIndividuals", number)


def _say_by_gdi(said: Description, at: str, listed: Listed, place: Place) -> None:
    record = listed.record
    said.link(at, "dcat:distribution", *(place.distribution(listed.dataset.id, offer) for offer in Offer))
    said.say(at, "healthdcatap:healthCategory", *(term("gdi:" + _GDI_CATEGORIES[c]) for c in record.health_categories))
    if record.conforms_to:
        said.say(at, "dct:conformsTo", term(f"gdi:{record.conforms_to}"))
    if record.synthetic:  # with the scheme that GDI's shapes have
        said.link(at, "dct:type", EU.replace("http:", "https:") + "dataset-type/SYNTHETIC_DATA")
    said.link(at, "adms:status", f"{EU}dataset-status/COMPLETED")


def _say_by_ehds(said: Description, at: str, listed: Listed, place: Place) -> None:
    record = listed.record
    said.link(at, "healthdcatap:healthCategory", _EHDS_CATEGORY)
    _say_kind_of_data(said, at, listed)
    said.link(at, "dcat:distribution", place.distribution(listed.dataset.id, Offer.ACCESS))
    said.link(at, "healthdcatap:analytics", place.distribution(listed.dataset.id, Offer.BEACON))
    for offer in Offer:
        said.add(describe_distribution(listed, offer, place, Profile.HEALTHDCAT_AP).triples)
    said.say(at, "healthdcatap:hasStructuredData", value("true", "boolean"))
    describe_variables(said, at)
    _label(said, _EHDS_CATEGORY, "; ".join(HEALTH_CATEGORIES[each] for each in record.health_categories))
    for code in record.themes:
        _label(said, f"{EU}data-theme/{code}", "Health" if code == "HEAL" else code)
    for use in record.uses:
        _label(said, duo.iri_of(use.term), duo.TERMS[use.term].code)
    said.typed(EU + "access-right/" + record.access_rights, "dct:RightsStatement")
    type_vocabulary(said)


def _say_kind_of_data(said: Description, at: str, listed: Listed) -> None:
    """Synthetic, or personal; of what is declared open and not synthetic neither is known."""
    kind = "SYNTHETIC_DATA" if listed.record.synthetic else "PERSONAL_DATA" if _is_personal(listed) else ""
    if kind:
        said.link(at, "dct:type", f"{EU}dataset-type/{kind}")
        _label(said, f"{EU}dataset-type/{kind}", kind.replace("_", " ").capitalize())


def _is_personal(listed: Listed) -> bool:
    return not (listed.record.synthetic or listed.dataset.open)


def type_vocabulary(said: Description) -> None:
    """Say of each address of a vocabulary that is linked to what it is: DCAT-AP's shapes look it up in the data."""
    for _, property_, target in list(said.triples):
        if isinstance(target, Literal):
            continue
        if property_ == term("dcatap:applicableLegislation"):
            said.typed(target, "eli:LegalResource")
        elif property_ == term("dct:language"):
            said.typed(target, "dct:LinguisticSystem")
        elif property_ == term("adms:status"):
            _label(said, target, target.rpartition("/")[2].capitalize())
        elif property_ == term("dcat:landingPage"):
            said.typed(target, "foaf:Document")


def _typed_link(said: Description, at: str, property_: str, target: str, kind: str) -> None:
    said.link(at, property_, target)
    said.typed(target, kind)


def _label(said: Description, concept: str, text: str) -> None:
    said.typed(concept, "skos:Concept")
    said.text(concept, "skos:prefLabel", text, language="en")


def _moment(text: str) -> tuple[Literal, ...]:
    return (value(text, "dateTime"),) if text else ()
