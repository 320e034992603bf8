# SPDX-License-Identifier: Apache-2.0
"""The whole way from a question to a permit and its end, by its people in Debian's Chromium, over real processes."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page, sync_playwright

from megagenome.app.demo.model import Running
from megagenome.app.demo.network import GIVEN
from megagenome.app.demo.walk.answers import TITLE, sections
from megagenome.app.demo.walk.decide import REFUSAL
from megagenome.app.demo.walk.model import Person, Site, Way
from megagenome.app.demo.walk.stop import REVOCATION_S
from megagenome.identity.demo_accounts import COLLEAGUE
from megagenome.kernel import clock
from tests.journeys.screens import Screens
from tests.journeys.test_way import WOMEN, network_of_two
from tests.portal.test_browser import ARGUMENTS

pytestmark = [pytest.mark.bcftools, pytest.mark.browser, pytest.mark.promise]

CONDITION = "Publish counts of at least ten people only."
STOPPED = "The project was stopped."
PATIENCE_S = 20.0


class Stage(NamedTuple):
    """Where it happens, and at whose screens."""

    way: Way
    network: Running
    screens: Screens

    def at_hub(self, who: str, then: str) -> Page:
        return self.screens.signed_in(who, self.way.people[who], self.way.hub, then)

    def person(self, name: str) -> Person:
        login = next(each for each in self.network.logins if each.name == name)
        return Person(login.name, login.password)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with network_of_two(tmp_path_factory.mktemp("network")) as (way, network, _), sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        provider = int(network.nodes[-1].url.rpartition(":")[2]) + 1
        addresses = [network.hub.url, *(node.url for node in network.nodes), f"http://127.0.0.1:{provider}"]
        hosts = {address.removeprefix("http://") for address in addresses}
        screens = Screens(chromium, tmp_path_factory.mktemp("screens"), hosts)
        yield Stage(way, network, screens)
        screens.close()
        chromium.close()


def test_the_way_with_all_its_people(stage: Stage) -> None:
    """One after the other, as it happens; what was wrong with a page on the way is told in the end, with all pages."""
    researcher = begin(stage)
    application = researcher.url
    invite(stage, application)
    write(stage, researcher, application)
    endorse(stage)
    assess(stage, application)
    permit = decide(stage)
    read(stage, researcher, application, permit)
    withdraw(stage, researcher, permit)
    revoke(stage, researcher, application, permit)
    audit(stage, permit)
    assert stage.screens.wrong == []
    assert len(stage.screens.seen) >= 40


def press(page: Page, button: str, *, exact: bool = True) -> None:
    """A button that leads to another page, or to the same one as it is afterwards."""
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name=button, exact=exact).click()
    assert page.locator("#problems").count() == 0, page.locator("#problems").inner_text()


def words(page: Page) -> str:
    return page.locator("main").inner_text().replace("\u00a0", " ")


def begin(stage: Stage) -> Page:
    """The researcher accepts the terms, counts a cohort, and begins an application for a dataset of each country."""
    way, look = stage.way, stage.screens.look
    public = stage.screens.of("public")
    for path in ("/", "/nodes", "/help", "/login"):
        public.goto(way.hub + path)
        assert public.locator(".site-notice").inner_text() == GIVEN
        look(public, f"public{path.replace('/', '-')}")
    page = stage.at_hub("researcher", "/account")
    look(page, "account")
    press(page, "I have read the terms and accept them")
    page.goto(f"{way.hub}/for-you")
    look(page, "for-you")
    page.goto(f"{way.hub}/cohort")
    page.get_by_role("radio", name="female").check()
    page.get_by_role("radio", name=way.assembly).check()
    page.get_by_role("button", name="Count").click()
    page.wait_for_url("**/cohort?**")
    assert str(2 * WOMEN) in page.locator(".main-figure").inner_text()
    look(page, "cohort")
    press(page, "Save it and apply for access")
    for site in (way.grants, way.refuses):
        page.locator(f'input[value$=" {site.dataset}"]').check()
    look(page, "choose")
    press(page, "Begin the application")
    look(page, "draft")
    return page


def invite(stage: Stage, application: str) -> None:
    """A colleague is invited, and joins."""
    page = stage.screens.of("researcher")
    page.goto(f"{application}/people")
    page.get_by_label("Name").fill("Cora")
    press(page, "Make an invitation")
    stage.screens.look(page, "invitation")
    invitation = page.locator(".invitations code").inner_text()
    page.close()
    colleague = stage.screens.signed_in(COLLEAGUE, stage.person(COLLEAGUE), stage.way.hub, "/for-you")
    colleague.goto(invitation)
    stage.screens.look(colleague, "join")
    press(colleague, "Join")
    assert colleague.url == application


def write(stage: Stage, page: Page, application: str) -> None:
    """The form, section by section, saved while one writes, with documents; then it is submitted."""
    look = stage.screens.look
    page.goto(f"{application}/form/purpose")
    page.get_by_label("Title of the project").fill(TITLE)
    page.get_by_label("Project description").focus()  # leaving a field saves it
    page.get_by_text(re.compile(r"Saved \d+:\d\d")).wait_for()
    page.reload()
    assert page.get_by_label("Title of the project").input_value() == TITLE
    page.goto(f"{application}/review")
    look(page, "review-unfinished")
    page.goto(f"{application}/form/who")
    page.get_by_role("radio", name="University").check()
    for field in page.locator('input[name^="people:"]').all():
        field.fill("analyses the counts")
    assert page.locator('input[name^="people:"]').count() == 2
    look(page, "form-who")
    press(page, "Save and go on")
    for section in sections(clock.now().date()):
        assert f"/form/{section.id}?" in page.url
        for name, value in section.values.items():
            answer(page, name, value)
        for document in section.documents:
            file = {"name": document.name, "mimeType": "text/plain", "buffer": document.content}
            page.locator(f'[name="{document.field}"]').set_input_files(file)
        look(page, f"form-{section.id}")
        press(page, "Save and go on")
    look(page, "review")
    press(page, "Submit the application")
    look(page, "submitted")


def answer(page: Page, name: str, value: Any) -> None:
    """One answer of the form, of whatever kind its field is."""
    fields = page.locator(f'form[data-autosave] [name="{name}"]')
    if fields.first.get_attribute("type") in ("radio", "checkbox"):
        for each in [value] if isinstance(value, str) else value:
            page.locator(f'form[data-autosave] [name="{name}"][value="{each}"]').check()
    else:
        fields.fill(value)


def endorse(stage: Stage) -> None:
    """The signing official finds it on the desk, and endorses it."""
    page = stage.at_hub("official", "/for-you")
    stage.screens.look(page, "official-for-you")
    page.get_by_role("link", name=TITLE).click()
    page.wait_for_url("**/applications/*")
    stage.screens.look(page, "official-application")
    press(page, "Endorse for", exact=False)
    stage.screens.look(page, "endorsed")
    page.goto(f"{stage.way.hub}/desk")
    assert "Nothing waits for you" in words(page)
    stage.screens.look(page, "official-desk-clear")


def assess(stage: Stage, application: str) -> None:
    """Chair and member declare and vote; the chair recommends, for the days asked for, and asks the countries."""
    look = stage.screens.look
    chair, member = stage.at_hub("chair", "/desk"), stage.at_hub("member", "/for-you")
    look(chair, "chair-desk")
    chair.get_by_role("link", name=TITLE).click()
    chair.wait_for_url(application)
    look(chair, "chair-screening")
    press(chair, "It is complete: begin the assessment")
    for who, page in (("member", member), ("chair", chair)):
        page.goto(application)
        look(page, f"{who}-declares")
        page.get_by_label("No", exact=True).check()
        press(page, "Declare")
        for criterion in page.locator(".vote").all():
            criterion.get_by_label("met", exact=True).check()
        look(page, f"{who}-votes")
        press(page, "Save my votes")
    chair.get_by_text("Make the recommendation").click()
    chair.get_by_label("approve, with the permit below").check()
    chair.get_by_label("Reasons").last.fill("All eight criteria are met.")
    today = clock.now().date()
    assert chair.get_by_label("First day").input_value() == today.isoformat()
    last = chair.get_by_label("Last day").input_value()
    assert today + timedelta(days=363) <= type(today).fromisoformat(last) <= today + timedelta(days=366)
    chair.get_by_label("Conditions").fill(CONDITION)
    look(chair, "chair-recommends")
    press(chair, "Recommend")
    look(chair, "recommended")
    press(chair, "Send it to 2 countries")
    look(chair, "countries-asked")


def decide(stage: Stage) -> str:
    """Each country at its own node: one grants, the other refuses and says why. The permit's id."""
    permits = [
        decided(stage, stage.way.grants, "Grant it", ""),
        decided(stage, stage.way.refuses, "Refuse it", REFUSAL),
    ]
    assert permits[0] == permits[1]
    return permits[0]


def decided(stage: Stage, site: Site, verdict: str, reasons: str) -> str:
    look = stage.screens.look
    page = stage.screens.signed_in(f"decider of {site.country}", site.decider, site.url, "/desk")
    assert page.locator(".site-notice").inner_text() == GIVEN
    until(page, lambda: page.locator('main a[href^="/desk/"]').count() == 1)
    look(page, f"{site.country}-desk")
    page.locator('main a[href^="/desk/"]').click()
    page.wait_for_url("**/desk/*")
    permit = page.url.rpartition("/")[2]
    look(page, f"{site.country}-proposal")
    page.get_by_label(verdict).check()
    page.get_by_label("Reasons").fill(reasons)
    press(page, "Sign and send the decision")
    look(page, f"{site.country}-decided")
    return permit


def until(page: Page, is_so: Any) -> None:
    """What a server learns from another one shows when the page is loaded again."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, words(page)
        page.wait_for_timeout(200)
        page.reload()


def read(stage: Stage, page: Page, application: str, permit: str) -> None:
    """The researcher follows what each country decided, prints the permit, and reads by it where it was granted."""
    way, look = stage.way, stage.screens.look
    page.goto(application)
    until(page, lambda: "Permit active" in words(page) and REFUSAL in words(page))
    look(page, "timeline")
    page.get_by_role("link", name="The permit", exact=True).click()
    page.wait_for_url("**/permit")
    for shown in (permit, "Rosa Researcher", "Cora Colleague", CONDITION, way.grants.dataset, way.refuses.dataset):
        assert shown in words(page)
    look(page, "permit")
    page.emulate_media(media="print")
    assert not page.get_by_text("How to use it").is_visible()
    assert len(page.pdf()) > 5000
    page.emulate_media(media="screen")
    for site in (way.grants, way.refuses):
        stage.screens.signed_in("researcher", way.people["researcher"], site.url, "/account").close()
    assert counted(page, way.grants, permit) == WOMEN
    assert counted(page, way.refuses, permit) is None
    records = asked(page, way.grants, permit, requestedGranularity="record", limit="100").json()
    people = [each for one in records["response"]["resultSets"] for each in one["results"]]
    assert len({each["id"] for each in people}) == len(people) == WOMEN
    public = stage.screens.of("public")
    assert counted(public, way.grants, permit) is None
    public.close()


def asked(page: Page, site: Site, permit: str, **query: str) -> Any:
    """What a node answers the person of this browser, who names the permit."""
    url = f"{site.url}/beacon/v2/individuals"
    return page.request.get(url, params={"permit": permit, **query}, headers={"accept": "application/json"})


def counted(page: Page, site: Site, permit: str) -> int | None:
    """How many people the permit counts there; None where it is refused."""
    answer = asked(page, site, permit, requestedGranularity="count")
    if answer.status in (401, 403):
        return None
    assert answer.status == 200, answer.text()
    count: int = answer.json()["responseSummary"]["numTotalResults"]
    return count


def withdraw(stage: Stage, researcher: Page, permit: str) -> None:
    """The citizen sees what their genome was used for, and withdraws: when the page says so, the permit reads without
    them. How soon that is: `test_way`."""
    site = stage.way.grants
    page = stage.screens.signed_in("citizen", stage.way.citizen, site.url, "/my-genome")
    assert permit in words(page)
    stage.screens.look(page, "my-genome")
    press(page, "Withdraw my consent")
    assert counted(researcher, site, permit) == WOMEN - 1
    stage.screens.look(page, "withdrawn")


def revoke(stage: Stage, researcher: Page, application: str, permit: str) -> None:
    """The chair revokes the permit: within seconds nobody reads by it, and everybody whom it concerns sees that."""
    site, look = stage.way.grants, stage.screens.look
    page = stage.screens.of("chair")
    page.goto(application)
    page.get_by_text("Revoke the permit").first.click()
    page.locator("#revoke textarea").fill(STOPPED)
    look(page, "chair-revokes")
    press(page, "Revoke the permit")
    began = time.monotonic()
    while counted(researcher, site, permit) is not None:
        assert time.monotonic() - began < REVOCATION_S
        time.sleep(0.1)
    look(page, "revoked")
    researcher.goto(application)
    assert STOPPED in words(researcher)
    look(researcher, "researcher-revoked")
    researcher.goto(f"{application}/permit")
    look(researcher, "permit-revoked")
    citizen = stage.screens.of("citizen")
    citizen.goto(f"{site.url}/my-genome")
    assert "revoked" in words(citizen)
    look(citizen, "citizen-revoked")


def audit(stage: Stage, permit: str) -> None:
    """The auditor finds each step in the ledgers, which verify."""
    way, look = stage.way, stage.screens.look
    found = {
        way.hub: ("decision", "grant", "revocation"),
        way.grants.url: ("grant", "read", "revocation"),
        way.refuses.url: ("decision", "revocation"),
    }
    for server, kinds in found.items():
        page = stage.screens.signed_in("auditor", way.people["auditor"], server, "/ledger")
        page.get_by_label("Permit or application").fill(permit)
        press(page, "Show")
        until(page, lambda page=page, kinds=kinds: set(kinds) == entered(page))
        look(page, "ledger")
        page.get_by_role("link", name="Verify now").click()
        assert "Yes:" in page.get_by_role("status").inner_text()
        look(page, "ledger-verified")
        page.close()


def entered(page: Page) -> set[str]:
    return {row.locator("td").nth(1).inner_text() for row in page.locator("#entries tbody tr, table tbody tr").all()}
