# SPDX-License-Identifier: Apache-2.0
"""What would become public: worked out before anything does, for a data steward to look at."""

from megagenome.collection.datasets import DatasetStatement
from megagenome.collection.load import rehearse
from megagenome.kernel.errors import Conflict, Invalid
from megagenome.kernel.ids import DatasetId
from megagenome.reception import rows
from megagenome.reception.parts import Parts
from megagenome.reception.read_archived import archived_files, read_archived_people
from megagenome.standards.submission import GENOTYPE_FORMATS, Manifest, Preview, StratumPreview
from megagenome.standards.validation_report import Report


def statement_of(manifest: Manifest) -> DatasetStatement:
    """What a manifest states of its dataset."""
    return DatasetStatement(
        DatasetId(manifest.dataset),
        manifest.title or None,
        manifest.description or None,
        collection_year=manifest.collected,
    )


def preview_people(parts: Parts, row: rows.Row, report: Report) -> Preview:
    """Who would be counted, by a load that is rehearsed and taken back. Where a load would be refused, why."""
    variants = sum(each.records or 0 for each in report.files if each.format in GENOTYPE_FORMATS)
    files = archived_files(parts, row)
    try:
        people = read_archived_people(parts, files, "preview")
        found = rehearse(parts.collection, statement_of(row.manifest), people)
    except (Conflict, Invalid) as error:
        return Preview(row.manifest.dataset, variants=variants, problem=str(error))
    counted_before, alleles_before = _told_before(parts, DatasetId(row.manifest.dataset))
    strata = [
        StratumPreview(str(stratum.country), stratum.population, str(stratum.sex.value), count)
        for stratum, count in found.strata.items()
    ]
    return Preview(
        row.manifest.dataset,
        found.individuals,
        found.consenting,
        found.waiting,
        sum(found.strata.values()),
        found.floor,
        found.alleles_tier,
        found.people_tier,
        tuple(strata),
        variants,
        known=found.individuals - found.new_individuals,
        counted_before=counted_before,
        alleles_before=alleles_before,
    )


def _told_before(parts: Parts, dataset: DatasetId) -> tuple[int | None, int | None]:
    """How many people are counted in the dataset today, and how many alleles are told of it, where it is published."""
    parts.collection.refresh()
    for each in parts.collection.published:
        if each.id == dataset:
            told = parts.counts_told(dataset)
            return each.individuals, told.told if told else None
    return None, None
