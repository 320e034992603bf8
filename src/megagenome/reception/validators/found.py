# SPDX-License-Identifier: Apache-2.0
"""What a validator has found of its file so far."""

from megagenome.kernel.errors import MegagenomeError
from megagenome.reception.model import Task
from megagenome.standards.validation_report import ContigRecords, FileReport, Level, Message, Result

_MOST_MESSAGES = 100


class Found:
    """Messages of one file, the first hundred of each level."""

    def __init__(self, task: Task, format: str) -> None:  # noqa: A002 - the field's word
        self.task, self.format = task, format
        self._messages: list[Message] = []
        self._levels: dict[Level, int] = dict.fromkeys(Level, 0)

    def error(self, text: str, line: int | None = None, place: str = "") -> None:
        """What fails the file."""
        self._say(Level.ERROR, text, line, place)

    def warn(self, text: str, line: int | None = None, place: str = "") -> None:
        """What somebody should look at."""
        self._say(Level.WARNING, text, line, place)

    def note(self, text: str) -> None:
        """What is good to know."""
        self._say(Level.INFO, text, None, "")

    def refuse(self, error: MegagenomeError) -> None:
        """An error as a reader of files raises it, which names the file, and maybe the line."""
        text = " ".join(str(error).split()).removeprefix(self.task.name).lstrip(": ")
        self.error(text, getattr(error, "line", None), getattr(error, "place", ""))

    def _say(self, level: Level, text: str, line: int | None, place: str) -> None:
        self._levels[level] += 1
        if self._levels[level] <= _MOST_MESSAGES:
            self._messages.append(Message(level, text, line, place))

    def report(
        self, samples: tuple[str, ...] = (), contigs: dict[str, int] | None = None, records: int | None = None
    ) -> FileReport:
        """All of it."""
        for level, met in self._levels.items():
            if met > _MOST_MESSAGES:
                self._messages.append(Message(level, f"{met - _MOST_MESSAGES:,} more messages like these"))
        return FileReport(
            self.task.name,
            self.format,
            Result.FAILED if self._levels[Level.ERROR] else Result.PASSED,
            tuple(self._messages),
            samples,
            tuple(ContigRecords(name, count) for name, count in (contigs or {}).items() if count),
            records,
            self.task.size_bytes,
        )
