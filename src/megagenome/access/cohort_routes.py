# SPDX-License-Identifier: Apache-2.0
"""The JSON routes of saved cohorts (`standards.saved_cohort`). They parse, call and render.

    GET, POST  /access/cohorts                       ?skip=&limit=
    GET        /access/cohorts/{cohort}
    POST       /access/cohorts/{cohort}/rename
    POST       /access/cohorts/{cohort}/recount
    POST       /access/cohorts/{cohort}/delete

Whose they are is who asks; the public has none (401). Errors are RFC 9457 problems.
"""

from litestar import Response, Router, get, post
from litestar.params import FromPath, RawBody

from megagenome.access.cohorts import Cohorts
from megagenome.access.routes import LARGEST_COMMAND_BYTES, whole_number
from megagenome.standards.saved_cohort import RecountCohort, RenameCohort, SaveCohort
from megagenome.web import Http, answer_json, caller_of, problems, read_json

LARGEST_PAGE = 50
"""Each may be a few hundred kilobytes."""


def cohort_router(cohorts: Cohorts) -> Router:
    """All of them, to be mounted at the hub's root."""

    @get("/", sync_to_thread=True)
    def list_(request: Http) -> Response[bytes]:
        asked = request.query_params
        skip = whole_number(asked.get("skip", "0"), "skip", 1_000_000)
        limit = whole_number(asked.get("limit", "50"), "limit", LARGEST_PAGE)
        return answer_json(cohorts.list(caller_of(request), skip, limit))

    @post("/", sync_to_thread=True, status_code=200)
    def save(request: Http, body: RawBody) -> Response[bytes]:
        return answer_json(cohorts.save(caller_of(request), read_json(request, body, SaveCohort)))

    @get("/{cohort:str}", sync_to_thread=True)
    def find(request: Http, cohort: FromPath[str]) -> Response[bytes]:
        return answer_json(cohorts.find(caller_of(request), cohort))

    @post("/{cohort:str}/rename", sync_to_thread=True, status_code=200)
    def rename(request: Http, cohort: FromPath[str], body: RawBody) -> Response[bytes]:
        return answer_json(cohorts.rename(caller_of(request), cohort, read_json(request, body, RenameCohort)))

    @post("/{cohort:str}/recount", sync_to_thread=True, status_code=200)
    def recount(request: Http, cohort: FromPath[str], body: RawBody) -> Response[bytes]:
        return answer_json(cohorts.recount(caller_of(request), cohort, read_json(request, body, RecountCohort)))

    @post("/{cohort:str}/delete", sync_to_thread=True, status_code=200)
    def delete(request: Http, cohort: FromPath[str]) -> Response[bytes]:
        return answer_json(cohorts.delete(caller_of(request), cohort))

    return Router(
        "/access/cohorts",
        route_handlers=[list_, save, find, rename, recount, delete],
        exception_handlers=problems(),
        request_max_body_size=LARGEST_COMMAND_BYTES,
    )
