# SPDX-License-Identifier: Apache-2.0
"""`GET /.well-known/c4gh-recipient`: the public key that files for this node are encrypted for, as a key file of
Crypt4GH version 1. Anybody may read it; it is the newest one at the moment of asking."""

from litestar import Response, Router, get

from megagenome.archive.keys import RecipientKeys
from megagenome.standards.crypt4gh_keys import RECIPIENT_PATH


def recipient_router(keys: RecipientKeys) -> Router:
    """The one route."""

    @get(RECIPIENT_PATH, sync_to_thread=False)
    def recipient() -> Response[str]:
        # a key that was replaced must not come from a cache for long
        return Response(keys.public_file(), media_type="text/plain", headers={"cache-control": "max-age=60"})

    return Router("/", route_handlers=[recipient])
