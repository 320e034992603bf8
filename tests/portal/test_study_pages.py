# SPDX-License-Identifier: Apache-2.0
"""Words and links of the pages of studies."""

import pytest

from megagenome.analytics.course import COURSES
from megagenome.portal import study_pages
from megagenome.portal.study_pages import step_words, study_page
from megagenome.standards.study_shown import RunState, StudyShown
from tests.portal import study_results
from tests.portal.document import Document

SHOWN = StudyShown(
    "S1", "v1", "Height", "linear", "P1", "sha256:0", RunState.FINISHED, "", 0, 8, "", 8, 99,
    "2026-11-02T10:11:00+00:00", "2026-11-02T10:31:00+00:00", (),
)  # fmt: skip


def test_every_step_of_every_method_is_said_in_words() -> None:
    steps = {step for course in COURSES.values() for leg in course for step in leg.steps}
    assert {"products", "slopes", "bins"} <= steps
    assert [step for step in sorted(steps) if "“" in step_words(step)] == []


@pytest.mark.parametrize("installed", [True, False])
def test_parquet_is_offered_where_it_can_be_made(monkeypatch: pytest.MonkeyPatch, installed: bool) -> None:
    monkeypatch.setattr(study_pages, "has_parquet", lambda: installed)
    page = study_page(SHOWN, study_results.linear(50))
    Document(page).check()
    assert ("/study/S1/table/associations.parquet" in page) is installed
    assert "/study/S1/table/associations.csv" in page


def test_rows_of_a_scoring_file_that_were_left_out_stand_on_the_review() -> None:
    assert "<li>5 rows are not used.</li>" in study_pages.review_page("{}", "T", (), notes=["5 rows are not used"])
