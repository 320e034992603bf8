# SPDX-License-Identifier: Apache-2.0
"""Passports as bearer tokens: who presents one, as far as this server believes it."""

import msgspec
from anyio import to_thread

from megagenome.identity.clearinghouse import decide
from megagenome.identity.jwks import KeySets
from megagenome.identity.model import Decision, Policy
from megagenome.identity.needs import JoinedBrokers, nobody_joined
from megagenome.identity.trust import Trust, TrustStore
from megagenome.identity.visa_mint import VisaMint
from megagenome.kernel import clock
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Corrupt, TooLarge, Unauthenticated
from megagenome.kernel.jwt import read_token
from megagenome.standards.passport import MAX_PASSPORT_BYTES, PASSPORT_TYP


class Shown(msgspec.Struct, frozen=True):
    """A passport that was shown, what was decided, and who shows it; None where it was refused."""

    decision: Decision
    subject: str | None


class Passports:
    """The passports that one server takes. For one event loop; close it by `aclose`.

    It believes whom `trust.toml` names, this server itself, and those who joined. Each passport must be for this
    server.
    """

    def __init__(self, store: TrustStore, mint: VisaMint, joined: JoinedBrokers = nobody_joined) -> None:
        self._store = store
        self._key_sets = KeySets(store) if store.settings.key_urls else None
        self._broker, self._issuer = mint.broker(), mint.issuer()
        self._joined = joined
        policy = store.settings.policy.policy()
        self._policy: Policy = msgspec.structs.replace(policy, audiences=policy.audiences | {mint.url})

    async def aclose(self) -> None:
        """Close the connections by which keys are fetched."""
        if self._key_sets is not None:
            await self._key_sets.aclose()

    async def show(self, passport: str) -> Shown:
        """What follows from a passport now. Never raises; waits for keys that must be fetched, `FETCH_S` at most."""
        fetched = await self._key_sets.trust_for(passport) if self._key_sets else self._store.trust({})
        return await to_thread.run_sync(self._decide, passport, fetched)

    async def caller(self, token: str) -> Caller | None:
        """Who presents a bearer token; None where it is no passport. Raises `Unauthenticated` when it is refused.

        They have no roles: these belong to people who signed in here. Cost: 0.5 ms and more for each of its visas.
        """
        if not _is_passport(token):
            return None
        shown = await self.show(token)
        if shown.subject is None:
            raise Unauthenticated(f"the passport in `Authorization` was refused: {shown.decision.reasons[0].says}")
        return Caller(shown.subject, registered=shown.decision.registered)

    def _decide(self, passport: str, fetched: Trust) -> Shown:
        trust = fetched.joined_with([self._broker, *self._joined()], [self._issuer])
        decision = decide(passport, trust, self._policy, int(clock.now().timestamp()))
        identity = decision.identity
        broker = trust.broker(identity.iss) if identity else None
        if identity is None or broker is None or not decision.accepted:
            return Shown(decision, None)
        return Shown(decision, identity.sub if broker.whole_subjects else decision.subject)


def _is_passport(token: str) -> bool:
    try:
        return read_token(token, MAX_PASSPORT_BYTES).header.media_type == PASSPORT_TYP
    except (Corrupt, TooLarge):
        return False
