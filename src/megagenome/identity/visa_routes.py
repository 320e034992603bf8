# SPDX-License-Identifier: Apache-2.0
"""The HTTP routes of visas.

GET   /visas/jwks    the keys that sign them (RFC 7517); each visa names this address
POST  /visas/token   token exchange (RFC 8693): a proof of who asks for a passport
"""

from functools import partial

import msgspec
from anyio import to_thread
from litestar import Response, Router, get, post

from megagenome.identity.caller_middleware import VISIT
from megagenome.identity.passports import Passports
from megagenome.identity.token_exchange import Refusal, exchange_answer, read_exchange
from megagenome.identity.visa_mint import VisaMint
from megagenome.kernel import clock
from megagenome.kernel.errors import Invalid
from megagenome.standards.passport import MAX_PASSPORT_BYTES
from megagenome.web import Http, answer_json

_UNCACHED = {"cache-control": "no-store", "pragma": "no-cache"}
_FORM = "application/x-www-form-urlencoded"


def visa_router(mint: VisaMint, passports: Passports) -> Router:
    """Both routes."""
    encoded = msgspec.json.encode(mint.jwks)

    @get("/jwks", sync_to_thread=False)
    def jwks() -> Response[bytes]:
        return Response(encoded, media_type="application/jwk-set+json")

    @post("/token", status_code=200)
    async def token(request: Http) -> Response[bytes]:
        try:
            return await _exchange(request, mint, passports)
        except Refusal as refusal:
            return answer_json({"error": refusal.code, "error_description": refusal.says}, 400, _UNCACHED)

    return Router(
        "/visas",
        route_handlers=[jwks, token],
        include_in_schema=False,
        request_max_body_size=MAX_PASSPORT_BYTES + 10_000,
    )


async def _exchange(request: Http, mint: VisaMint, passports: Passports) -> Response[bytes]:
    if request.content_type[0] != _FORM:
        raise Refusal("invalid_request", f"send the parameters as {_FORM}")
    asked = read_exchange((await request.form()).multi_items(), mint.url)
    subject = await _subject(asked.subject_token, mint, passports)
    minting = partial(mint.mint, subject, asked.audiences, int(clock.now().timestamp()))
    try:
        minted = await to_thread.run_sync(minting)
    except Invalid as error:
        raise Refusal("invalid_request", str(error)) from None
    return answer_json(exchange_answer(minted), headers=_UNCACHED)


async def _subject(subject_token: str, mint: VisaMint, passports: Passports) -> str:
    """Who asks. Raises `Refusal` where nothing proves it."""
    if not subject_token:
        session = VISIT.get().session
        if session is None:
            raise Refusal("invalid_request", "subject_token is missing, and you are not signed in")
        return session.subject
    shown = await passports.show(subject_token)
    identity = shown.decision.identity
    if shown.subject is None or identity is None:
        raise Refusal("invalid_request", f"subject_token was refused: {shown.decision.reasons[0].says}")
    if identity.iss == mint.url:
        raise Refusal("invalid_request", "subject_token is a passport of this server, which proves nobody to itself")
    return shown.subject
