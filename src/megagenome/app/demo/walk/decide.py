# SPDX-License-Identifier: Apache-2.0
"""The countries decide, each at its own node: one grants, the other refuses."""

from collections.abc import Iterator
from functools import partial

from megagenome.app.demo.patience import until
from megagenome.app.demo.walk.model import Site, Step
from megagenome.app.demo.walk.party import Party
from megagenome.standards.application import PartState, State

REFUSAL = "The national law asks for a local partner, and none is named."


def decide(party: Party) -> Iterator[Step]:
    """Both decide; then the hub knows it, and the permit is partial."""
    way = party.way
    for site, verdict, reasons in ((way.grants, "approved", ""), (way.refuses, "refused", REFUSAL)):
        arrived = partial(arrive, party, site)
        yield Step("the proposed permit is on the country's desk", site.id, party.permit, arrived)
        deciding = partial(decide_at, party, site, verdict, reasons)
        says = "refuses, with reasons" if reasons else "grants"
        yield Step(f"the decider of {site.country} {says}", site.id, verdict, deciding)
    expected = f"{State.ACTIVE}: {way.grants.dataset} approved, {way.refuses.dataset} refused"
    yield Step("the hub knows both decisions", "hub", expected, partial(_outcome, party))


def _who(site: Site) -> str:
    return f"decider of {site.country}"


def arrive(party: Party, site: Site) -> str:
    """The permit that came to the country's desk, once it did."""
    browser, address = party.browser(_who(site)), f"/desk/{party.permit}"
    until(lambda: address in browser.open(f"{site.url}/desk").content.links.values())
    found = [link for link in browser.open(f"{site.url}/desk").content.links.values() if link == address]
    return found[0].rpartition("/")[2] if found else "nothing"


def decide_at(party: Party, site: Site, verdict: str, reasons: str) -> str:
    """The decider sends the desk's form; how the part stands then."""
    browser, address = party.browser(_who(site)), f"/desk/{party.permit}"
    values = {f"verdict:{site.dataset}": verdict, f"reasons:{site.dataset}": reasons}
    browser.submit(browser.open(site.url + address), address, values)
    return party.part_at(site)


def _outcome(party: Party) -> str:
    def is_known() -> bool:
        states = {part.state for part in party.shown("researcher").parts}
        return states == {PartState.APPROVED, PartState.REFUSED}

    until(is_known)
    shown = party.shown("researcher")
    parts = {part.dataset.dataset: part.state for part in shown.parts}
    datasets = (party.way.grants.dataset, party.way.refuses.dataset)
    return f"{shown.state}: " + ", ".join(f"{dataset} {parts[dataset]}" for dataset in datasets)
