# SPDX-License-Identifier: Apache-2.0
"""What the permit opens, and what stays closed: individual records and exact counts, through the node's Beacon."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from megagenome.app.demo.rule import Genotypes
from megagenome.app.demo.walk.model import SEX, SEX_TERM, Site, Step
from megagenome.app.demo.walk.party import Party, require
from megagenome.synthetic.truth import AlleleTruth

_PAGE = 100
REFUSED = "refused"
_KINDS = ("Heterozygous", "Homozygous", "Hemizygous")


def read(party: Party) -> Iterator[Step]:
    """At the node that granted, numbers are exact and records individual; nowhere else, and for nobody else."""
    grants, refuses = party.way.grants, party.way.refuses
    people = f"{grants.members:,} people"
    yield Step("the permit counts the cohort exactly", grants.id, people, partial(count, party, grants))
    records = f"{people}, each once, all {SEX}"
    yield Step("the permit reads their individual records", grants.id, records, partial(_records, party))
    for allele in party.way.alleles:
        expected = str(_of_cohort(allele, grants.dataset))
        says = f"the permit counts {allele.text} in the cohort exactly"
        yield Step(says, grants.id, expected, partial(_allele, party, allele))
    yield Step("the permit at the node that refused", refuses.id, REFUSED, partial(asked, party, refuses, party.permit))
    yield Step("a permit that is not there", grants.id, REFUSED, partial(asked, party, grants, "nothing"))
    other = partial(asked, party, grants, party.permit, "auditor")
    yield Step("the permit in the hand of somebody else", grants.id, REFUSED, other)
    yield Step("individual records without a permit", grants.id, "0 records", partial(_without, party))


def count(party: Party, site: Site) -> str:
    """How many people the permit counts, or that it is refused."""
    return asked(party, site, party.permit)


def asked(party: Party, site: Site, permit: str, who: str = "researcher") -> str:
    """What a node answers somebody who names a permit."""
    response = party.browser(who).get_json(
        f"{site.url}/beacon/v2/individuals", {"permit": permit, "requestedGranularity": "count"}
    )
    if response.status_code in (401, 403):
        return REFUSED
    return f"{_json(require(response))['responseSummary']['numTotalResults']:,} people"


def names(party: Party) -> list[tuple[str, str]]:
    """Name and sex of everybody whom the permit shows, page after page."""
    found: list[tuple[str, str]] = []
    url = f"{party.way.grants.url}/beacon/v2/individuals"
    while True:
        page = {"permit": party.permit, "requestedGranularity": "record", "limit": str(_PAGE), "skip": str(len(found))}
        answer = _json(require(party.browser("researcher").get_json(url, page)))
        sets = answer["response"]["resultSets"]
        people = [(each["id"], each["sex"]["id"]) for one in sets for each in one["results"]]
        found += people
        if not people:
            return found


def _records(party: Party) -> str:
    people = names(party)
    once = len({name for name, _ in people}) == len(people)
    alike = {sex for _, sex in people} == {SEX_TERM}
    return f"{len(people):,} people, {'each' if once else 'not each'} once, {'all' if alike else 'not all'} {SEX}"


def _of_cohort(allele: AlleleTruth, dataset: str) -> Genotypes:
    for cell in allele.cells:
        if (cell.dataset, cell.sex) == (dataset, SEX):
            return Genotypes(cell.heterozygous, cell.homozygous, cell.hemizygous, cell.allele_number)
    return Genotypes(0, 0, 0, 0)


def _allele(party: Party, allele: AlleleTruth) -> str:
    contig, pos1, ref, alt = allele.text.split("-")
    query = {
        "assemblyId": party.way.assembly,
        "referenceName": contig,
        "start": str(int(pos1) - 1),
        "referenceBases": ref,
        "alternateBases": alt,
        "permit": party.permit,
        "requestedGranularity": "record",
    }
    url = f"{party.way.grants.url}/beacon/v2/g_variants"
    answer = _json(require(party.browser("researcher").get_json(url, query)))
    return str(_told(answer, party.way.grants.dataset))


def _told(answer: Any, dataset: str) -> Genotypes:
    for one in answer["response"]["resultSets"]:
        for result in one["results"] if one["id"] == dataset else ():
            for each in result["frequencyInPopulations"][0]["frequencies"]:
                if each["population"] == "Total":
                    het, hom, hemi = (each[f"alleleCount{kind}"] for kind in _KINDS)
                    return Genotypes(het, hom, hemi, each["alleleNumber"])
    return Genotypes(0, 0, 0, 0)


def _without(party: Party) -> str:
    """Signed in, at `record` granularity, but without a permit."""
    url = f"{party.way.grants.url}/beacon/v2/individuals"
    answer = _json(require(party.browser("researcher").get_json(url, {"requestedGranularity": "record"})))
    return f"{sum(len(one['results']) for one in answer['response']['resultSets'])} records"


def _json(content: bytes) -> Any:
    return msgspec.json.decode(content)
