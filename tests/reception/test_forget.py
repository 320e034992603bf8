# SPDX-License-Identifier: Apache-2.0
"""Shredding a file: nothing of it is left with the submission that it came with."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from megagenome.kernel.errors import Conflict
from megagenome.kernel.sealed_files import FileId, FileState
from megagenome.reception import tables
from megagenome.reception.forget import forget_file, require_over
from megagenome.standards.submission import Decision, State
from tests.reception.handing_in import samples
from tests.reception.receptions import PROVIDER, STEWARD, House, files_of


@pytest.fixture
def sent(house: House, tmp_path: Path) -> str:
    ident = house.send(files_of(tmp_path / "files"))
    house.do_jobs()
    return ident


def genotypes(house: House, ident: str) -> FileId:
    return FileId(house.reception.show(STEWARD, ident).files[0].file)


def test_what_was_sent_of_it_is_here_until_the_submission_is_over(house: House, sent: str) -> None:
    file = genotypes(house, sent)
    with pytest.raises(Conflict, match=f"of submission {sent}, which is reported: a data steward rejects it"):
        require_over(house.parts.engine, file)
    house.reception.decide(STEWARD, sent, Decision(False, "not wanted"))
    with pytest.raises(Conflict, match="is being deleted"):
        require_over(house.parts.engine, file)
    house.do_jobs()
    require_over(house.parts.engine, file)
    require_over(house.parts.engine, FileId("MGF-AAAAAAAAAAAAAAAA"))  # which came otherwise


def test_its_path_samples_and_quality_are_overwritten(house: House, sent: str) -> None:
    file = genotypes(house, sent)
    house.reception.decide(STEWARD, sent, Decision(True))
    house.do_jobs()
    require_over(house.parts.engine, file)
    house.archive.shred(file, "operator")
    shown = house.reception.show(PROVIDER, sent)
    assert (shown.state, shown.manifest.files[0].path, shown.manifest.files[1].path) == (
        State.ACCEPTED,
        file,
        "people.tsv",
    )
    with house.parts.engine.connect() as connection:
        row = connection.execute(sa.select(tables.submission)).one()
    assert "cohort.vcf.gz" not in row.manifest + row.report
    assert file in row.report
    assert not any(f'"sample":"{name}"' in row.report for name in samples())
    once = row.report
    with house.parts.engine.begin() as connection:
        forget_file(connection, file)
        assert connection.scalar(sa.select(tables.submission.c.report)) == once


def test_what_was_not_accepted_says_for_a_while_why(house: House, sent: str) -> None:
    house.reception.decide(STEWARD, sent, Decision(False, "two people are one"))
    house.do_jobs()
    assert {each.state for each in house.archive.files_of()} == {FileState.SHREDDED}
    assert "cohort.vcf.gz" in house.reception.report(PROVIDER, sent)


def test_a_submission_that_is_not_over_ends(house: House, sent: str) -> None:
    """As in a database that was restored, beside what says that a file was shredded since."""
    file = genotypes(house, sent)
    with house.parts.engine.begin() as connection:
        forget_file(connection, file)
    shown = house.reception.show(PROVIDER, sent)
    assert (shown.state, shown.problem) == (State.REFUSED, f"{file} of it was shredded")
    house.do_jobs()
    assert house.blobs() == []
    assert {each.state for each in house.archive.files_of()} == {FileState.SHREDDED}
