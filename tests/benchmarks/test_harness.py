# SPDX-License-Identifier: Apache-2.0
import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks.harness import http_load, measure
from benchmarks.harness.claim import Claim, claim

FIELDS = ["claim", "unit", "ours", "peer", "peer_version", "ratio", "bar", "holds", "equal", "machine", "load"]
BURN = "import time\nwhile time.process_time() < 0.3: pass"


@pytest.mark.parametrize(
    ("ours", "peer", "bar", "equal", "holds"),
    [
        (9.9, None, "ours < 10", None, True),
        (10.0, None, "ours < 10", None, False),
        (10.0, None, "ours <= 10", None, True),
        (900.0, None, "ours >= 1000", None, False),
        (12.0, 2.0, "ratio <= 6", True, True),
        (12.1, 2.0, "ratio <= 6", True, False),
        (1.0, 2.0, "ratio <= 6", False, False),
        (5.0, None, "", None, True),
    ],
)
def test_bar_decides(ours: float, peer: float | None, bar: str, equal: bool | None, holds: bool) -> None:
    assert claim("x", "s", ours, peer=peer, bar=bar, equal=equal).holds is holds


@pytest.mark.parametrize("bar", ["10", "ours < ten", "ratio <= 6"])
def test_bar_that_cannot_be_read_is_a_fault(bar: str) -> None:
    with pytest.raises(ValueError, match="bar"):
        claim("x", "s", 1.0, bar=bar)


@pytest.fixture
def area(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[Claim]]:
    """An area `made_up`, whose claims the test fills in."""
    claims: list[Claim] = []
    (tmp_path / "made_up.py").write_text("def claims(seed):\n    return CLAIMS if seed == 1 else []\n")
    monkeypatch.setattr(command.benchmarks, "__path__", [*command.benchmarks.__path__, str(tmp_path)])
    module = command.importlib.import_module("benchmarks.made_up")
    monkeypatch.setattr(module, "CLAIMS", claims, raising=False)
    yield claims
    del sys.modules["benchmarks.made_up"]


def test_json_is_a_list_of_claims(area: list[Claim], capsys: pytest.CaptureFixture[str]) -> None:
    area.append(claim("fast", "ms", 3.0, peer=2.0, peer_version="peer 1", bar="ratio <= 6", equal=True))
    assert command.app(["made_up", "--json"]) == 0
    [shown] = json.loads(capsys.readouterr().out)
    assert list(shown) == FIELDS
    assert (shown["ratio"], shown["holds"], shown["machine"]) == (1.5, True, measure.machine())


def test_claim_that_does_not_hold_fails_the_run(area: list[Claim], capsys: pytest.CaptureFixture[str]) -> None:
    area.append(claim("fast", "ms", 3.0, bar="ours <= 4"))
    assert command.app(["made_up"]) == 0
    area.append(claim("small", "MB", 3000.0, bar="ours <= 4"))
    assert command.app(["made_up"]) == 1
    assert command.app(["made_up", "--seed", "2"]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if "small" in line)
    assert "3,000" in row
    assert "NO" in row


def test_unknown_area_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.app(["no_such"]) == 2
    assert capsys.readouterr().err.startswith("benchmarks: there is no area 'no_such'; known are: ")


def test_cpu_of_a_program_counts_its_children() -> None:
    parent = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])"
    assert measure.run([sys.executable, "-c", parent]).cpu_s >= 0.3
    assert measure.run(["sleep", "0.3"]).cpu_s < 0.3
    assert measure.run(["sleep", "0.3"]).wall_s >= 0.3
    with pytest.raises(subprocess.CalledProcessError):
        measure.run(["false"])


def test_turns_change_their_order() -> None:
    order: list[str] = []
    values = iter([1.0, 20.0, 30.0, 2.0, 9.0, 10.0])

    def ours() -> float:
        order.append("ours")
        return next(values)

    def peer() -> float:
        order.append("peer")
        return next(values)

    assert measure.by_turns(ours, peer, rounds=3) == (2.0, 20.0)
    assert order == ["ours", "peer", "peer", "ours", "ours", "peer"]


def test_memory_and_cpu_of_a_living_process() -> None:
    code = f"kept = b'x' * 50_000_000\n{BURN}\nprint(flush=True)\nimport time\ntime.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            assert 50e6 < measure.pss_bytes(process.pid) < 100e6
            assert measure.cpu_s(process.pid) >= 0.25
        finally:
            process.kill()


class Stall:
    """A server in a thread that answers at once, but for one pause of `pause_s` after `after` requests."""

    def __init__(self, after: int, pause_s: float) -> None:
        self.seen, self.after, self.pause_s = 0, after, pause_s
        self.loop = asyncio.new_event_loop()
        started = self.loop.run_until_complete(asyncio.start_server(self.answer, "127.0.0.1", 0))
        self.port = started.sockets[0].getsockname()[1]
        self.server = started
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.read(4096):
            assert head.count(b"\r\n\r\n") == 1
            self.seen += 1
            if self.seen == self.after:
                time.sleep(self.pause_s)  # noqa: ASYNC251 - the whole server stands still
            path = head.split(b" ")[1]
            status = b"404 Not Found" if path == b"/none" else b"200 OK"
            writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(path), path))
        writer.close()

    def close(self) -> None:
        async def end() -> None:
            self.server.close()
            await asyncio.sleep(0.05)
            self.loop.stop()

        asyncio.run_coroutine_threadsafe(end(), self.loop)
        self.thread.join()
        self.loop.close()


@pytest.fixture
def stall() -> Iterator[Stall]:
    server = Stall(after=100, pause_s=0.5)
    yield server
    server.close()


def test_open_loop_charges_a_stall_to_all_that_fell_due_in_it(stall: Stall) -> None:
    requests = [http_load.get(f"/{number}") for number in range(299)] + [http_load.get("/none")]
    answers = http_load.open_loop(stall.port, requests, rate=200, connections=4)
    assert stall.seen == 300
    assert answers.bodies == [f"/{number}".encode() for number in range(299)] + [b"/none"]
    assert answers.wrong == 1
    assert answers.elapsed_s >= 299 / 200
    # 100 requests fall due in the 0.5 s, on average 0.25 s before its end; a closed loop would see 4 slow ones.
    assert sum(time_s > 0.1 for time_s in answers.times_s) >= 70
    assert answers.quantile_ms(1.0) >= 500
    assert answers.quantile_ms(0.5) <= answers.quantile_ms(0.99)


def test_quantile_is_the_nearest_rank() -> None:
    answers = http_load.Answers([number / 1000 for number in range(1, 101)], [], 0, 1.0)
    assert [answers.quantile_ms(share) for share in (0.0, 0.5, 0.99, 1.0)] == [1.0, 50.0, 99.0, 100.0]
