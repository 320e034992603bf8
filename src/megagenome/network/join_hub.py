# SPDX-License-Identifier: Apache-2.0
"""A node joins a network: it shows the invitation to the hub, and either believes the other's keys from then on."""

import asyncio

import httpx
import msgspec
import sqlalchemy as sa

from megagenome.kernel.database import begin_writing
from megagenome.kernel.errors import Corrupt, Unavailable
from megagenome.kernel.public_keys import by_kid, each_key
from megagenome.network.calling import call, connect
from megagenome.network.joined_hub import pin, require_free
from megagenome.standards import descriptor, joining
from megagenome.standards.descriptor import Descriptor
from megagenome.standards.joining import Invitation, JoinRequest

_TIMEOUT_S = 15.0


def join_hub(engine: sa.Engine, invitation: Invitation, described: str) -> Descriptor:
    """Join the network of the inviting hub; who that is. Durable on return.

    described  this node's own signed descriptor

    The hub shows first that it has the key which the invitation names; only then the secret is sent. Interrupted
    anywhere, the same again finishes it: the hub knows the node that took the invitation up by its key. Raises
    `Conflict` where the node belongs to another network, `Corrupt` where the hub is not the one that invited, else what
    the hub says.
    """
    return asyncio.run(_join(engine, invitation, described))


async def _join(engine: sa.Engine, invitation: Invitation, described: str) -> Descriptor:
    async with connect(_TIMEOUT_S) as client:
        token, hub = await _meet_hub(client, invitation)
        with engine.connect() as connection:
            require_free(connection, token, hub)
        request = msgspec.json.encode(JoinRequest(invitation.secret, described))
        answered = await call(client, invitation.hub + joining.PATH, joining.LARGEST_BYTES, request)
    if joining.decode_answer(answered).hub != hub.id:
        raise Corrupt(f"{invitation.hub} answers for another hub than {hub.id}")
    with begin_writing(engine) as connection:
        pin(connection, hub, token)
    return hub


async def _meet_hub(client: httpx.AsyncClient, invitation: Invitation) -> tuple[str, Descriptor]:
    url = invitation.hub + descriptor.PATH
    content = await call(client, url, descriptor.LARGEST_BYTES)
    try:
        token = content.decode("ascii")
        stated = descriptor.meet(token)
        invited = [key for key in each_key(stated.key_set()) if key.thumbprint() == invitation.thumbprint]
        hub = descriptor.read_descriptor(token, by_kid(invited))
    except UnicodeDecodeError:
        raise Unavailable(f"{url} is no signed descriptor: check the address in the invitation") from None
    except Corrupt:
        raise Corrupt(
            f"the hub at {invitation.hub} does not have the key that the invitation names: nothing was sent; ask who "
            "sent the invitation"
        ) from None
    if hub.kind != "hub":
        raise Corrupt(f"{invitation.hub} is a node, not a hub")
    joining.require_private(hub.url)
    return token, hub
