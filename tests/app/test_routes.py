# SPDX-License-Identifier: Apache-2.0
import pytest
from litestar import Litestar, Request, Response
from litestar.testing import TestClient

from megagenome.app.routes import service_router
from megagenome.kernel.errors import MegagenomeError, Unavailable
from megagenome.standards.problem import status_of
from megagenome.standards.service_info import ServiceInfo, ServiceOrganization, ServiceType

INFO = ServiceInfo(
    "org.example", "Example", ServiceType("org.ga4gh", "beacon", "v2.2.0"), ServiceOrganization("X", "http://x"), "1"
)


def fail() -> bool:
    raise Unavailable("the disk is gone")


@pytest.mark.parametrize(("is_able", "status"), [(lambda: True, 200), (lambda: False, 503), (fail, 503)])
def test_health_says_whether_it_can_answer(is_able, status: int) -> None:
    def render(_request: Request, error: MegagenomeError) -> Response[str]:
        return Response(str(error), status_code=status_of(error))

    app = Litestar(
        [service_router(INFO, is_able, "1")], exception_handlers={MegagenomeError: render}, openapi_config=None
    )
    with TestClient(app) as client:
        answer = client.get("/health")
        assert answer.status_code == status
        assert "the disk" not in answer.text
        described = client.get("/service-info").json()
    assert described["type"] == {"group": "org.ga4gh", "artifact": "beacon", "version": "v2.2.0"}
