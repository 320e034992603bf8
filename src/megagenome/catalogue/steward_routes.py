# SPDX-License-Identifier: Apache-2.0
"""The JSON routes of data stewards, version 1; no outside standard. Errors are RFC 9457 problems.

GET   /metadata                     all datasets of the node
GET   /metadata/{dataset}           its record, what stands against it, and all versions
POST  /metadata/{dataset}           {"record": {…}, "draft": false}
POST  /metadata/{dataset}/state     {"to": "published"}
"""

from litestar import Response, Router, get, post
from litestar.params import FromPath, RawBody

from megagenome.catalogue.steward import Stewardship
from megagenome.kernel.ids import DatasetId
from megagenome.standards.catalogue_pages import STEWARD_PATH, ToMove, ToWrite
from megagenome.standards.dataset_record import LARGEST_BYTES
from megagenome.web import Http, answer_json, caller_of, problems, read_json


def steward_router(stewardship: Stewardship) -> Router:
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

    return Router(
        STEWARD_PATH,
        route_handlers=[datasets, view, write, move],
        exception_handlers=problems(),
        request_max_body_size=LARGEST_BYTES * 2,
        include_in_schema=False,
    )
