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
from megagenome.access.routes import (
    LARGEST_COMMAND_BYTES,
    Http,
    caller_of,
    decode_body,
    error_answers,
    json_answer,
    whole_number,
)
from megagenome.standards.saved_cohort import RecountCohort, RenameCohort, SaveCohort

LARGEST_PAGE = 50
"""Each may be a few hundred kilobytes."""


def cohort_router(cohorts: Cohorts) -> Router:
    """All of them, to be mounted at the hub's root."""

    @get("/", sync_to_thread=True)
    def list_(request: Http) -> Response[bytes]:
        asked = request.query_params
        skip = whole_number(asked.get("skip", "0"), "skip", 1_000_000)
        limit = whole_number(asked.get("limit", "50"), "limit", LARGEST_PAGE)
        return json_answer(cohorts.list(caller_of(request), skip, limit))

    @post("/", sync_to_thread=True, status_code=200)
    def save(request: Http, body: RawBody) -> Response[bytes]:
        return json_answer(cohorts.save(caller_of(request), decode_body(request, body, SaveCohort)))

    @get("/{cohort:str}", sync_to_thread=True)
    def find(request: Http, cohort: FromPath[str]) -> Response[bytes]:
        return json_answer(cohorts.find(caller_of(request), cohort))

    @post("/{cohort:str}/rename", sync_to_thread=True, status_code=200)
    def rename(request: Http, cohort: FromPath[str], body: RawBody) -> Response[bytes]:
        return json_answer(cohorts.rename(caller_of(request), cohort, decode_body(request, body, RenameCohort)))

    @post("/{cohort:str}/recount", sync_to_thread=True, status_code=200)
    def recount(request: Http, cohort: FromPath[str], body: RawBody) -> Response[bytes]:
        return json_answer(cohorts.recount(caller_of(request), cohort, decode_body(request, body, RecountCohort)))

    @post("/{cohort:str}/delete", sync_to_thread=True, status_code=200)
    def delete(request: Http, cohort: FromPath[str]) -> Response[bytes]:
        return json_answer(cohorts.delete(caller_of(request), cohort))

    return Router(
        "/access/cohorts",
        route_handlers=[list_, save, find, rename, recount, delete],
        exception_handlers=error_answers(),
        request_max_body_size=LARGEST_COMMAND_BYTES,
    )
