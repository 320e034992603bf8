# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys

PROGRAM = """
import sys
from litestar import Response, get
from litestar.exceptions import HTTPException
from litestar.testing import TestClient
from megagenome.app.routes import service_router
from megagenome.app.web import WebApp, elsewhere

@get("/", sync_to_thread=False)
def number(n: int) -> dict[str, int]:
    return {"n": n}

def able():
    return able.yes

able.yes = True

def page(request, error):
    return Response("<h1>page</h1>", media_type="text/html", status_code=error.status_code)

handlers = elsewhere(page)
routes = [number, service_router({}, able, "1")]
with TestClient(WebApp(routes, openapi_config=None, exception_handlers=handlers)) as client:
    assert client.get("/?n=3").json() == {"n": 3}
    assert client.get("/?n=x").status_code == 400
    for answer in (client.get("/none"), client.post("/?n=3")):
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert answer.json()["status"] == answer.status_code
    assert client.get("/health").json() == {"ok": True, "version": "1"}
    able.yes = False
    sick = client.get("/health")
    assert (sick.status_code, sick.json()["title"]) == (503, "Unavailable")
    assert client.post("/?n=3", headers={"accept": "text/html,*/*"}).text == "<h1>page</h1>"
assert "pydantic" not in sys.modules
"""


def test_an_application_answers_without_loading_what_it_does_not_use() -> None:
    # a process of its own: other tests may have imported pydantic
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)
