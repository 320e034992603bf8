# SPDX-License-Identifier: Apache-2.0
"""What validation found of a submission: one report, which is also a result of GDI's validation framework.

The GDI framework (GenomicDataInfrastructure, validation-framework, `/mnt/output/result.json`) names `result`,
`files[].path`, `files[].result`, `files[].messages[].level`, `.time` and `.message`, and `messages`; those are all here
under these names. What else stands in a report is ours. No message holds a genotype or a clinical fact.
"""

from enum import StrEnum

import msgspec


class Result(StrEnum):
    """Whether a file, or all of a submission, may go on."""

    PASSED = "passed"
    FAILED = "failed"


class Level(StrEnum):
    """How much a message matters; one error fails its file."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One finding.

    text   what is wrong, where and what to do, in one line; in JSON `message`
    line   of the file, from 1; None where it has no lines
    place  such as `22:16050075` or a sample; "" where there is none
    time   when it was reported, UTC, as ISO 8601
    """

    level: Level
    text: str = msgspec.field(name="message")
    line: int | None = None
    place: str = ""
    time: str = ""


class ContigRecords(msgspec.Struct, frozen=True):
    """How many records a file has of a contig, by the name in the file."""

    name: str
    records: int


class FileReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was found of one file.

    name        as it was submitted; in JSON `path`
    format      vcf, bcf, bam, cram, tbi, csi, bai, crai, people-table, beacon-individuals, phenopackets; "" if unknown
    samples     in file order; of people tables those that they name
    contigs     those that have records, in file order
    records     variants, reads or people; None where nothing could be counted
    """

    name: str = msgspec.field(name="path")
    format: str
    result: Result
    messages: tuple[Message, ...] = ()
    samples: tuple[str, ...] = ()
    contigs: tuple[ContigRecords, ...] = ()
    records: int | None = None
    size_bytes: int = 0


class SampleQuality(msgspec.Struct, frozen=True):
    """Counts over all genotypes of one sample. Every variant record counts once, whatever its alternates.

    called, missing     records at which any allele was called, and at which none was
    half                of the called: `1/.` and `0/.`
    het, hom_alt, hemi  two different alleles; twice one alternate; one alternate alone
    transitions         records at which the sample carries a transition, and a transversion, of one base
    x_het, x_hom_alt    as above, of diploid calls on X outside the pseudoautosomal regions
    x_called, x_haploid calls there, and those of them of one allele
    y_called, y_sites   calls on Y outside those regions, and records there
    stated_sex          female, male or unknown, as the people tables have it
    observed_sex        female, male, or unknown where X and Y do not tell
    """

    sample: str
    called: int = 0
    missing: int = 0
    half: int = 0
    het: int = 0
    hom_alt: int = 0
    hemi: int = 0
    transitions: int = 0
    transversions: int = 0
    x_het: int = 0
    x_hom_alt: int = 0
    x_called: int = 0
    x_haploid: int = 0
    y_called: int = 0
    y_sites: int = 0
    stated_sex: str = "unknown"
    observed_sex: str = "unknown"

    @property
    def call_rate(self) -> float | None:
        """Share of records at which anything was called; None without records."""
        return _ratio(self.called, self.called + self.missing)

    @property
    def het_hom(self) -> float | None:
        """Heterozygous calls for each of twice one alternate; None without the latter."""
        return _ratio(self.het, self.hom_alt)

    @property
    def ti_tv(self) -> float | None:
        """Transitions for each transversion; None without the latter."""
        return _ratio(self.transitions, self.transversions)

    @property
    def x_het_share(self) -> float | None:
        """Of the diploid calls with an alternate on X outside PAR, the share that is heterozygous."""
        return _ratio(self.x_het, self.x_het + self.x_hom_alt)

    @property
    def y_call_rate(self) -> float | None:
        """Share of the records on Y outside PAR at which anything was called."""
        return _ratio(self.y_called, self.y_sites)


QUALITY_COUNTS = tuple(
    name for name in SampleQuality.__struct_fields__ if name not in ("sample", "stated_sex", "observed_sex")
)
"""The fields that are counts, which add up over files."""


class Duplicate(msgspec.Struct, frozen=True):
    """Two samples whose genotypes agree at `agreeing` of `compared` common variants: one person twice, or twins."""

    first: str
    second: str
    agreeing: int
    compared: int


class QualityControl(msgspec.Struct, frozen=True):
    """The genotypes of a submission, by sample in the order of their first file.

    records          variant records
    transitions      of the alternates of one base, those; and transversions
    x_range          0-based starts of the first and the last record on X outside the pseudoautosomal regions
    """

    records: int
    transitions: int
    transversions: int
    samples: tuple[SampleQuality, ...]
    duplicates: tuple[Duplicate, ...] = ()
    x_range: tuple[int, int] | None = None

    @property
    def ti_tv(self) -> float | None:
        """Transitions for each transversion among the alternates; None without the latter."""
        return _ratio(self.transitions, self.transversions)


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was found of a submission. `isolated`: whether the files were read where there is no network."""

    result: Result
    files: tuple[FileReport, ...]
    messages: tuple[Message, ...] = ()
    qc: QualityControl | None = None
    isolated: bool = False


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
