# SPDX-License-Identifier: Apache-2.0
"""The pages of studies at a real hub, in Debian's Chromium: accessible, as wide as the screen, usable without scripts;
hostile titles, reasons and groups run nowhere."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from megagenome.app.hub import init_hub, open_hub
from megagenome.app.hub_app import hub_app
from megagenome.app.provider_app import provider_app
from megagenome.identity.demo_accounts import make_account
from megagenome.identity.provider import Client, DemoProvider
from megagenome.identity.roles import Scope, grant_role
from megagenome.identity.subjects import subject_of
from megagenome.kernel.callers import Role
from megagenome.network.studies.store import StoredRun, StoredSite
from megagenome.network.studies.tables import study_run, study_site
from megagenome.portal.study_fields import METHODS, RULES
from megagenome.portal.study_pages import begin_page, form_page, review_page
from megagenome.standards import study as study_document
from megagenome.standards.application import Line, State
from megagenome.standards.study import Frequencies, Site, StudyDocument, Variants
from megagenome.standards.study_shown import ResultShown, RunState, SiteState
from tests.journeys.network import free_ports
from tests.portal import study_results
from tests.portal.test_browser import ARGUMENTS, check_looks, serving
from tests.portal.test_study_form import DATASETS, PERMIT

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarWarning"),
]

HOSTILE = '<img src=x onerror="window.hacked=1">"\'></textarea><script>window.hacked=1</script>'
SITES = ("node.ee", "node.fi", "node.se")


def document(title: str) -> StudyDocument:
    sites = tuple(Site(name, (f"GDI-{name[-2:].upper()}-1",), "k" * 43) for name in SITES)
    return StudyDocument(1, title, "permit-1", '{"type":"everyone"}', sites, Frequencies(Variants("GRCh38")))


def ident(number: int) -> str:
    return f"S{number:016x}"


def stored(
    engine: Any, owner: str, number: int, title: str, state: RunState, reason: str, found: ResultShown | None
) -> None:
    """A run as the coordinator writes it down."""
    content = document(title)
    over = "2026-11-02T10:31:00+00:00" if state not in (RunState.RUNNING, RunState.CHECKING) else ""
    run = StoredRun(
        ident(number),
        owner,
        "Rosa Researcher",
        content.permit,
        study_document.digest(content),
        study_document.encode(content),
        state,
        reason,
        1,
        0,
        2499,
        7,
        "2026-11-02T10:11:00+00:00",
        over,
    )
    states = (SiteState.ANSWERED, SiteState.WORKING, SiteState.REFUSED)
    reasons = ("", "", HOSTILE)
    sites = [
        StoredSite(name, True, part, why, "", 1_234_567, 65_536)
        for name, part, why in zip(SITES, states, reasons, strict=True)
    ]
    with engine.begin() as connection:
        result = None if found is None else msgspec.json.encode(found)
        connection.execute(study_run.insert().values(**run._asdict(), result=result))
        connection.execute(study_site.insert(), [{"run": run.id, **each._asdict()} for each in sites])


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    hub_port = free_ports(2)
    provider_port = hub_port + 1
    url, issuer = f"http://127.0.0.1:{hub_port}", f"http://127.0.0.1:{provider_port}"
    folder = tmp_path_factory.mktemp("hub")
    init_hub(folder, name="Network", identity="org.hub", port=hub_port, assembly="GRCh38")
    with (folder / "hub.toml").open("a") as file:
        file.write(f'[signin]\nissuer = "{issuer}"\nclient_id = "hub"\nprovider = "Demo sign-in"\n')
    accounts = tuple(make_account(name, name.title(), "university.example", (), "right") for name in ("rosa", "stina"))
    opened = open_hub(folder)
    with opened.engine.begin() as connection:
        grant_role(connection, subject_of("stina", issuer), Role.DATA_STEWARD, Scope(), "test")
    rosa = subject_of("rosa", issuer)
    app = hub_app(opened)
    with (
        serving(provider_app(DemoProvider(issuer, accounts, (Client("hub", f"{url}/login/callback"),))), provider_port),
        serving(app, hub_port),
    ):
        # what is not over when a hub starts is taken up again, so these come after it
        for number, (name, make) in enumerate(study_results.ALL.items()):
            stored(opened.engine, rosa, number, f"Study of {name}", RunState.FINISHED, "", make())
        stored(opened.engine, rosa, 100, HOSTILE, RunState.RUNNING, "", None)
        stored(opened.engine, rosa, 101, "A stopped one", RunState.STOPPED, HOSTILE, None)
        stored(
            opened.engine,
            rosa,
            102,
            HOSTILE,
            RunState.WAITING,
            "85 people are fewer than 100",
            study_results.survival(),
        )
        stored(opened.engine, rosa, 103, "Another", RunState.WAITING, "8 cases are few", study_results.linear(50))
        yield url


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield browser
        browser.close()


def enter(browser: Browser, hub: str, name: str, *, scripts: bool = True) -> tuple[BrowserContext, Page]:
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
    page.goto(f"{hub}/login/start?next=/study")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill("right")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{hub}/study")
    return context, page


@pytest.fixture
def rosa(chromium: Browser, hub: str) -> Iterator[Page]:
    context, page = enter(chromium, hub, "rosa")
    yield page
    assert page.evaluate("window.hacked") is None
    context.close()


@pytest.fixture
def stina(chromium: Browser, hub: str) -> Iterator[Page]:
    context, page = enter(chromium, hub, "stina")
    yield page
    assert page.evaluate("window.hacked") is None
    context.close()


@pytest.mark.parametrize("number", range(len(study_results.ALL)))
def test_a_result_can_be_read_by_everybody(rosa: Page, hub: str, number: int) -> None:
    rosa.goto(f"{hub}/study/{ident(number)}")
    check_looks(rosa)
    answer = rosa.request.get(
        hub + (rosa.get_by_role("link", name="Download all as CSV").first.get_attribute("href") or "")
    )
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize("path", ["", "/new", f"/{ident(100)}", f"/{ident(101)}", f"/{ident(102)}"])
def test_pages_before_a_result_are_accessible_and_run_nothing(rosa: Page, hub: str, path: str) -> None:
    rosa.goto(f"{hub}/study{path}")
    check_looks(rosa)


@pytest.mark.parametrize("method", ["linear", "score", "survival"])
def test_forms_and_their_review_are_accessible(rosa: Page, hub: str, method: str) -> None:
    typed = {"title": HOSTILE, "trait": HOSTILE, "groups": HOSTILE}
    texts = {field.name: field.start for field in (*METHODS[method].fields, *RULES)} | typed
    pages = {
        "form": form_page(method, "A1", PERMIT, DATASETS, texts, None, f"This is no study yet: {HOSTILE}"),
        "review": review_page(HOSTILE, HOSTILE, (HOSTILE,)),
        "begin": begin_page((Line("A1", HOSTILE, State.ACTIVE, 1, "", ("EE",), "", "", None, None, False),)),
    }
    for name, content in pages.items():
        rosa.route(
            f"**/study/{name}-shown",
            lambda route, _, content=content: route.fulfill(body=content, content_type="text/html"),
        )
        rosa.goto(f"{hub}/study/{name}-shown")
        check_looks(rosa)


def test_a_question_is_defined_without_asking_a_node(rosa: Page, hub: str) -> None:
    defined = rosa.request.get(f"{hub}/api/cohort/definition?q=sex=female").json()
    assert defined["definition"] == '{"type":"sex","sex":"female"}'
    assert "nodes" not in defined


def test_the_document_of_a_study_that_stopped_can_be_changed_and_tried_again(rosa: Page, hub: str) -> None:
    rosa.goto(f"{hub}/study/{ident(101)}")
    assert "had not answered" in rosa.locator("main").inner_text()
    rosa.get_by_role("link", name="Change the document, and try again").click()
    assert '"title":"A stopped one"' in rosa.get_by_label("Study document").input_value()
    assert rosa.get_by_role("button", name="Run it").count() == 0
    check_looks(rosa)


def test_a_document_is_pasted_checked_and_refused_without_scripts(chromium: Browser, hub: str) -> None:
    context, page = enter(chromium, hub, "rosa", scripts=False)
    page.goto(f"{hub}/study/new")
    page.get_by_label("Study document").fill(study_document.encode(document("By keyboard")).decode())
    page.get_by_role("button", name="Check it").press("Enter")
    page.wait_for_load_state()
    assert "there is no permit with this id" in page.get_by_role("alert").inner_text()
    page.get_by_label("Study document").fill("{" + HOSTILE)
    page.get_by_role("button", name="Check it again").click()
    page.wait_for_load_state()
    assert "not a study document" in page.get_by_role("alert").inner_text()
    assert HOSTILE in page.get_by_label("Study document").input_value()
    context.close()


def test_a_steward_sees_what_waits_and_decides_with_a_reason(stina: Page, rosa: Page, hub: str) -> None:
    stina.goto(f"{hub}/study/waiting")
    check_looks(stina)
    stina.get_by_role("link", name="Another").click()
    check_looks(stina)
    assert "8 cases are few" in stina.locator("main").inner_text()
    rosa.goto(f"{hub}/study/{ident(103)}")
    assert rosa.get_by_role("link", name="Download all as CSV").count() == 0
    assert rosa.request.get(f"{hub}/study/{ident(103)}/table/associations.csv").status == 409
    assert rosa.request.get(f"{hub}/study/waiting").status == 403
    stina.get_by_label("Refuse").check()
    stina.get_by_label("Why", exact=True).fill("Eight is too few")
    stina.get_by_role("button", name="Decide").click()
    stina.wait_for_url(f"{hub}/study/waiting")
    assert stina.get_by_role("link", name="Another").count() == 0
    rosa.reload()
    assert "refused by Stina" in rosa.locator("main").inner_text()
    assert "Eight is too few" in rosa.locator("main").inner_text()


def test_a_token_is_shown_once_runs_studies_and_nothing_else(rosa: Page, hub: str) -> None:
    rosa.goto(f"{hub}/account")
    check_looks(rosa)
    rosa.get_by_label("What it is for").fill(HOSTILE)
    rosa.get_by_role("button", name="Make a token").click()
    rosa.wait_for_load_state()
    check_looks(rosa)
    token = rosa.locator("#token-made").inner_text()
    bearer = {"authorization": f"Bearer {token}", "cookie": ""}
    assert rosa.request.get(f"{hub}/studies", headers=bearer).status == 200
    for path in ("/access/applications", "/account", "/study"):
        answer = rosa.request.get(hub + path, headers=bearer, max_redirects=0)
        assert answer.status in (303, 401), path
    rosa.goto(f"{hub}/account")
    assert token not in rosa.content()
    rosa.get_by_role("button", name="Revoke").first.click()
    rosa.wait_for_load_state()
    assert rosa.request.get(f"{hub}/studies", headers=bearer).status == 401
