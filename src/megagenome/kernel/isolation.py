# SPDX-License-Identifier: Apache-2.0
"""Taking from this process what reading a hostile file needs none of: the network, all files, other processes.

Linux namespaces and limits, through the C library: user, network, mount, process, IPC and host-name namespaces of its
own (in the network's there is no device but a loopback that is down, in the processes' nobody else), a root folder that
is empty and deleted, no capabilities, and no way to gain any. Already open files stay open: the standard input is read,
the standard output written.
"""

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path
from typing import NoReturn

# USER NET PID NS IPC UTS (sched.h)
_NAMESPACES = 0x1000_0000 | 0x4000_0000 | 0x2000_0000 | 0x0002_0000 | 0x0800_0000 | 0x0400_0000
_SET_PARENT_DEATH_SIGNAL, _SET_DUMPABLE, _SET_NO_NEW_PRIVILEGES = 1, 4, 38  # prctl.h
_CAPABILITIES_3 = 0x2008_0522  # capability.h

_OPEN_FILES = 16
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""A process of several threads may not leave its user namespace."""


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def environment() -> dict[str, str]:
    """What to start such a process with: nothing of ours but where the modules are, no setting, no secret."""
    path = os.pathsep.join(str(Path(each).absolute()) for each in sys.path if each)
    return {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8", **_ONE_THREAD}


def limit(memory_bytes: int, cpu_s: int) -> None:
    """Limit what this process may use from now on; what exceeds it ends the process. No file may grow through it."""
    for what, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def isolate() -> None:
    """Take network, files and privileges from this process, whose working folder must be empty and is deleted: it is
    the root from now on, in which nothing can be made. Raises `OSError` where the system does not allow it, or where
    the process has several threads. Modules that are not imported yet cannot be any more.

    It is another process that returns, the first of its namespace, which sees no other one; the one that called waits
    for it and ends as it does.
    """
    Path.cwd().rmdir()
    libc = ctypes.CDLL(None, use_errno=True)
    _require(libc.unshare(_NAMESPACES), "unshare")
    if child := os.fork():  # who unshares stays where it was, only its children are in the namespace of processes
        _end_as(child)
    os.chroot(".")
    os.chdir("/")
    _require(libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")
    _require(libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0), "prctl")
    header, none = _CapabilityHeader(_CAPABILITIES_3, 0), (ctypes.c_uint32 * 6)()
    _require(libc.capset(ctypes.byref(header), ctypes.byref(none)), "capset")
    _require(libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0), "prctl")
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    if any(Path("/").iterdir()):
        raise OSError("the root folder is not empty")


def _end_as(child: int) -> NoReturn:
    """Wait for a process, and end with its code or by its signal."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code < 0:
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 1)


def _require(result: int, call: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{call}: {os.strerror(error)}")
