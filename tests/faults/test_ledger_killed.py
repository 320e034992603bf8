# SPDX-License-Identifier: Apache-2.0
"""Two processes append to one ledger and are killed (SIGKILL) in the middle, again and again.

The chain stays valid, without gaps, and has every entry that was acknowledged; what a killed process had only counted
in memory is lost, and nothing else.
"""

import subprocess
import sys
from pathlib import Path

from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger_chain import Entry
from tests.kernel.ledgers import open_ledger

CHILD = """
import sys
from pathlib import Path
from megagenome.kernel.database import open_database, sqlite_url
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Act, Kind, Ledger
from megagenome.kernel.ledger_tally import AggregateTally

folder = Path(sys.argv[1])
ledger = Ledger(open_database(sqlite_url(folder / "node.sqlite")), SigningKeys.open(folder / "keys"), "node.ee")
tally = AggregateTally(ledger)
n = 0
while True:
    n += 1
    tally.count(None, ["GDI-EE-1"])
    entries = ledger.append(*[Act(Kind.READ, f"s{n % 7}", dataset="GDI-EE-1", count=n)] * (1 + n % 3))
    if n % 5 == 0:
        ledger.sign()
    for entry in entries:
        print(entry.seq, entry.hash, flush=True)
"""

ACKNOWLEDGED = (3, 17, 40)


def kill_in_the_middle(folder: Path, acknowledged: int) -> list[str]:
    """What two writers had acknowledged when they were killed, one after some entries and the other at once."""
    command = [sys.executable, "-c", CHILD, str(folder)]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    lines: list[str] = []
    try:
        for writer in writers:
            assert writer.stdout is not None
            lines += [writer.stdout.readline() for _ in range(acknowledged)]
    finally:
        for writer in writers:
            writer.kill()
    for writer in writers:
        with writer:  # waits, and closes the pipe
            assert writer.stdout is not None
            # a line that the kill cut short was not acknowledged
            lines += [line for line in writer.stdout if line.endswith("\n")]
    return lines


def test_killed_writers_leave_a_valid_chain_with_all_that_was_acknowledged(tmp_path: Path) -> None:
    keys = SigningKeys.open(tmp_path / "keys")
    path = tmp_path / "node.sqlite"
    acknowledged: list[str] = []
    kept: list[str] = []
    for number in ACKNOWLEDGED:
        with open_ledger(path, keys):
            pass
        acknowledged += kill_in_the_middle(tmp_path, number)
        with open_ledger(path, keys) as ledger:
            verdict = ledger.verify(kept)
            assert verdict.fine, verdict.says
            found = [item for item in ledger.items() if isinstance(item, Entry)]
            entries = {entry.seq: entry.hash for entry in found}
            assert [entry.seq for entry in found] == list(range(1, len(found) + 1))
            assert {entry.kind for entry in found} == {"read"}
            assert [line for line in acknowledged if entries.get(int(line.split()[0])) != line.split()[1]] == []
            kept.append(ledger.sign())
    assert len(acknowledged) >= 2 * sum(ACKNOWLEDGED)
    assert len({line.split()[0] for line in acknowledged}) == len(acknowledged)
