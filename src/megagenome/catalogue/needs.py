# SPDX-License-Identifier: Apache-2.0
"""What the catalogue needs of other roles; `app` wires it."""

from collections.abc import Callable, Iterable, Mapping

from megagenome.collection import Collection
from megagenome.kernel.ids import DatasetId
from megagenome.standards.catalogue_pages import Answers

CountPeople = Callable[[], Mapping[DatasetId, int]]
"""How many people there are in each published dataset of which everybody may be told it, by the rules and floors that
discovery answers by; a dataset that is left out is one whose number is withheld. It is asked once for each version of
the collection."""

CountAggregate = Callable[[str | None, Iterable[DatasetId]], None]
"""Counts an answer to the public out of each of some datasets, for the ledger. It must not wait for anything."""

CountPeopleOf = Callable[[Collection], Mapping[DatasetId, int]]
"""`CountPeople` of a collection that is supposed."""

CountAnswers = Callable[[Collection, DatasetId], Answers | None]
"""What would be told of a dataset that is published in a supposed collection; None while it is being counted. It must
not wait long, and what it counts is entered nowhere."""
