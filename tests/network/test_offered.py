# SPDX-License-Identifier: Apache-2.0
"""Which datasets people may apply for."""

import asyncio
import contextlib

import pytest

from megagenome.kernel.errors import Invalid, Unavailable
from megagenome.network.fanout import Network
from megagenome.network.offered import Offered
from megagenome.network.settings import NetworkSettings
from megagenome.standards.application import DatasetRef
from tests.network import stubs
from tests.network.hub import node
from tests.network.stubs import Behaviour, running

HAS = DatasetRef("FI", "FI", "D-FI")


def against(*wanted: DatasetRef) -> tuple[type | None, str]:
    """What is against these in a network of FI, ES which closes every connection, and GB which did not join."""

    async def run() -> tuple[type | None, str]:
        behaviours: dict[str, Behaviour] = {"FI": node("FI"), "ES": stubs.closes, "GB": node("GB")}
        async with contextlib.AsyncExitStack() as stack:
            nodes = [
                (await stack.enter_async_context(running(behave))).node(id_, id_) for id_, behave in behaviours.items()
            ]
            network = await stack.enter_async_context(Network(nodes, NetworkSettings(deadline_s=5), nodes[:2]))
            found = await asyncio.to_thread(Offered(network).against, wanted)
        return (None, "") if found is None else (type(found), str(found))

    return asyncio.run(run())


def test_what_its_node_publishes_may_be_applied_for() -> None:
    assert against(HAS) == (None, "")
    assert against() == (None, "")


@pytest.mark.parametrize(
    ("other", "kind", "says"),
    [
        (DatasetRef("XX", "XX", "D"), Invalid, "XX has not joined this network"),
        (DatasetRef("GB", "GB", "D-GB"), Invalid, "GB has not joined this network"),
        (DatasetRef("FI", "ES", "D-FI"), Invalid, "FI is of FI, not of ES"),
        (DatasetRef("FI", "FI", "D-ES"), Invalid, "FI publishes no dataset D-ES"),
        (DatasetRef("ES", "ES", "D-ES"), Unavailable, "ES does not say which datasets it has"),
    ],
)
def test_one_of_several_that_nobody_has_is_named(other: DatasetRef, kind: type, says: str) -> None:
    found, message = against(HAS, other)
    assert found is kind
    assert message.startswith(says)
