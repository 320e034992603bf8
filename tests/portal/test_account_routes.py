# SPDX-License-Identifier: Apache-2.0
"""The pages of signing in. What people do on them: tests/identity/test_routes.py, and in a browser beside it."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa

from megagenome.identity.roles import Grant, Scope, grant_role
from megagenome.identity.token_exchange import Exchange, read_exchange
from megagenome.kernel.callers import Role
from megagenome.kernel.database import open_database, sqlite_url, upgrade
from megagenome.portal.account_routes import login_page, scope_text
from tests.identity.world import SUBJECT, Browser, FakeProvider, Server, make_settings
from tests.portal.document import Document


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = open_database(sqlite_url(tmp_path / "records.sqlite"))
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def browser(engine: sa.Engine) -> Iterator[Browser]:
    with Server(engine, FakeProvider(), make_settings()).browser() as browser:
        yield browser


def test_the_page_before_the_providers_leads_there_and_on(browser: Browser) -> None:
    page = browser.client.get("/login", params={"next": "/cohort?sex=female&age_from=40"})
    document = Document(page.text)
    document.check()
    assert page.headers["content-security-policy"].startswith("default-src 'self'; ")
    [link] = [a["href"] for a in document.all("a") if a.get("class") == "button"]
    assert link == "/login/start?next=%2Fcohort%3Fsex%3Dfemale%26age_from%3D40"
    browser.start("/cohort?sex=female&age_from=40")


@pytest.mark.parametrize(
    ("referer", "wanted"),
    [
        ("http://127.0.0.1:8600/variant?q=22-1-A-T", "/variant?q=22-1-A-T"),
        ("http://127.0.0.1:8600/login?out=1", "/"),
        ("http://127.0.0.1:8600//evil.example", "/"),
        ("http://127.0.0.1:86000/x", "/"),
        ("https://evil.example/x", "/"),
        ("", "/"),
    ],
)
def test_one_comes_back_to_the_page_that_one_came_from(browser: Browser, referer: str, wanted: str) -> None:
    page = browser.client.get("/login", headers={"referer": referer})
    [link] = [a["href"] for a in Document(page.text).all("a") if a.get("class") == "button"]
    assert parse_qs(urlsplit(link).query)["next"] == [wanted]


def test_without_a_provider_the_page_says_so() -> None:
    document = Document(login_page("", "/"))
    document.check()
    assert "Nobody can sign in here" in document.text
    assert not [a for a in document.all("a") if a.get("class") == "button"]


def test_the_account_says_who_one_is(browser: Browser, engine: sa.Engine) -> None:
    assert browser.client.get("/account", follow_redirects=False).headers["location"] == "/login?next=%2Faccount"
    browser.provider.person["eduperson_scoped_affiliation"] = ["faculty@example.org"]
    browser.sign_in()
    with engine.begin() as connection:
        grant_role(connection, SUBJECT, Role.DAC_CHAIR, Scope(), "root")
        grant_role(connection, SUBJECT, Role.COUNTRY_DECIDER, Scope("EE"), "root")
    page = browser.client.get("/account")
    document = Document(page.text)
    document.check()
    for words in (
        "Jane Doe",
        SUBJECT,
        "jane@example.org",
        "faculty@example.org",
        "DAC chair : everywhere on this server",
        "country decider : EE",
        "You have not accepted the terms",
        "You are known as a researcher",
        "Firefox on Linux",
        "this one",
    ):
        assert words in document.text, words
    assert page.headers["cache-control"] == "no-store"
    assert all(form["method"] == "post" for form in document.all("form"))


def test_a_nodes_account_asks_for_a_passport_as_the_exchange_reads_it(engine: sa.Engine) -> None:
    with Server(engine, FakeProvider(), make_settings(), on_node=True).browser() as browser:
        browser.sign_in()
        document = Document(browser.client.get("/account").text)
    document.check()
    [form] = [form for form in document.all("form") if form["action"] == "/visas/token"]
    assert form["method"] == "post"
    fields = {field["name"]: field.get("value", "") for field in document.all("input") if "name" in field}
    asked = {name: fields[name] for name in ("csrf", "grant_type", "requested_token_type")}
    assert read_exchange(asked.items(), "https://node.example") == Exchange("", ("https://node.example",))


def visitor(page: str) -> list[str]:
    """Where the corner of the header leads."""
    return [a["href"] for a in Document(page).all("a") if a.get("class") == "visitor"]


def test_the_header_says_whether_one_is_signed_in(browser: Browser) -> None:
    assert visitor(browser.client.post("/logout").text) == ["/login"]
    browser.sign_in()
    assert visitor(browser.client.get("/account").text) == ["/account"]
    assert visitor(login_page("Example Login", "/")) == []


@pytest.mark.parametrize(
    ("role", "scope", "shown"),
    [
        (Role.DAC_MEMBER, Scope(), ("DAC member", "everywhere on this server")),
        (Role.SIGNING_OFFICIAL, Scope("EE", "a.org"), ("signing official", "EE, a.org")),
    ],
)
def test_roles_are_words(role: Role, scope: Scope, shown: tuple[str, str]) -> None:
    grant = Grant(SUBJECT, role, scope, "", "")
    assert (grant.role.called, scope_text(grant)) == shown
