# SPDX-License-Identifier: Apache-2.0
"""Whatever is done with an archive in whatever order, it holds what a dictionary would hold."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from megagenome.archive.model import Recovery
from megagenome.kernel.errors import Conflict
from megagenome.kernel.sealed_files import FileId, FileState
from tests.archive.archives import blobs, keep, make_plain, open_archive

ARCHIVED, VERIFIED, READY, WITHDRAWN, SHREDDED = (
    FileState(name) for name in ("archived", "verified", "ready", "withdrawn", "shredded")
)


class Life(RuleBasedStateMachine):
    """An archive, and beside it the bytes and the state that each file must have."""

    files = Bundle("files")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp()) / "node"
        self.archive = open_archive(self.folder)
        self.plain: dict[FileId, bytes] = {}
        self.states: dict[FileId, FileState] = {}

    def teardown(self) -> None:
        assert self.archive._parts.ledger.verify().fine
        self.archive._parts.engine.dispose()
        shutil.rmtree(self.folder.parent)

    @rule(target=files, size=st.sampled_from([0, 1, 65_536, 200_000]))
    def keep(self, size: int) -> FileId:
        plain = make_plain(size, len(self.plain))
        file = keep(self.archive, plain)
        self.plain[file.id], self.states[file.id] = plain, ARCHIVED
        return file.id

    @rule(file=files)
    def verify(self, file: FileId) -> None:
        if self.states[file] is ARCHIVED:
            self.states[file] = VERIFIED
        assert self.archive.verify(file).state is self.states[file]

    @rule(file=files)
    def make_ready(self, file: FileId) -> None:
        self.move("make_ready", file, (VERIFIED, READY, WITHDRAWN), READY)

    @rule(file=files)
    def withdraw(self, file: FileId) -> None:
        self.move("withdraw", file, (VERIFIED, READY, WITHDRAWN), WITHDRAWN)

    def move(self, how: str, file: FileId, before: tuple[FileState, ...], after: FileState) -> None:
        try:
            with self.archive._parts.engine.begin() as connection:
                getattr(self.archive, how)(connection, [file], "operator")
        except Conflict:
            assert self.states[file] not in before
        else:
            assert self.states[file] in before
            self.states[file] = after

    @rule(file=consumes(files))
    def shred(self, file: FileId) -> None:
        self.archive.shred(file, "operator")
        self.states[file] = SHREDDED

    @rule(forget=st.booleans())
    def rotate(self, *, forget: bool) -> None:
        self.archive.rotate()
        if forget:
            self.archive.forget_retired()

    @rule()
    def look_for_what_is_wrong(self) -> None:
        assert self.archive.rebuild() == Recovery()

    @rule()
    def lose_the_database(self) -> None:
        self.archive._parts.engine.dispose()
        for path in self.folder.glob("node.sqlite*"):
            path.unlink()
        self.archive = open_archive(self.folder)
        found = self.archive.rebuild()
        assert (found.missing, found.lost, found.removed) == ((), (), ())
        self.states = {file: state if state is SHREDDED else ARCHIVED for file, state in self.states.items()}

    @invariant()
    def it_holds_what_it_must(self) -> None:
        assert {file.id: file.state for file in self.archive.files_of()} == self.states
        for file, state in self.states.items():
            if state in (ARCHIVED, VERIFIED, READY):
                assert b"".join(self.archive.open_inside(file, "test").read()) == self.plain[file]
        gone = list(self.states.values()).count(SHREDDED)
        stored = [path.suffix for path in blobs(self.folder)]
        assert (stored.count(".shred"), stored.count(".c4b"), stored.count(".c4h")) == (
            gone,
            len(self.states) - gone,
            len(self.states) - gone,
        )


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=6, stateful_step_count=20)
