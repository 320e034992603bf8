# SPDX-License-Identifier: Apache-2.0
"""What is hostile takes a process with it and nothing else."""

import asyncio

import pytest

from megagenome.catalogue.harvest.model import Kind
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
