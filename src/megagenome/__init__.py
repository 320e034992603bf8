# SPDX-License-Identifier: Apache-2.0
"""Megagenome: a national genome node and the network hub. One million genomes, one network, no central copy.

`from megagenome import Network` is for notebooks (`network.studies.client`).
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_LAZY = {"Network": "megagenome.network.studies.client"}
"""Names whose modules are loaded when they are asked for: every command imports this package."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LAZY[name]), name)
