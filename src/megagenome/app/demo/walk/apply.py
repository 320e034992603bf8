# SPDX-License-Identifier: Apache-2.0
"""From a count to a recommendation: the applicant, their signing official and the committee, at the hub."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import msgspec

from megagenome.app.demo.walk.answers import ROLE, USE, WHO, sections
from megagenome.app.demo.walk.model import SEX, Step
from megagenome.app.demo.walk.party import Party, require
from megagenome.kernel import clock
from megagenome.standards.application import Criterion, State
from megagenome.standards.saved_cohort import SavedCohort

TITLE = "Women of the network"
CONDITION = "Publish counts of at least ten people only."
REASONS = "All eight criteria are met."
DAYS = timedelta(days=364)


def apply(party: Party) -> Iterator[Step]:
    """The researcher counts, saves the cohort, begins the application with it, writes it and submits it."""
    way = party.way
    saved = f"{TITLE}: {way.told_registered}"
    yield Step(f"the researcher counts sex={SEX} and saves the cohort", "hub", saved, partial(_save, party))
    yield Step("the researcher begins an application with it", "hub", State.DRAFT, partial(_begin, party))
    yield Step("the application names the saved cohort", "hub", "the same", partial(_cohort, party))
    yield Step("the researcher answers every section", "hub", "nothing is missing", partial(write_form, party))
    submit = partial(party.command, "researcher", "submit", {}, page="/review")
    yield Step("the researcher submits it", "hub", State.SUBMITTED, submit)
    datasets = " and ".join(sorted(f"{each.dataset}" for each in (way.grants, way.refuses)))
    yield Step("the datasets of two countries stand in it", "hub", datasets, partial(_datasets, party))


def assess(party: Party) -> Iterator[Step]:
    """The official endorses, the committee assesses, votes, recommends and asks the countries."""
    endorse = partial(party.command, "official", "endorse", {})
    yield Step("the signing official endorses it", "hub", State.SCREENING, endorse)
    begin = partial(party.command, "chair", "begin-assessment", {})
    yield Step("the committee's chair begins the assessment", "hub", State.ASSESSING, begin)
    for who in ("chair", "member"):
        declare = partial(party.command, who, "declare-interest", {"conflict": "no"})
        yield Step(f"the {who} declares no conflict of interest", "hub", State.ASSESSING, declare)
        yield Step(f"the {who} votes", "hub", f"{len(Criterion)} votes", partial(_vote, party, who))
    yield Step("the chair recommends to approve", "hub", State.RECOMMENDED, partial(_recommend, party))
    request = partial(party.command, "chair", "request-decisions", {})
    yield Step("the chair asks the countries", "hub", State.NATIONAL_WINDOW, request)


def _save(party: Party) -> str:
    """Whoever walked before has saved it already."""
    browser, hub = party.browser("researcher"), party.way.hub
    counted = browser.submit(browser.open(f"{hub}/cohort"), "/cohort", {"sex": SEX, "assembly": party.way.assembly})
    if TITLE in counted.content.links:
        page = browser.follow(counted, TITLE)
    else:
        page = browser.submit(counted, "/cohorts", {"title": TITLE})
    party.cohort = page.url.rpartition("/")[2]
    saved = _saved(party)
    return f"{saved.title}: {saved.count():,} people"


def _saved(party: Party) -> SavedCohort:
    url = f"{party.way.hub}/access/cohorts/{party.cohort}"
    return msgspec.json.decode(require(party.browser("researcher").get_json(url)), type=SavedCohort)


def _begin(party: Party) -> str:
    browser = party.browser("researcher")
    page = browser.open(f"{party.way.hub}/cohorts/{party.cohort}")
    choices = browser.follow(page, "Apply for access to these data")
    wanted = [f"{site.id} {site.country} {site.dataset}" for site in (party.way.grants, party.way.refuses)]
    begun = browser.submit(choices, "/applications", {"dataset": wanted})
    party.application = begun.url.rpartition("/")[2]
    return party.shown("researcher").state


def _cohort(party: Party) -> str:
    return "the same" if party.shown("researcher").cohort == _saved(party).cohort else "another"


def write_form(party: Party) -> str:
    shown = party.shown("researcher")
    roles = {f"people:{person.key}": ROLE for person in shown.people}
    browser = party.browser("researcher")
    address = party.address("/form/who")
    browser.submit(browser.open(party.url("/form/who")), address, {**WHO, **roles})
    for section in sections(clock.now().date()):
        page = browser.open(party.url(f"/form/{section.id}"))
        browser.submit(page, party.address(f"/form/{section.id}"), section.values, section.documents)
    findings = party.shown("researcher").findings
    return ", ".join(f"{each.field}: {each.says}" for each in findings) or "nothing is missing"


def _datasets(party: Party) -> str:
    return " and ".join(sorted(part.dataset.dataset for part in party.shown("researcher").parts))


def _vote(party: Party, who: str) -> str:
    votes = {criterion.value: "met" for criterion in Criterion}
    party.command(who, "vote", votes)
    return f"{sum(vote.is_mine for vote in party.shown(who).votes)} votes"


def _recommend(party: Party) -> str:
    """A permit that begins today."""
    today = clock.now().date()
    days = {"starts": today.isoformat(), "ends": (today + DAYS).isoformat()}
    values = {"advice": "approve", "reasons": REASONS, "uses": [USE], "conditions": CONDITION}
    state = party.command("chair", "recommend", {**values, **days})
    recommendation = party.shown("chair").recommendation
    party.permit = recommendation.permit if recommendation else ""
    return state
