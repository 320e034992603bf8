# SPDX-License-Identifier: Apache-2.0
"""A service's health, and errors outside every role's routes: a page for browsers, a problem for programs."""

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from megagenome.app.routes import error_handlers, service_router
from megagenome.portal.site import error_pages
from megagenome.standards.service_info import ServiceInfo, ServiceOrganization, ServiceType

RUN_BY = ServiceOrganization("Eesti", "https://node.ee.example")
INFO = ServiceInfo("node.ee", "Eesti", ServiceType("org.ga4gh", "beacon", "v2.2.0"), RUN_BY, "0.1.0")
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def client(*, able: bool = True) -> TestClient[Litestar]:
    routes = [service_router(INFO, lambda: able, "0.1.0")]
    return TestClient(Litestar(routes, exception_handlers=error_handlers(error_pages), openapi_config=None))


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("POST", "/health", 405)])
def test_an_error_is_a_page_for_browsers_and_a_problem_for_programs(method: str, path: str, status: int) -> None:
    with client() as caller:
        page = caller.request(method, path, headers={"accept": BROWSER})
        problem = caller.request(method, path)
    assert (page.status_code, problem.status_code) == (status, status)
    assert "<h1>" in page.text
    assert page.headers["content-type"].startswith("text/html")
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["status"] == status


def test_a_service_that_cannot_answer_says_503() -> None:
    with client(able=False) as caller:
        sick = caller.get("/health")
    assert (sick.status_code, sick.json()["title"]) == (503, "Unavailable")
    with client() as caller:
        assert caller.get("/health").json() == {"ok": True, "version": "0.1.0"}
