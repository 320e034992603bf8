# SPDX-License-Identifier: Apache-2.0
"""People save what they counted, in Debian's Chromium at a real hub, with and without scripts; and look for what others
saved."""

import pytest
from playwright.sync_api import Browser

from megagenome.access.cohorts import Cohorts
from megagenome.app.hub_access import identify_cohort
from tests.access.hub import DEFINITION
from tests.portal.people_in_browsers import HOSTILE, Enter, World, begin, save, token
from tests.portal.test_browser import check_looks

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarWarning"),
]

NOBODYS = "sha256:" + "0" * 64


def test_who_is_not_signed_in_is_led_to_sign_in_and_back_to_the_counts(chromium: Browser, world: World) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{world.hub}/cohort?sex=female&age_from=40")
    page.get_by_role("link", name="Sign in to save this cohort").click()
    page.get_by_role("link", name="Sign in with").click()
    page.get_by_label("Name").fill("olav")
    page.get_by_label("Password").fill("right")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{world.hub}/cohort?sex=female&age_from=40#save")
    assert page.get_by_role("button", name="Save this cohort").is_visible()
    context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_cohort_is_saved_renamed_asked_again_and_deleted(enter: Enter, world: World, scripts: bool) -> None:
    looks = check_looks if scripts else lambda _: None  # axe is a script itself
    page = enter("rosa", scripts=scripts)
    page.goto(f"{world.hub}/cohort?sex=female&age_from={40 + scripts}")
    looks(page)
    page.get_by_label("Note").fill(HOSTILE)
    page.get_by_role("button", name="Save this cohort").click()
    page.wait_for_url("**/cohorts/sha256:*")
    cohort = page.url
    assert page.locator("h1").inner_text() == f"Female participants aged {40 + scripts} or more"
    assert HOSTILE in page.locator(".note").inner_text()
    page.get_by_text("Rename it").click()
    page.locator("#title").fill(HOSTILE)
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(cohort)
    assert page.locator("h1").inner_text() == HOSTILE
    looks(page)
    page.get_by_role("link", name="Ask again").click()
    page.wait_for_url(f"{cohort}?ask=1")
    assert "People told now" in page.locator(".figures").inner_text()
    looks(page)
    page.get_by_role("button", name="Keep what is told now").click()
    page.wait_for_url(cohort)
    assert "just now" in page.locator(".figures").inner_text()
    page.goto(f"{world.hub}/cohorts")
    looks(page)
    item = page.locator(".saved-cohorts > li").filter(has_text=f"Aged {40 + scripts} or more")
    assert HOSTILE in item.inner_text()
    item.get_by_role("link", name="Delete").click()
    assert page.get_by_text("It goes for good").is_visible()
    looks(page)
    page.get_by_role("button", name="Delete this cohort").click()
    page.wait_for_url("**/cohorts?deleted=1")
    assert "is deleted" in page.get_by_role("status").inner_text()
    assert page.goto(cohort).status == 404


def test_saved_twice_is_one_and_leads_to_an_application(enter: Enter, world: World) -> None:
    page = enter("rosa")
    for _ in range(2):
        page.goto(f"{world.hub}/account")
        form = {"csrf": token(page), "question": "sex=male", "title": "Men", "then": "apply"}
        answer = page.request.post(f"{world.hub}/cohorts", form=form, headers={"origin": world.hub}, max_redirects=0)
        assert answer.headers["location"].startswith("/applications/new?cohort=sha256%3A")
    page.goto(f"{world.hub}/cohorts")
    assert page.get_by_role("link", name="Men", exact=True).count() == 1
    page.goto(world.hub + answer.headers["location"])
    assert "Apply for access with the cohort Men" in page.locator(".eyebrow").inner_text()
    check_looks(page)
    page.goto(f"{world.hub}/cohort?sex=male")
    assert "You saved it" in page.locator("main").inner_text()


def test_an_application_shows_its_cohort_and_keeps_it(enter: Enter, world: World) -> None:
    page = enter("ben")
    application = begin(page, world)
    cohort = identify_cohort(DEFINITION)
    page.goto(application)
    assert page.get_by_role("link", name="Women", exact=True).get_attribute("href") == f"/cohorts/{cohort}"
    page.goto(f"{world.hub}/cohorts/{cohort}?show=delete")
    assert page.locator(f'#applications ~ * a[href="{application.removeprefix(world.hub)}"]').count() == 1
    check_looks(page)
    page.get_by_role("button", name="Delete this cohort").click()
    page.wait_for_url("**/cohorts?deleted=1")
    page.goto(application)
    shown = page.locator("aside").inner_text()
    assert "Recorded as female" in shown
    assert cohort in shown
    assert page.get_by_role("link", name="Women", exact=True).count() == 0


def test_what_others_saved_is_as_if_it_were_not_there(enter: Enter, world: World) -> None:
    rosa = enter("rosa")
    save(rosa, world)
    hers = identify_cohort(DEFINITION)
    for name in ("olav", "carla", "aino"):
        other = enter(name)
        other.goto(f"{world.hub}/account")
        form = {"csrf": token(other), "title": "mine now", "order": "a" * 20, "dataset": "node.ee EE GDI-EE-1"}
        for path in ("/cohorts/{}", "/cohorts/{}?ask=1", "/applications/new?cohort={}", "/access/cohorts/{}"):
            told = [other.request.get(world.hub + path.format(each)) for each in (hers, NOBODYS)]
            assert [each.status for each in told] == [404, 404], (name, path)
            assert told[0].text().replace(hers, "…") == told[1].text().replace(NOBODYS, "…")
        for path, status in (
            ("/cohorts/{}/rename", 404),
            ("/cohorts/{}/recount", 404),
            ("/cohorts/{}/delete", 303),
            ("/applications", 404),
        ):
            told = [
                other.request.post(
                    world.hub + path.format(each),
                    form={**form, "cohort": each},
                    headers={"origin": world.hub},
                    max_redirects=0,
                )
                for each in (hers, NOBODYS)
            ]
            assert [each.status for each in told] == [status, status], (name, path)
            assert told[0].headers.get("location") == told[1].headers.get("location")
            assert told[0].text().replace(hers, "…") == told[1].text().replace(NOBODYS, "…")
        assert HOSTILE[:10] not in other.request.get(f"{world.hub}/cohorts").text()
    rosa.goto(f"{world.hub}/cohorts/{hers}")
    assert rosa.locator("h1").inner_text() == "Women"


def test_a_full_list_says_so_and_what_was_typed_stays(
    enter: Enter, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        from megagenome.kernel.errors import TooLarge

        raise TooLarge("you have saved 500 cohorts, as many as this hub keeps for one person: delete one first")

    monkeypatch.setattr(Cohorts, "_require_room", full)
    page = enter("carla")
    page.goto(f"{world.hub}/cohort?country=FI")
    page.locator("#title").fill("Finns")
    page.get_by_role("button", name="Save this cohort").click()
    page.wait_for_load_state()
    assert "delete one first" in page.get_by_role("alert").inner_text()
    assert page.locator("#title").input_value() == "Finns"
    check_looks(page)
