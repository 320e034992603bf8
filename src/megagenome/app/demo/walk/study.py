# SPDX-License-Identifier: Apache-2.0
"""From a permit of several countries to a checked result: what a study of their nodes finds is what all the data in one
place say, to the digits that are told."""

import math
import secrets
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import msgspec

from megagenome.app.demo.patience import PATIENCE_S, until
from megagenome.app.demo.plan import HEIGHT
from megagenome.app.demo.pooled import FREQUENT
from megagenome.app.demo.walk.apply import assess, write_form
from megagenome.app.demo.walk.decide import arrive, decide_at
from megagenome.app.demo.walk.model import Step, Study
from megagenome.app.demo.walk.party import Party, require
from megagenome.collection.cohort import Everyone, canonical, cohort_id
from megagenome.kernel.errors import Unavailable
from megagenome.standards.application import State
from megagenome.standards.study_shown import Begun, CheckShown, ResultShown, StudyShown

RIGHT = "as pooled"
TOLD = 6e-4
"""Numbers are told to four digits."""
_EFFECTS = ("beta", "se", "p")


def study(party: Party) -> Iterator[Step]:
    """A permit over all nodes, and three studies by it, where the network is large enough."""
    asked = party.way.study
    if asked is None:
        return
    yield from permit(party, asked)
    yield Step("the hub finds nothing against a study", "hub", "nothing", partial(_check, party, asked))
    yield from _linear(party, asked)
    yield from _frequencies(party, asked)
    yield from _score(party, asked)


def permit(party: Party, asked: Study) -> Iterator[Step]:
    """From an application for data of all nodes to a permit that all of them granted."""
    where = f"{len(asked.sites)} countries"
    begin = partial(_begin, party, asked)
    yield Step(f"the researcher applies for data of {where}, to study them", "hub", State.DRAFT, begin)
    yield Step("the researcher answers every section", "hub", "nothing is missing", partial(write_form, party))
    submit = partial(party.command, "researcher", "submit", {}, page="/review")
    yield Step("the researcher submits it", "hub", State.SUBMITTED, submit)
    yield from assess(party)
    for site in asked.sites:
        yield party.signing(f"decider of {site.country}", site.decider, site.url, site.id)
        arrived = partial(arrive, party, site)
        yield Step("the proposed permit is on the country's desk", site.id, party.permit, arrived)
        deciding = partial(decide_at, party, site, "approved", "")
        yield Step(f"the decider of {site.country} grants", site.id, "approved", deciding)


def _linear(party: Party, asked: Study) -> Iterator[Step]:
    pooled, found = asked.pooled, dict[str, Mapping[str, Any]]()
    trait, sex = {"type": "measured", "term": HEIGHT}, {"type": "sex"}
    method = {"type": "linear", "variants": _variants(asked), "trait": trait, "covariates": [sex]}

    def run() -> str:
        shown, result = _run(party, asked, "What makes people tall", method)
        found.update(_by_allele(result, "associations"))
        return f"{shown.state}: {shown.people:,} people of {len(shown.sites)} nodes"

    expected = f"finished: {pooled.people:,} people of {len(asked.sites)} nodes"
    yield Step("the researcher studies height, without who withdrew", "hub", expected, run)
    place = f"{pooled.allele} is number {pooled.place} of {len(pooled.effects)} alleles by p"
    yield Step("the study finds the allele that height was given", "hub", place, lambda: _place(found, pooled.allele))
    effects = {name: {each: getattr(of, each) for each in _EFFECTS} for name, of in pooled.effects.items()}
    yield Step("effects, errors and p of the study", "hub", RIGHT, lambda: compare(found, effects))


def _frequencies(party: Party, asked: Study) -> Iterator[Step]:
    counts = {name: {"het": of.het, "hom": of.hom, "an": of.called} for name, of in asked.pooled.effects.items()}

    def run() -> str:
        method = {"type": "frequencies", "variants": _variants(asked)}
        _, result = _run(party, asked, "How common alleles are", method)
        return compare(_by_allele(result, "frequencies"), counts)

    yield Step("a study counts genotypes over all nodes", "hub", RIGHT, run)


def _score(party: Party, asked: Study) -> Iterator[Step]:
    pooled = asked.pooled
    contig, pos1, ref, alt = pooled.allele.split("-")
    expected = {"": {"mean": pooled.mean, "deviation": pooled.deviation, "r_squared": pooled.r_squared}}

    def run() -> str:
        weights, trait = [[contig, int(pos1) - 1, alt, ref, 1.0]], {"type": "measured", "term": HEIGHT}
        method = {"type": "score", "assembly": party.way.assembly, "score": "tall", "weights": weights, "trait": trait}
        _, result = _run(party, asked, "How tall genes make people", method)
        return compare({"": {name: result.summary.get(name) for name in expected[""]}}, expected)

    yield Step("a study scores everybody by that allele: mean, deviation, height explained", "hub", RIGHT, run)


def _begin(party: Party, asked: Study) -> str:
    definition = msgspec.json.encode(canonical(Everyone())).decode()
    datasets = [{"node": site.id, "country": site.country, "dataset": site.dataset} for site in asked.sites]
    order = {"id": secrets.token_hex(16), "cohort": cohort_id(Everyone()), "definition": definition}
    begun = _post(party, "/access/applications", {**order, "datasets": datasets, "form": "data-access"})
    party.application = msgspec.json.decode(begun)["application"]
    return party.shown("researcher").state


def _variants(asked: Study) -> dict[str, Any]:
    return {"assembly": "GRCh38", "regions": [asked.pooled.region.text], "least_frequency": FREQUENT}


def _document(party: Party, asked: Study, title: str, method: Mapping[str, Any]) -> dict[str, Any]:
    sites = [{"node": s.id, "datasets": [s.dataset], "key": asked.keys[s.id]} for s in asked.sites]
    sites.sort(key=lambda site: str(site["node"]))
    cohort = '{"type":"everyone"}'
    return {"version": 1, "title": title, "permit": party.permit, "cohort": cohort, "sites": sites, "method": method}


def _check(party: Party, asked: Study) -> str:
    """Once the hub heard of all decisions."""
    document = _document(party, asked, "A check", {"type": "frequencies", "variants": _variants(asked)})

    def findings() -> tuple[str, ...]:
        return msgspec.json.decode(_post(party, "/studies/check", document), type=CheckShown).findings

    until(lambda: not findings())
    return "; ".join(findings()) or "nothing"


def _run(party: Party, asked: Study, title: str, method: Mapping[str, Any]) -> tuple[StudyShown, ResultShown]:
    """Begin it, wait for it, and read its result. Raises `Unavailable` where it does not finish."""
    begun = msgspec.json.decode(_post(party, "/studies", _document(party, asked, title, method)), type=Begun)
    url, browser = f"{party.way.hub}/studies/{begun.id}", party.browser("researcher")
    version, gives_up = "", time.monotonic() + PATIENCE_S
    while True:
        shown = msgspec.json.decode(require(browser.get_json(url, {"after": version})), type=StudyShown)
        if shown.ended:
            break
        if time.monotonic() > gives_up:
            raise Unavailable(f"the study is {shown.state} at {shown.step} and does not end")
        version = shown.version
    if shown.reason:
        raise Unavailable(f"{shown.state}: {shown.reason}")
    return shown, msgspec.json.decode(require(browser.get_json(f"{url}/result")), type=ResultShown)


def _post(party: Party, path: str, body: Mapping[str, Any]) -> bytes:
    browser = party.browser("researcher")
    with browser.client_of(browser.open(f"{party.way.hub}/account")) as client:
        response = client.post(path, json=body)
    if response.status_code not in (200, 201):
        return require(response)
    return response.content


def _by_allele(result: ResultShown, table: str) -> dict[str, Mapping[str, Any]]:
    columns = result.tables[table]
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return {f"{row['contig']}-{row['pos1']}-{row['ref']}-{row['alt']}": row for row in rows}


def _place(found: Mapping[str, Mapping[str, Any]], allele: str) -> str:
    ahead = sum(row["p"] < found[allele]["p"] for row in found.values())
    return f"{allele} is number {1 + ahead} of {len(found)} alleles by p"


def compare(found: Mapping[str, Mapping[str, Any]], pooled: Mapping[str, Mapping[str, float]]) -> str:
    """`RIGHT`, or the first difference. A number that is withheld is none."""
    if found.keys() != pooled.keys():
        return f"of {len(pooled)} alleles not the same: {', '.join(sorted(found.keys() ^ pooled.keys())[:3])}"
    for allele, numbers in pooled.items():
        for name, number in numbers.items():
            told = found[allele].get(name)
            exact = isinstance(number, int)
            if told is None and exact:
                continue
            if told is None or not (told == number if exact else math.isclose(told, number, rel_tol=TOLD)):
                return f"{allele} {name}: {told} where all data have {number}".strip()
    return RIGHT
