# SPDX-License-Identifier: Apache-2.0
"""The routes of what becomes of a result (`standards.study_shown`, `standards.study_crate`).

GET   /studies/sites             thumbprints of the nodes' keys, for who writes a document
GET   /studies/waiting           results that wait for a check; for data stewards of the hub
GET   /studies/{id}/document     the study document
GET   /studies/{id}/crate        a zip
GET   /studies/{id}/held         the result that waits; for a data steward who did not ask for it
POST  /studies/{id}/decision     of the same
"""

import msgspec
from litestar import MediaType, Response, Router, get, post
from litestar.params import FromPath, RawBody

from megagenome.kernel.errors import Invalid
from megagenome.network.studies.outcomes import Outcomes
from megagenome.network.studies.routes import (
    PRIVATE,
    Http,
    caller_of,
    json_answer,
    problem_answers,
    require_json,
)
from megagenome.standards.study_crate import MEDIA_TYPE
from megagenome.standards.study_shown import Decision

_LARGEST_DECISION_BYTES = 20_000


def outcome_router(outcomes: Outcomes) -> Router:
    """All of them, to be mounted at the hub's root."""

    @get("/sites", sync_to_thread=True)
    def sites(request: Http) -> Response[bytes]:
        return json_answer(outcomes.sites(caller_of(request)))

    @get("/waiting", sync_to_thread=True)
    def waiting(request: Http) -> Response[bytes]:
        return json_answer(outcomes.waiting(caller_of(request)))

    @get("/{study:str}/document", sync_to_thread=True)
    def document(request: Http, study: FromPath[str]) -> Response[bytes]:
        content = outcomes.document(caller_of(request), study)
        return Response(content, media_type=MediaType.JSON, headers=PRIVATE)

    @get("/{study:str}/crate", sync_to_thread=True)
    def crate(request: Http, study: FromPath[str]) -> Response[bytes]:
        headers = {**PRIVATE, "content-disposition": f'attachment; filename="{study}.crate.zip"'}
        return Response(outcomes.crate(caller_of(request), study), media_type=MEDIA_TYPE, headers=headers)

    @get("/{study:str}/held", sync_to_thread=True)
    def held(request: Http, study: FromPath[str]) -> Response[bytes]:
        return json_answer(outcomes.held(caller_of(request), study))

    @post("/{study:str}/decision", sync_to_thread=True, status_code=204)
    def decide(request: Http, study: FromPath[str], body: RawBody) -> None:
        require_json(request)
        outcomes.decide(caller_of(request), study, _decision(body))

    return Router(
        "/studies",
        route_handlers=[sites, waiting, document, crate, held, decide],
        exception_handlers=problem_answers(),
        request_max_body_size=_LARGEST_DECISION_BYTES,
        include_in_schema=False,
    )


def _decision(body: bytes) -> Decision:
    try:
        return msgspec.json.decode(body, type=Decision)
    except msgspec.DecodeError as error:
        raise Invalid(f"not a decision: {error}") from None
