# SPDX-License-Identifier: Apache-2.0
"""What is hostile takes a process with it and nothing else."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import pytest
import rdflib

from megagenome.catalogue.harvest.model import Kind
from megagenome.catalogue.harvest.read import read_description
from megagenome.catalogue.harvest.reading_process import Readers, TooSlow
from megagenome.kernel.errors import Corrupt
from tests.catalogue.harvest.foreign import PREFIXES

AT = "https://fdp.example.org/dataset/1"
GOOD = (PREFIXES + f'<{AT}> a dcat:Dataset ; dct:title "One" .').encode()


def test_what_is_wrong_with_one_is_not_wrong_with_the_next() -> None:
    async def read() -> None:
        async with Readers(processes=1) as readers:
            with pytest.raises(Corrupt, match="no Turtle"):
                await readers.read(AT, b"<<<")
            assert (await readers.read(AT, GOOD)).kind is Kind.DATASET

    asyncio.run(read())


def test_who_takes_too_long_is_ended_and_the_next_is_read() -> None:
    endless = b"<urn:a> <urn:b> " + b", ".join(b"<urn:%d>" % n for n in range(200_000)) + b" ."

    async def read() -> None:
        async with Readers(processes=1, read_s=0.5) as readers:
            with pytest.raises(TooSlow, match="takes longer"):
                await readers.read(AT, endless)
        async with Readers(processes=1) as readers:
            assert (await readers.read(AT, GOOD)).subject == AT

    asyncio.run(read())


def test_nobody_is_left_behind() -> None:
    async def read() -> list[int | None]:
        readers = Readers(processes=2)
        async with readers:
            await asyncio.gather(*(readers.read(AT, GOOD) for _ in range(4)))
            running = list(readers._running)
            assert running
        return [process.returncode for process in running]

    assert None not in asyncio.run(read())


def test_it_has_no_network_no_files_and_no_settings_and_reads_every_kind_of_value(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    started: list[dict[str, Any]] = []
    start = asyncio.create_subprocess_exec

    async def noting(*program: str, **given: Any) -> asyncio.subprocess.Process:
        started.append(given)
        return await start(*program, **given)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noting)
    monkeypatch.setenv("MEGAGENOME_DATABASE_PASSWORD", "secret")
    monkeypatch.setattr(rdflib, "NORMALIZE_LITERALS", False)  # which whoever validates shapes here may have changed
    texts = ("<x/>", "2024-02-29", "2024-02-29T10:00:00Z", "P1D", "1.5", "true", "AA==")
    kinds = [f'"{text}"^^<{kind}>' for kind in rdflib.term.XSDToPython if kind for text in texts]
    content = (PREFIXES + f'<{AT}> a dcat:Dataset ; dct:title "One"@en ; dct:subject {", ".join(kinds)} .').encode()

    async def read() -> None:
        async with Readers(processes=1) as readers:
            with pytest.raises(Corrupt, match="no Turtle"):
                await readers.read(AT, b"<<<")
            found = await readers.read(AT, content)
        assert len(found.statements) > len(kinds)
        assert set(found.statements) == set(read_description(AT, content).statements)

    asyncio.run(read())
    assert [record for record in caplog.records if "own rights" in record.message] == []  # see tests/kernel
    assert len(started) == 1
    assert "secret" not in started[0]["env"].values()
    assert not Path(started[0]["cwd"]).exists()


def test_a_system_without_namespaces_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a file").touch()
    monkeypatch.setattr(tempfile, "mkdtemp", lambda **_: str(tmp_path))

    async def read() -> None:
        async with Readers(processes=1) as readers:
            assert (await readers.read(AT, GOOD)).kind is Kind.DATASET

    asyncio.run(read())
    assert "descriptions are read with the hub's own rights: the system gives no namespaces" in caplog.text
