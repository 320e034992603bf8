# SPDX-License-Identifier: Apache-2.0
"""The JSON routes of data stewards, version 1; no outside standard. Errors are RFC 9457 problems.

GET   /metadata                     all datasets of the node
GET   /metadata/{dataset}           its record, what stands against it, and all versions
POST  /metadata/{dataset}           {"record": {…}, "draft": false}
POST  /metadata/{dataset}/state     {"to": "published"}
GET   /metadata/{dataset}/preview   what everybody would see if it were published with the record that was saved last;
                                    /index.ttl .jsonld .rdf .nt below it the description, ?profile=healthdcat-ap
"""

from litestar import Response, Router, get, post
from litestar.params import FromPath, RawBody

from megagenome.catalogue.negotiate import profile_named, split_suffix
from megagenome.catalogue.preview import Previews
from megagenome.catalogue.serialise import Form
from megagenome.catalogue.steward import Stewardship
from megagenome.kernel.callers import Role
from megagenome.kernel.errors import NotFound
from megagenome.kernel.ids import DatasetId
from megagenome.standards.catalogue_pages import STEWARD_PATH, UNPUBLISHED, ToMove, ToWrite
from megagenome.standards.dataset_record import LARGEST_BYTES
from megagenome.web import PRIVATE, Http, answer_json, caller_of, problems, read_json


def steward_router(stewardship: Stewardship, previews: Previews) -> Router:
    """All of them, to be mounted at the node's root. The caller is `request.scope["caller"]`."""

    @get("/", sync_to_thread=True)
    def datasets(request: Http) -> Response[bytes]:
        return answer_json(stewardship.datasets(caller_of(request)))

    @get("/{dataset:str}", sync_to_thread=True)
    def view(request: Http, dataset: FromPath[str]) -> Response[bytes]:
        return answer_json(stewardship.view(caller_of(request), DatasetId(dataset)))

    @post("/{dataset:str}", sync_to_thread=True, status_code=200)
    def write(request: Http, dataset: FromPath[str], body: RawBody) -> Response[bytes]:
        return answer_json(stewardship.write(caller_of(request), DatasetId(dataset), read_json(request, body, ToWrite)))

    @post("/{dataset:str}/state", sync_to_thread=True, status_code=200)
    def move(request: Http, dataset: FromPath[str], body: RawBody) -> Response[bytes]:
        to = read_json(request, body, ToMove).to
        return answer_json({"was": stewardship.move(caller_of(request), DatasetId(dataset), to), "is": to})

    @get("/{dataset:str}/preview", sync_to_thread=True)
    def preview(request: Http, dataset: FromPath[str]) -> Response[bytes]:
        return answer_json(previews.view(caller_of(request), DatasetId(dataset)), headers={**PRIVATE, **UNPUBLISHED})

    @get("/{dataset:str}/preview/{name:str}", sync_to_thread=True)
    def described(request: Http, dataset: FromPath[str], name: FromPath[str]) -> Response[bytes]:
        caller_of(request).require(Role.DATA_STEWARD)
        stem, form = split_suffix(name)
        if stem != "index" or form is None or form is Form.HTML:
            raise NotFound("a preview is index.ttl, index.jsonld, index.rdf or index.nt")
        profile = profile_named(request.query_params.get("profile", ""))
        document = previews.document(caller_of(request), DatasetId(dataset), profile, form)
        return Response(document.content, media_type=form.media_type, headers={**PRIVATE, **UNPUBLISHED})

    return Router(
        STEWARD_PATH,
        route_handlers=[datasets, view, write, move, preview, described],
        exception_handlers=problems(),
        request_max_body_size=LARGEST_BYTES * 2,
        include_in_schema=False,
    )
