# SPDX-License-Identifier: Apache-2.0
"""People walk the application process at a real hub, in Debian's Chromium, signed in by the demo's provider; and attack
it: hostile text in every field, forms of other sites, a page that calls itself a PDF, ids and pages of others."""

import re
from urllib.parse import quote_plus

import msgspec
import pytest
from litestar import Litestar
from playwright.sync_api import Browser, Page

from tests.access.hub import PDF
from tests.portal.people_in_browsers import HOSTILE, Enter, World, begin, token
from tests.portal.test_browser import check_looks

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarWarning"),
]


def fill(page: Page, application: str, words: str) -> None:
    """Every section of the form, by hand; documents too."""
    page.goto(f"{application}/form/who")
    while "/review" not in page.url:
        for group in page.locator("form[data-autosave] fieldset").all():
            radios = group.locator("input[type=radio]")
            if radios.count():
                radios.first.check()
        for field in page.locator("form[data-autosave]").locator("textarea, input:not([type])").all():
            if field.get_attribute("name") == "months":
                field.fill("12")
            elif field.is_visible():
                field.fill(words.replace("\n", " ") if field.evaluate("e => e.tagName") == "INPUT" else words)
        for box in page.locator("form[data-autosave] input[type=checkbox]").all():
            box.check()
        for day in page.locator("input[type=date]").all():
            day.fill("2026-12-01")
        for file in page.locator("input[type=file]").all():
            file.set_input_files({"name": f"{words[:20]}.pdf", "mimeType": "application/pdf", "buffer": PDF})
        before = page.url
        page.get_by_role("button", name="Save and go on").click()
        page.wait_for_url(lambda url, before=before: url != before)  # not at once where the script is saving
        page.wait_for_load_state()
        assert page.locator("#problems").count() == 0, page.locator("#problems").inner_text()


def submitted(page: Page, world: World, words: str = "words") -> str:
    application = begin(page, world)
    fill(page, application, words)
    page.get_by_role("button", name="Submit the application").click()
    page.wait_for_url(application)
    return application


def test_the_way_from_a_draft_to_the_countries_with_hostile_text_in_every_field(enter: Enter, world: World) -> None:
    rosa = enter("rosa")
    application = begin(
        rosa, world, msgspec.json.encode({"type": "custom", "name": HOSTILE, "value": HOSTILE}).decode()
    )
    check_looks(rosa)
    rosa.goto(f"{application}/people")
    rosa.get_by_label("Name").fill(HOSTILE)
    rosa.get_by_label("E-mail").fill(HOSTILE)
    rosa.get_by_role("button", name="Make an invitation").click()
    check_looks(rosa)
    invitation = rosa.locator(".invitations code").inner_text()
    ben = enter("ben")
    ben.goto(application)
    assert "404" in ben.locator(".eyebrow").inner_text()
    ben.goto(invitation)
    check_looks(ben)
    ben.get_by_role("button", name="Join").click()
    ben.wait_for_load_state()
    assert ben.url == application, ben.locator("main").inner_text()
    assert ben.get_by_role("link", name="Review").is_visible()
    fill(rosa, application, HOSTILE)
    check_looks(rosa)
    rosa.goto(f"{application}/form/purpose")
    check_looks(rosa)
    rosa.goto(f"{application}/form/documents")
    check_looks(rosa)
    rosa.goto(f"{application}/review")
    rosa.get_by_role("button", name="Submit the application").click()
    rosa.wait_for_url(application)
    check_looks(rosa)
    olav = enter("olav")
    assert HOSTILE in olav.locator("main").inner_text()
    olav.get_by_role("link", name=HOSTILE[:30]).first.click()
    olav.wait_for_url(application)
    check_looks(olav)
    olav.locator("#decline summary").click()
    olav.get_by_label("Why; the applicant reads this").fill(HOSTILE)
    olav.get_by_role("button", name="Decline to endorse").click()
    olav.wait_for_url(application)
    rosa.reload()
    assert HOSTILE in rosa.get_by_role("note").inner_text()
    rosa.goto(f"{application}/review")
    rosa.get_by_role("button", name="Submit the application").click()
    rosa.wait_for_url(application)
    olav.reload()
    olav.get_by_role("button", name="Endorse for").click()
    olav.wait_for_url(application)
    carla, evil = enter("carla"), enter("evil")
    carla.goto(f"{world.hub}/desk")
    check_looks(carla)
    carla.get_by_role("link", name=HOSTILE[:30]).first.click()
    carla.wait_for_url(application)
    carla.get_by_role("button", name="It is complete").click()
    for member in (evil, carla):
        member.goto(application)
        member.get_by_label("No", exact=True).check()
        member.get_by_role("button", name="Declare", exact=True).click()
        member.wait_for_load_state()
        for criterion in member.locator(".vote").all():
            criterion.get_by_label("met", exact=True).check()
            criterion.locator("textarea").fill(HOSTILE)
        member.get_by_role("button", name="Save my votes").click()
        member.wait_for_load_state()
    check_looks(carla)
    assert HOSTILE in carla.locator(".cast").first.inner_text()  # the member's own name, too
    carla.locator("#recommend summary").click()
    carla.get_by_label("approve, with the permit below").check()
    carla.locator("#recommend-reasons").fill(HOSTILE)
    carla.locator("#ends").fill("2027-11-30")
    carla.locator("#conditions").fill(HOSTILE)
    carla.get_by_role("button", name="Recommend", exact=True).click()
    carla.wait_for_load_state()
    check_looks(carla)
    carla.get_by_role("button", name="Send it to 2 countries").click()
    carla.wait_for_load_state()
    rosa.goto(application)
    assert "Estonia and Finland have it" in rosa.locator("main").inner_text().replace("\u00a0", " ")
    assert rosa.locator(".clock").count() == 3
    check_looks(rosa)
    rosa.goto(f"{application}/permit")
    check_looks(rosa)
    aino = enter("aino")
    aino.goto(f"{application}/permit")
    told = aino.locator("main").inner_text()
    assert "is not for your role" in told
    assert told.count(HOSTILE) == 2  # the cohort's own words, and nothing that its people wrote
    check_looks(aino)
    for place in ("/ledger?verify=1", "/desk?show=all", "/passport"):
        aino.goto(world.hub + place)
        check_looks(aino)
    rosa.goto(f"{world.hub}/applications")
    check_looks(rosa)
    rosa.goto(f"{world.hub}/for-you")
    check_looks(rosa)


def test_a_draft_is_saved_while_one_writes_and_a_conflict_is_told_in_words(enter: Enter, world: World) -> None:
    here = enter("rosa")
    application = begin(here, world)
    there = enter("rosa")
    for page in (here, there):
        page.goto(f"{application}/form/purpose")
    here.get_by_label("Title of the project").fill("Seizures in Europe")
    here.get_by_label("Project description").focus()  # leaving a field saves it
    here.get_by_text(re.compile(r"Saved \d+:\d\d")).wait_for()
    here.get_by_label("Project description").fill("Why they come")
    with here.expect_response(lambda answer: answer.request.method == "POST"):
        here.get_by_label("Expected benefit").focus()
    here.reload()
    assert here.get_by_label("Title of the project").input_value() == "Seizures in Europe"
    assert here.get_by_label("Project description").input_value() == "Why they come"
    there.get_by_label("Title of the project").fill("Another title")
    there.get_by_role("button", name="Save", exact=True).click()
    there.wait_for_load_state()
    assert "Nothing of theirs is lost" in there.get_by_role("alert").inner_text()
    assert "Seizures in Europe" in there.locator(".meanwhile").first.inner_text()
    assert there.get_by_label("Title of the project").input_value() == "Another title"
    check_looks(there)
    there.get_by_role("button", name="Save", exact=True).click()  # having read what was saved meanwhile
    there.wait_for_url("**/form/purpose?saved=1")
    here.reload()
    assert here.get_by_label("Title of the project").input_value() == "Another title"


def test_what_is_asked_follows_the_answers(enter: Enter, world: World) -> None:
    page = enter("rosa")
    page.goto(begin(page, world) + "/form/who")
    tasks = page.get_by_label("Which public tasks")
    assert not tasks.is_visible()
    page.get_by_role("radio", name="Public body").check()
    assert tasks.is_visible()
    page.get_by_role("radio", name="Company").check()
    assert not tasks.is_visible()


def test_a_section_is_written_by_keyboard_and_without_scripts(enter: Enter, world: World) -> None:
    page = enter("rosa", scripts=False)
    application = begin(page, world)
    page.goto(f"{application}/form/purpose")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the content"
    page.get_by_label("Title of the project").focus()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # the first kind of use
    page.get_by_role("button", name="Save", exact=True).focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**?saved=1")
    assert page.get_by_role("status").first.inner_text().strip() == "Saved."
    assert page.get_by_label("Title of the project").input_value() == "By keyboard"
    assert page.get_by_label("Scientific research").is_checked()
    page.get_by_role("link", name="Review and submit").press("Enter")
    assert "still to be given" in page.get_by_role("alert").inner_text()
    page.get_by_role("link", name="Legal basis of the processing").press("Enter")
    page.wait_for_url("**/form/data#legal_basis")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("page.pdf", b"<!doctype html><script>window.hacked=1</script>", "neither a PDF nor a plain text"),
        ("page.html", b"%PDF-1.4\n<script>window.hacked=1</script>\n%%EOF\n", "its name does not end with .pdf"),
        ("note.txt", b"<svg onload=window.hacked=1>", "neither a PDF nor a plain text"),
        ("empty.txt", b"  ", "neither a PDF nor a plain text"),
    ],
)
def test_a_page_that_calls_itself_a_document_is_refused(
    enter: Enter, world: World, name: str, content: bytes, says: str
) -> None:
    page = enter("rosa")
    page.goto(begin(page, world) + "/form/documents")
    page.locator("input[type=file]").first.set_input_files(
        {"name": name, "mimeType": "application/pdf", "buffer": content}
    )
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_load_state()
    assert says in page.get_by_role("alert").inner_text()
    assert page.get_by_text("Documents of this application").count() == 0


def test_a_document_is_handed_out_as_a_download_and_never_shown(enter: Enter, world: World) -> None:
    page = enter("rosa")
    page.goto(begin(page, world) + "/form/documents")
    file = {"name": '../a"b<c>.pdf', "mimeType": "text/html", "buffer": PDF}
    page.locator("input[type=file]").first.set_input_files(file)
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_load_state()
    link = page.get_by_role("link", name='a"b<c>.pdf').first
    answer = page.request.get(world.hub + (link.get_attribute("href") or ""))
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["content-security-policy"]
    page.get_by_role("button", name="Take out").click()
    page.wait_for_load_state()
    assert page.get_by_role("link", name='a"b<c>.pdf').count() == 0
    assert page.request.get(world.hub + (answer.url.removeprefix(world.hub))).status == 404


def changing_routes(app: Litestar) -> list[str]:
    """Every address of the hub's pages that takes a POST, with something in place of its parameters."""
    paths = [route.path for route in app.routes if "POST" in getattr(route, "methods", ())]
    own = ("/applications", "/cohorts", "/passport", "/logout", "/account")
    return sorted(re.sub(r"\{\w+:\w+\}", "0123abcd", path) for path in paths if path.startswith(own))


def test_no_form_is_taken_without_its_token_or_from_another_site(enter: Enter, world: World) -> None:
    page = enter("rosa")
    application = begin(page, world)
    page.goto(f"{world.hub}/account")
    mine = token(page)
    routes = changing_routes(world.app)
    assert len(routes) >= 10
    places = [path.replace("0123abcd", application.rsplit("/", 1)[1], 1) for path in routes]
    for path in places:
        for fields, headers in (
            ({}, {"origin": world.hub}),
            ({"csrf": "0" * 64}, {"origin": world.hub}),
            ({"csrf": mine}, {"origin": "https://evil.example"}),
            ({"csrf": mine}, {"origin": "null"}),
            ({"csrf": mine}, {}),
        ):
            for kind in ("form", "multipart"):
                given = {kind: {**fields, "order": "a" * 20, "version": "1"}}
                answer = page.request.post(world.hub + path, headers=headers, **given)
                assert answer.status == 403, (path, fields, headers)
    page.goto(application)
    assert page.locator(".badge").first.inner_text() == "Draft"


def test_ids_and_pages_of_others_are_as_if_they_were_not_there(enter: Enter, world: World) -> None:
    rosa = enter("rosa")
    application = begin(rosa, world)
    id_ = application.rsplit("/", 1)[1]
    for name in ("ben", "olav", "carla", "aino"):
        other = enter(name)
        for path in ("", "/people", "/review", "/permit", "/form/who", "/form/nothing"):
            hers, nobodys = (
                other.request.get(application + path),
                other.request.get(f"{world.hub}/applications/{'0' * 24}{path}"),
            )
            assert (hers.status, nobodys.status) == (404, 404), (name, path)
            assert hers.text().replace(id_, "") == nobodys.text().replace("0" * 24, "")
        other.goto(f"{world.hub}/account")
        for verb in ("submit", "withdraw", "endorse", "recommend", "form/who", "documents/remove"):
            form = {"csrf": token(other), "order": "a" * 20, "version": "1", "reasons": "x", "advice": "reject"}
            answer = other.request.post(f"{application}/{verb}", form=form, headers={"origin": world.hub})
            assert answer.status == 404, (name, verb)
    for path in ("/ledger", "/ledger?verify=1"):
        assert rosa.request.get(world.hub + path).status == 403


def test_who_is_not_signed_in_is_led_to_the_sign_in_and_back(chromium: Browser, world: World) -> None:
    context = chromium.new_context()
    page = context.new_page()
    for path in (
        "/for-you",
        "/applications",
        "/cohorts",
        "/cohorts/sha256:ab",
        "/desk?show=all",
        "/applications/abc/form/who",
        "/ledger",
    ):
        page.goto(world.hub + path)
        assert "/login?next=" in page.url
        link = page.get_by_role("link", name="Sign in with").get_attribute("href") or ""
        assert quote_plus(path) in link
    context.close()
