# SPDX-License-Identifier: Apache-2.0
"""The hub's side of each method. A method's site side stands in `analytics.methods`."""

from collections.abc import Callable, Mapping

from megagenome.network.studies.counts import frequencies
from megagenome.network.studies.model import Combine
from megagenome.standards.study import Frequencies, StudyDocument

Generator = Callable[[StudyDocument, int], Combine]
"""Makes a method's hub side, for a document and so many sites."""

METHODS: Mapping[type, Generator] = {Frequencies: frequencies}
