# SPDX-License-Identifier: Apache-2.0
"""Descriptions are read in processes of their own, which live as long as a harvest: the hub stays small and starts fast
without rdflib, and a description that takes all memory or never ends takes such a process and nothing else. One that
breaks its reader finds no network, no file and no setting there (`kernel.isolation`).

A process says in a frame why it could not be isolated (an empty one: it is), then reads frames (four bytes of length,
then MessagePack) from its standard input and answers each with one.
"""

import asyncio
import contextlib
import logging
import os
import signal
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import BinaryIO, Self

import msgspec

from megagenome.catalogue.harvest.model import Read
from megagenome.kernel.errors import Corrupt
from megagenome.kernel.isolation import environment, isolate, limit

_LENGTH = struct.Struct(">I")
_LARGEST_FRAME = 256 << 20
_MEMORY_BYTES = 1 << 30
_CPU_S = 24 * 3600
"""Of a whole harvest; each description has `READ_S`."""
_NICE = 5
"""People who ask the hub come first."""
READ_S = 5.0
"""A description of a megabyte takes half a second."""
_START_S = 60.0
_PROCESSES = max(1, min(2, os.cpu_count() or 1))
_log = logging.getLogger(__name__)


class TooSlow(Corrupt):
    """It took too long, so its process was ended."""


class _Task(msgspec.Struct, frozen=True):
    address: str
    content: bytes


class _Answer(msgspec.Struct, frozen=True):
    """`read`, or why there is none."""

    read: Read | None
    reason: str


class Readers:
    """Some reading processes, each started when it is first needed. Use as an asynchronous context, also several times
    at once; when the last one is left, the processes are ended."""

    def __init__(self, processes: int = _PROCESSES, read_s: float = READ_S) -> None:
        self._read_s = read_s
        self._free: asyncio.Queue[asyncio.subprocess.Process | None] = asyncio.Queue()
        self._running: set[asyncio.subprocess.Process] = set()
        self._users = 0
        for _ in range(processes):
            self._free.put_nowait(None)

    async def __aenter__(self) -> Self:
        self._users += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self._users -= 1
        if not self._users:
            await asyncio.gather(*map(self._end, list(self._running)))

    async def read(self, address: str, content: bytes) -> Read:
        """What a description says (`read.read_description`). Raises `Corrupt` with the reason; `TooSlow`."""
        process = await self._free.get()
        try:
            if process is None or process.returncode is not None:
                process = await self._start()
            answer = await self._ask(process, msgspec.msgpack.encode(_Task(address, content)))
        except TimeoutError:
            await self._end(process)
            process = None
            raise TooSlow(f"it takes longer than {self._read_s:g} s to read") from None
        except (asyncio.IncompleteReadError, OSError):
            await self._end(process)
            process = None
            raise Corrupt("the process that read it ended: it is too large, or made to break its reader") from None
        except asyncio.CancelledError:
            await self._end(process)
            process = None
            raise
        finally:
            self._free.put_nowait(process)
        if answer.read is None:
            raise Corrupt(answer.reason)
        return answer.read

    async def _ask(self, process: asyncio.subprocess.Process, frame: bytes) -> _Answer:
        sink, source = _pipes(process)
        async with asyncio.timeout(self._read_s):
            sink.write(_LENGTH.pack(len(frame)) + frame)
            await sink.drain()
            return msgspec.msgpack.decode(await _next_frame(source), type=_Answer)

    async def _start(self) -> asyncio.subprocess.Process:
        empty = tempfile.mkdtemp(prefix="megagenome-")
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-s", "-m", __name__),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=empty,
                env=environment(),
                start_new_session=True,
            )
            self._running.add(process)
            async with asyncio.timeout(_START_S):  # its imports are not the first description's fault
                problem = await _next_frame(_pipes(process)[1])
        finally:
            with contextlib.suppress(OSError):  # it has deleted it itself
                await asyncio.to_thread(Path(empty).rmdir)
        if problem:
            _log.warning("descriptions are read with the hub's own rights: %s", problem.decode())
        return process

    async def _end(self, process: asyncio.subprocess.Process | None) -> None:
        if process is None:
            return
        self._running.discard(process)
        if process.returncode is None:  # else its number may be another's by now
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # with whatever it became when it was isolated
        _pipes(process)[0].close()
        await process.wait()


def _pipes(process: asyncio.subprocess.Process) -> tuple[asyncio.StreamWriter, asyncio.StreamReader]:
    if process.stdin is None or process.stdout is None:
        raise ValueError("the process was started without pipes")
    return process.stdin, process.stdout


async def _next_frame(source: asyncio.StreamReader) -> bytes:
    return await source.readexactly(_LENGTH.unpack(await source.readexactly(_LENGTH.size))[0])


def _give_up_everything() -> str:
    """Leave this process nothing but its pipes; why that is not possible, or nothing."""
    limit(_MEMORY_BYTES, _CPU_S)
    try:
        isolate()
    except OSError as error:
        return f"the system gives no namespaces ({error})"
    return ""


def _serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Read what comes until there is no more."""
    from megagenome.catalogue.harvest.read import prepare, read_description  # rdflib: only this process knows of it

    prepare()
    problem = _give_up_everything().encode()
    sink.write(_LENGTH.pack(len(problem)) + problem)
    sink.flush()
    while len(head := source.read(_LENGTH.size)) == _LENGTH.size:
        size = _LENGTH.unpack(head)[0]
        if size > _LARGEST_FRAME:
            return
        task = msgspec.msgpack.decode(source.read(size), type=_Task)
        try:
            answer = _Answer(read_description(task.address, task.content), "")
        except Corrupt as error:
            answer = _Answer(None, str(error))
        except (MemoryError, RecursionError):
            answer = _Answer(None, "it is nested too deeply, or too large to be read")
        frame = msgspec.msgpack.encode(answer)
        sink.write(_LENGTH.pack(len(frame)) + frame)
        sink.flush()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # rdflib notes each date that is none
    os.nice(_NICE)
    _serve(sys.stdin.buffer, sys.stdout.buffer)
