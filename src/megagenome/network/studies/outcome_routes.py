# SPDX-License-Identifier: Apache-2.0
"""The routes of what becomes of a result (`standards.study_shown`, `standards.study_crate`).

GET   /studies/sites             thumbprints of the nodes' keys, for who writes a document
GET   /studies/waiting           results that wait for a check; for data stewards of the hub
GET   /studies/{id}/document     the study document
GET   /studies/{id}/crate        a zip
GET   /studies/{id}/held         the result that waits; for a data steward who did not ask for it
POST  /studies/{id}/decision     of the same
"""

from litestar import MediaType, Response, Router, get, post
from litestar.params import FromPath, RawBody

from megagenome.network.studies.outcomes import Outcomes
from megagenome.standards.study_crate import MEDIA_TYPE
from megagenome.standards.study_shown import Decision
from megagenome.web import PRIVATE, Http, answer_json, caller_of, problems, read_json

_LARGEST_DECISION_BYTES = 20_000


def outcome_router(outcomes: Outcomes) -> Router:
    """All of them, to be mounted at the hub's root."""

    @get("/sites", sync_to_thread=True)
    def sites(request: Http) -> Response[bytes]:
        return answer_json(outcomes.sites(caller_of(request)))

    @get("/waiting", sync_to_thread=True)
    def waiting(request: Http) -> Response[bytes]:
        return answer_json(outcomes.waiting(caller_of(request)))

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
        return answer_json(outcomes.held(caller_of(request), study))

    @post("/{study:str}/decision", sync_to_thread=True, status_code=204)
    def decide(request: Http, study: FromPath[str], body: RawBody) -> None:
        outcomes.decide(caller_of(request), study, read_json(request, body, Decision))

    return Router(
        "/studies",
        route_handlers=[sites, waiting, document, crate, held, decide],
        exception_handlers=problems(),
        request_max_body_size=_LARGEST_DECISION_BYTES,
        include_in_schema=False,
    )
