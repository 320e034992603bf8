# SPDX-License-Identifier: Apache-2.0
"""Which datasets people may apply for."""

import asyncio
import contextlib

import pytest

from megagenome.kernel.errors import Invalid
from megagenome.network.fanout import Network
from megagenome.network.offered import Offered
from megagenome.network.settings import NetworkSettings
from megagenome.standards.application import DatasetRef
from tests.network import stubs
from tests.network.hub import node
from tests.network.stubs import Behaviour, running

HAS = DatasetRef("FI", "FI", "D-FI")


def against(*wanted: DatasetRef) -> str:
    """What is against these in a network of FI, ES which closes every connection, and GB which did not join."""

    async def run() -> str:
        behaviours: dict[str, Behaviour] = {"FI": node("FI"), "ES": stubs.closes, "GB": node("GB")}
        async with contextlib.AsyncExitStack() as stack:
            nodes = [
                (await stack.enter_async_context(running(behave))).node(id_, id_) for id_, behave in behaviours.items()
            ]
            network = await stack.enter_async_context(Network(nodes, NetworkSettings(deadline_s=5), nodes[:2]))
            found = await asyncio.to_thread(Offered(network).against, wanted)
        assert found is None or type(found) is Invalid
        return "" if found is None else str(found)

    return asyncio.run(run())


def test_what_its_node_publishes_may_be_applied_for() -> None:
    assert against(HAS) == ""
    assert against() == ""


def test_a_node_that_does_not_answer_may_have_it() -> None:
    assert against(HAS, DatasetRef("ES", "ES", "D-ES")) == ""


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (DatasetRef("XX", "XX", "D"), "XX has not joined this network"),
        (DatasetRef("GB", "GB", "D-GB"), "GB has not joined this network"),
        (DatasetRef("FI", "ES", "D-FI"), "FI is of FI, not of ES"),
        (DatasetRef("FI", "FI", "D-ES"), "FI publishes no dataset D-ES"),
    ],
)
def test_one_of_several_that_nobody_has_is_named(other: DatasetRef, says: str) -> None:
    assert against(HAS, other).startswith(says)
