# SPDX-License-Identifier: Apache-2.0
"""What the researcher of the walk answers in the application's form, section by section."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from megagenome.app.demo.walk.browser import Upload

USE = "research"
TITLE = "Allele frequencies in women of two countries"


class Section(NamedTuple):
    """The answers of one section, and the documents that go with it."""

    id: str
    values: Mapping[str, str | Sequence[str]]
    documents: tuple[Upload, ...] = ()


def sections(today: date) -> tuple[Section, ...]:
    """All but who takes part, which needs the person's key."""
    return (
        Section(
            "purpose",
            {
                "title": TITLE,
                "uses": [USE],
                "description": "We compare how common known alleles are in women of two countries.",
                "benefit": "Better reference frequencies for diagnosis.",
                "commercial": "no",
            },
        ),
        Section(
            "data",
            {
                "minimisation": "Genotypes at the alleles of the study and the sex of each person; nothing else.",
                "form_of_data": "pseudonymised",
                "why_pseudonymised": "Zygosity has to be counted person by person.",
                "legal_basis": "6-1-e",
                "own_data": "no",
                "opt_out_exception": "no",
            },
        ),
        Section(
            "environment",
            {
                "tools": "Python and bcftools.",
                "algorithms": "Counting.",
                "starts": today.isoformat(),
                "months": "12",
            },
        ),
        Section(
            "safeguards",
            {
                "safeguards": "Only the named people read, and only where the data are.",
                "ethics": "Approved by the ethics committee of the university.",
                "prohibited": "yes",
                "stigma": "yes",
                "no_reidentification": "yes",
                "publication": "yes",
            },
        ),
        Section(
            "documents",
            {},
            tuple(
                Upload(f"file:{field}", f"{field}.txt", f"{field.replace('_', ' ')} of the walk\n".encode())
                for field in ("ethics_approval", "project_description", "analysis_plan", "peer_review")
            ),
        ),
    )


WHO = {"applicant_kind": "university"}
ROLE = "analyses the counts"
