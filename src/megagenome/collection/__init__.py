# SPDX-License-Identifier: Apache-2.0
"""The genome collection: people, their facts and genotypes, and the one door to read them through."""

from megagenome.collection.cohort import EVERYONE, Cohort, cohort_id
from megagenome.collection.collection import Collection
from megagenome.collection.model import Use
from megagenome.collection.reading import Reading

__all__ = ["EVERYONE", "Cohort", "Collection", "Reading", "Use", "cohort_id"]
