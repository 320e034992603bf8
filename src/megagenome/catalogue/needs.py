# SPDX-License-Identifier: Apache-2.0
"""What the catalogue needs of other roles; `app` wires it."""

from collections.abc import Callable, Iterable, Mapping

from megagenome.kernel.ids import DatasetId

CountPeople = Callable[[], Mapping[DatasetId, int]]
"""How many people there are in each published dataset of which everybody may be told it, by the rules and floors that
discovery answers by; a dataset that is left out is one whose number is withheld. It is asked once for each version of
the collection."""

CountAggregate = Callable[[str | None, Iterable[DatasetId]], None]
"""Counts an answer to the public out of each of some datasets, for the ledger. It must not wait for anything."""
