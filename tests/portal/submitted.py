# SPDX-License-Identifier: Apache-2.0
"""A submission in each state, with a report and a preview, in words that may be hostile."""

import msgspec

from megagenome.standards.submission import (
    FileShown,
    Manifest,
    Part,
    Preview,
    State,
    StratumPreview,
    Submission,
    SubmittedFile,
)
from megagenome.standards.validation_report import (
    ContigRecords,
    Duplicate,
    FileReport,
    Level,
    Message,
    QualityControl,
    Report,
    Result,
    SampleQuality,
)

ID = "MGS-ABCDEFGHIJKLMNOP"
WHEN = "2026-03-01T10:00:00Z"


def manifest(says: str = "words") -> Manifest:
    files = (
        SubmittedFile("cohort.vcf.gz", 300_000_000, "a" * 64, "vcf"),
        SubmittedFile("cohort.vcf.gz.tbi", 2_000, "b" * 64, "tbi", index_of="cohort.vcf.gz"),
        SubmittedFile(f"people {says[:60]}.tsv", 70_000, "c" * 64, "people-table"),
    )
    return Manifest("GDI-EE-COHORT-001", "GRCh38", files, (files[2].path,), title=says)


def submission(says: str = "words", state: State = State.REPORTED, *, parts: int = 1) -> Submission:
    here = tuple(Part(k, 8_000_000, "d" * 64) for k in range(parts))
    archived = "" if state in (State.OPEN, State.PROCESSING) else "MGF-ABCDEFGHIJKLMNOP"
    files = tuple(FileShown(k, here if k < 2 else (), archived) for k in range(3))
    shown = Submission(ID, state, manifest(says), files, WHEN, WHEN, says)
    return msgspec.structs.replace(shown, problem=says if state is State.REFUSED else "")


def sample(number: int, says: str = "words") -> SampleQuality:
    is_female = number % 2 == 0
    return SampleQuality(
        f"{says}-{number}",
        called=990 + number % 10,
        missing=10 - number % 10,
        het=400 + number,
        hom_alt=250,
        transitions=420 + number,
        transversions=200,
        x_het=40 if is_female else 0,
        x_hom_alt=60,
        x_called=100,
        y_called=0 if is_female else 20,
        y_sites=20,
        stated_sex="female" if is_female else "male",
        observed_sex="female" if is_female else "male",
    )


def report(says: str = "words", *, samples: int = 60) -> Report:
    quality = QualityControl(
        1000,
        700,
        300,
        tuple(sample(k, says) for k in range(samples)),
        (Duplicate(f"{says}-1", f"{says}-2", 990, 1000),),
    )
    wrong = Message(Level.ERROR, f"the reference base is not the assembly's: {says}", 4711, "22:16050075")
    files = (
        FileReport("cohort.vcf.gz", "vcf", Result.PASSED, (), (says,), (ContigRecords("22", 1000),), 1000),
        FileReport("cohort.vcf.gz.tbi", "tbi", Result.FAILED, (wrong,)),
        FileReport(manifest(says).files[2].path, "people-table", Result.PASSED, (), (says,), (), 60),
    )
    return Report(Result.FAILED, files, (Message(Level.WARNING, says, place=says),), quality, isolated=True)


def preview(says: str = "words", alleles: int | None = None) -> Preview:
    strata = (StratumPreview("EE", says, "female", 30), StratumPreview("EE", "", "male", 4))
    return Preview(
        "GDI-EE-COHORT-001",
        60,
        40,
        6,
        34,
        10,
        "public",
        "registered",
        strata,
        1000,
        "",
        alleles,
        None if alleles is None else 400,
    )
