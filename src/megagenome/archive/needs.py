# SPDX-License-Identifier: Apache-2.0
"""What the archive needs of its neighbours; `app` wires it."""

from typing import Protocol

from megagenome.kernel.callers import Caller
from megagenome.kernel.ids import DatasetId, PermitId


class Admission(Protocol):
    """That somebody may read files of a dataset now. Made by the collection, which knows permits and consents, and by
    nothing else."""

    @property
    def caller(self) -> Caller:
        """Who reads; the ledger keeps it apart from what was read."""

    @property
    def permit(self) -> PermitId:
        """By which permit; "" for data that are declared open."""

    @property
    def dataset(self) -> DatasetId:
        """Whose files may be read."""

    @property
    def samples(self) -> frozenset[str]:
        """Only files of none but these samples may be read, and none that names no samples."""

    def require(self) -> None:
        """Raise `NotEntitled` as soon as it holds no longer. Asked before each MiB that is read."""
