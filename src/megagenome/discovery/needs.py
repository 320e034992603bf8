# SPDX-License-Identifier: Apache-2.0
"""What discovery needs of the ledger; `app` wires it."""

from collections.abc import Callable, Iterable

from megagenome.kernel.ids import DatasetId

CountAggregate = Callable[[str | None, Iterable[DatasetId]], None]
"""Counts an answer to a caller (their subject, None for the public) out of each of some datasets, for the ledger. It
must not wait for anything: it is called in every request."""
