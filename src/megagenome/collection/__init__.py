# SPDX-License-Identifier: Apache-2.0
"""The genome collection: people, their facts and genotypes, and the one door to read them through."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from megagenome.collection.cohort import EVERYONE, Cohort, cohort_id
    from megagenome.collection.collection import Collection
    from megagenome.collection.model import Use
    from megagenome.collection.reading import Reading

__all__ = ["EVERYONE", "Cohort", "Collection", "Reading", "Use", "cohort_id"]

_LAZY = {
    "EVERYONE": "cohort",
    "Cohort": "cohort",
    "Collection": "collection",
    "Reading": "reading",
    "Use": "model",
    "cohort_id": "cohort",
}
"""Names whose modules are loaded when they are asked for: what reads strangers' files, in a process for each file,
needs readers of this package and nothing of its database."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
