# SPDX-License-Identifier: Apache-2.0
"""CPU time of whole processes, ours and a peer's by turns; memory of a server; what machine this is."""

import functools
import os
import platform
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import psutil


class Spent(NamedTuple):
    """Seconds of processor (user and system, all threads and child processes) and of wall clock."""

    cpu_s: float
    wall_s: float


def run(command: Sequence[str | Path], *, stdout: int = subprocess.DEVNULL) -> Spent:
    """Run a program to its end and say what it took, from its start on. Raises when it fails. One at a time.

    Python finds its modules compiled from the second run on, as where the package is installed.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, start = _children_cpu_s(), time.perf_counter()
    subprocess.run(command, stdout=stdout, check=True, env=environment)
    return Spent(_children_cpu_s() - before, time.perf_counter() - start)


def by_turns(ours: Callable[[], float], peer: Callable[[], float], *, rounds: int = 3) -> tuple[float, float]:
    """Medians of `ours` and of `peer`, measured by turns and in changing order, so that both meet the same weather."""
    measured: dict[Callable[[], float], list[float]] = {ours: [], peer: []}
    for number in range(rounds):
        for act in (ours, peer) if number % 2 == 0 else (peer, ours):
            measured[act].append(act())
    return statistics.median(measured[ours]), statistics.median(measured[peer])


def cpu_s(pid: int) -> float:
    """Processor seconds that a process and its living descendants have taken so far."""
    return float(sum(times.user + times.system for times in (process.cpu_times() for process in _family(pid))))


def pss_bytes(pid: int) -> int:
    """Memory of a process and its descendants, what they share counted once (proportional set size)."""
    return int(sum(process.memory_full_info().pss for process in _family(pid)))


def version(program: str) -> str:
    """What a program says it is, such as `bcftools 1.16`."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    return said.splitlines()[0]


@functools.cache
def machine() -> str:
    """Processor, cores that this process may use, memory, system and Python."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {memory_gb:.0f} GB, {system}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]
