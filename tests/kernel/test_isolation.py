# SPDX-License-Identifier: Apache-2.0
"""What is given up is gone: network, files, privileges, memory. Each is tried from within."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from megagenome.kernel.isolation import environment

TRIED = {
    "os.listdir('/')": "[]",
    "open('/etc/passwd')": "FileNotFoundError",
    "open('/x', 'w')": "FileNotFoundError",
    "os.mkdir('/x')": "FileNotFoundError",
    "os.listdir('/proc')": "FileNotFoundError",
    "os.open('..', os.O_RDONLY) and os.listdir('..')": "[]",
    "socket.socket().connect(('127.0.0.1', 22))": "OSError",
    "socket.socket().connect(('192.0.2.1', 80))": "OSError",
    "socket.socket(socket.AF_UNIX).connect('/run/x.sock')": "FileNotFoundError",
    "os.chroot('/')": "PermissionError",
    "socket.sethostname('x')": "PermissionError",
    "libc.mount(b'none', b'/', b'tmpfs', 0, None)": "-1",
    "bytearray(2 << 30)": "MemoryError",
    "os.getpid()": "1",
    "os.kill(int(sys.argv[2]), 0)": "ProcessLookupError",
    "opened.read(4) != b''": "True",
}
PROGRAM = """
import ctypes, json, os, socket, sys
from megagenome.kernel.isolation import isolate, limit
opened, libc = open("/etc/passwd", "rb"), ctypes.CDLL(None, use_errno=True)
limit(1 << 30, 60)
isolate()
told = {}
for what in json.loads(sys.argv[1]):
    try:
        told[what] = str(eval(what))
    except BaseException as error:
        told[what] = type(error).__name__
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What became of each try."""
    empty = tmp_path_factory.mktemp("empty")
    arguments = [sys.executable, "-c", PROGRAM, json.dumps(list(TRIED)), str(os.getpid())]
    done = subprocess.run(arguments, cwd=empty, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not empty.exists()
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("what", TRIED, ids=lambda what: what.replace("/", "_"))
def test_nothing_can_be_reached(told: dict[str, str], what: str) -> None:
    assert told[what] == TRIED[what]


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("os._exit(0)", 0),
        ("os._exit(3)", 3),
        ("ctypes.string_at(0)", -signal.SIGSEGV),
        ("limit(1 << 30, 1)\nwhile True: pass", -signal.SIGKILL),
    ],
    ids=["done", "failed", "crash", "endless"],
)
def test_it_ends_as_who_reads_does(tmp_path: Path, end: str, code: int) -> None:
    lines = ["import ctypes, os", "from megagenome.kernel.isolation import isolate, limit", "isolate()", end]
    empty = tmp_path / "empty"
    empty.mkdir()
    done = subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=empty, env=environment(), check=False)
    assert done.returncode == code


def test_it_is_ended_with_who_began_it(tmp_path: Path) -> None:
    lines = ["import os, time", "from megagenome.kernel.isolation import isolate", "isolate()"]
    lines += ["os.write(1, b'x')", "time.sleep(60)"]
    empty = tmp_path / "empty"
    empty.mkdir()
    begun = subprocess.Popen(
        [sys.executable, "-c", "\n".join(lines)], cwd=empty, env=environment(), stdout=subprocess.PIPE
    )
    assert begun.stdout is not None
    with begun.stdout as said:
        assert said.read(1) == b"x"
        begun.kill()
        begun.wait()
        assert said.read() == b""  # nobody has the other end any more


@pytest.mark.parametrize(
    "before",
    [
        # a process of several threads may not leave its user namespace: as good a refusal as a kernel's
        "import threading, time; threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
        "import pathlib; pathlib.Path('x').touch()",
    ],
    ids=["threads", "a folder that is not empty"],
)
def test_what_cannot_be_isolated_says_so(tmp_path: Path, before: str) -> None:
    lines = ["from megagenome.kernel.isolation import isolate", before, "try:", "    isolate()"]
    program = "\n".join([*lines, "except OSError:", "    print(1)"])
    empty = tmp_path / "empty"
    empty.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=empty, env=environment(), capture_output=True, check=True
    )
    assert done.stdout == b"1\n"


def test_modules_are_found_from_an_empty_folder_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", "src", "/elsewhere"])
    monkeypatch.setenv("MEGAGENOME_DATABASE_PASSWORD", "secret")
    found = environment()
    assert found["PYTHONPATH"] == f"{tmp_path}/src:/elsewhere"
    assert "secret" not in found.values()
