# SPDX-License-Identifier: Apache-2.0
"""One submitted file in a process of its own: started, fed, watched and ended here."""

import contextlib
import logging
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec

from megagenome.kernel.errors import Unavailable
from megagenome.kernel.isolation import environment
from megagenome.reception.model import Advance, Finished, Inspection, Refused, Submitted, Task
from megagenome.reception.settings import ReceptionSettings
from megagenome.standards.hts_index import LIMIT_BYTES
from megagenome.standards.validation_report import FileReport, Level, Message, Result

_TELLS: msgspec.json.Decoder[Advance | Finished | Refused] = msgspec.json.Decoder(Advance | Finished | Refused)
_log = logging.getLogger(__name__)
_GIB = 1 << 30
_LEAST_CPU_S = 60
_CLOCK_FACTOR = 4
_MOST_TOLD_BYTES = 1 << 28

Progress = Callable[[int], None]
"""Called with the bytes of the file that were read so far."""


def inspect_apart(
    submitted: Submitted,
    task: Task,
    settings: ReceptionSettings,
    progress: Progress = lambda _read: None,
    indexes: Sequence[Submitted] = (),
) -> Inspection:
    """What a process without network and files finds of one file, which it holds against its `indexes`.

    A file on which that process dies, runs out of time or talks nonsense has failed, and the report says so. Raises
    `Unavailable` where the process could not be isolated and `settings` require it, or did not come to begin: then
    nothing of the file was read; and what the file's `content` raises.
    Cost: 0.2 s to start; the process ends with this call.
    """
    size_bytes = sum(each.size_bytes for each in (submitted, *indexes))
    cpu_s = _LEAST_CPU_S + size_bytes * settings.validation_cpu_s_per_gib // _GIB
    broken: list[Exception] = []
    with contextlib.ExitStack() as opened:
        passed = {each.name: opened.enter_context(_in_memory(each)).fileno() for each in indexes}
        task = msgspec.structs.replace(task, indexes=passed)
        started = _started(submitted, task, settings, cpu_s, broken)
        process, said, complaint = opened.enter_context(started)
        told = _listen(process, said, time.monotonic() + _CLOCK_FACTOR * cpu_s, progress)
        why = _last_line(complaint)
    if broken:
        raise broken[0]
    match told:
        case Finished(inspection):
            return inspection
        case Refused(why):
            raise Unavailable(
                f"submitted files are not read here: the system gives no namespaces ({why}). Allow unprivileged user "
                "namespaces, or set reception.require_isolation = false to read them with the node's own rights"
            )
        case None:  # the node's own fault, and no word on the file
            _log.error(
                "the process that reads submitted files ended with %d before it began: %s", process.returncode, why
            )
            raise Unavailable(
                f"submitted files are not read here: the process that reads them does not start (code "
                f"{process.returncode}); the line before this one says why, at a node in its log"
            )
    return _failed(task, _last_words(process.returncode, cpu_s))


@contextlib.contextmanager
def _in_memory(index: Submitted) -> Iterator[IO[bytes]]:
    """What an index holds, as far as it is read at all, in memory as a file."""
    with os.fdopen(os.memfd_create("index"), "w+b") as file:
        if isinstance(index.content, Path):
            with index.content.open("rb") as source:
                file.write(source.read(LIMIT_BYTES + 1))
        else:
            for piece in index.content():
                file.write(piece)
                if file.tell() > LIMIT_BYTES:
                    break
        file.seek(0)
        yield file


@contextlib.contextmanager
def _started(
    submitted: Submitted, task: Task, settings: ReceptionSettings, cpu_s: int, broken: list[Exception]
) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    """The process, where it talks and where it complains. At the end it is dead, whatever happened."""
    task_file, complaint = os.memfd_create("task"), os.memfd_create("complaint")
    source = feed = None
    empty = tempfile.mkdtemp(prefix="megagenome-")
    try:
        os.write(task_file, msgspec.json.encode(task))
        os.lseek(task_file, 0, os.SEEK_SET)
        if isinstance(submitted.content, Path):
            source = submitted.content.open("rb")
        arguments = [str(task_file), str(settings.validation_memory_mb << 20), str(cpu_s)]
        process = subprocess.Popen(
            [sys.executable, "-s", "-m", "megagenome.reception.inspector", *arguments],
            stdin=source or subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaint,
            pass_fds=[task_file, *task.indexes.values()],
            cwd=empty,
            env=environment(),
            start_new_session=True,
        )
        try:
            if not isinstance(submitted.content, Path):
                feed = threading.Thread(target=_feed, args=(process, submitted.content, broken), daemon=True)
                feed.start()
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            yield process, process.stdout.fileno(), complaint
        finally:
            _kill(process)
            process.wait()
            if feed is not None:
                feed.join()
            if process.stdout is not None:
                process.stdout.close()
    finally:
        os.close(task_file)
        os.close(complaint)
        if source is not None:
            source.close()
        with contextlib.suppress(FileNotFoundError):
            Path(empty).rmdir()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End it and what it has become (`isolation.isolate`); at once and for certain."""
    if process.returncode is None:  # else its number may be another's by now
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _feed(process: subprocess.Popen[bytes], content: Callable[[], Iterator[bytes]], broken: list[Exception]) -> None:
    """Write what `content` gives to the process, as long as it reads. Where it gives no more, `broken` has why."""
    pipe = process.stdin
    assert pipe is not None  # noqa: S101 - a pipe was asked for
    try:
        for part in content():
            pipe.write(part)
    except BrokenPipeError:
        pass  # it has found enough
    except Exception as error:  # noqa: BLE001 - raised by who began this: what has come so far is no file to judge
        broken.append(error)
        _kill(process)
    finally:
        with contextlib.suppress(BrokenPipeError):
            pipe.close()


def _listen(
    process: subprocess.Popen[bytes], said: int, until: float, progress: Progress
) -> Advance | Finished | Refused | None:
    """The last that the process tells, which is how far it was where it ends or has to be ended before it is done; None
    where it never began."""
    parts: list[bytes] = []
    last: Advance | None = None
    size = 0
    with selectors.DefaultSelector() as selector:
        selector.register(said, selectors.EVENT_READ)
        while (left := until - time.monotonic()) > 0:
            if not selector.select(left):
                break
            part = os.read(said, 1 << 16)
            size += len(part)
            if not part or size > _MOST_TOLD_BYTES:
                break
            parts.append(part)
            if b"\n" not in part:
                continue
            *lines, rest = b"".join(parts).split(b"\n")
            parts = [rest]
            for line in lines:
                try:
                    told = _TELLS.decode(line)
                except msgspec.MsgspecError:
                    return last
                if not isinstance(told, Advance):
                    return told
                last = told
                progress(told.read_bytes)
    _kill(process)
    process.wait()
    return last


def _last_line(complaint: int) -> str:
    """What the process complained of, which is a file's content only after it began."""
    lines = os.pread(complaint, 1 << 16, 0).decode(errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "it says nothing")


def _last_words(code: int, cpu_s: int) -> str:
    if code in (-9, -24):  # SIGKILL, SIGXCPU
        return (
            f"takes longer to read than a file of its size may ({cpu_s} s of a processor); it was not read to the end"
        )
    return f"the process that read it ended by itself (code {code}): it cannot be read safely"


def _failed(task: Task, why: str) -> Inspection:
    message = Message(Level.ERROR, why)
    return Inspection(
        FileReport(task.name, "", Result.FAILED, (message,), size_bytes=task.size_bytes),
        isolated=task.require_isolation,
    )
