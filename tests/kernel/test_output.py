# SPDX-License-Identifier: Apache-2.0
import io
import json
import sys

import msgspec
import pytest
from cyclopts import App
from rich.console import RenderableType

from megagenome.kernel.output import PIPE_COLUMNS, Json, printable, progress, show, stages, table


class Answer(msgspec.Struct, frozen=True):
    name: str
    count: int | None


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def as_table(answers: list[Answer]) -> RenderableType:
    return table(["Node", "People"], [(a.name, a.count) for a in answers])


def test_json_is_one_document_that_decodes_to_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    answers = [Answer("FI [red]\x1b[31m é", 3)]
    show(answers, json=True, render=as_table)
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert json.loads(out) == [{"name": "FI [red]\x1b[31m é", "count": 3}]
    assert msgspec.json.decode(out, type=list[Answer]) == answers


def test_text_keeps_brackets_and_drops_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    show([Answer("[red]A[/red] :smile:\x1b]0;x\x07\x9b", None)], json=False, render=as_table)
    out = capsys.readouterr().out
    assert "[red]A[/red] :smile:\ufffd]0;x\ufffd\ufffd" in out
    assert "-" in out.splitlines()[-2]


def test_numbers_stand_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    show([Answer("EE", 7), Answer("FI", 1234)], json=False, render=as_table)
    rows = capsys.readouterr().out.splitlines()
    assert rows[3].index("7") == rows[4].index("4")


def test_pipe_is_wider_than_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    show("word " * 31, json=False, render=str)
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert PIPE_COLUMNS >= 155


def test_printable_keeps_text() -> None:
    assert printable("Füße 👍 a\tb\nc\x00") == "Füße 👍 a\ufffdb\ufffdc\ufffd"


def test_progress_is_silent_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("reading", 10) as advance:
        advance(5)
    assert capsys.readouterr() == ("", "")


def test_progress_shows_how_much_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with progress("reading [a]", 10) as advance:
        advance(5)
    assert "reading [a]" in terminal.getvalue()
    assert "50 %" in terminal.getvalue()


def test_each_stage_has_a_bar_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with stages() as tell:
        tell("Checksums", 200, 200)
    with stages() as tell:
        tell("Checksums", 200, 200)
        tell("Sending", 50, 200)
    shown = terminal.getvalue()
    assert "100 %" in shown
    assert shown.index("Checksums") < shown.index("Sending") < shown.index(" 25 %")


def test_json_flag_is_off_until_given() -> None:
    app = App(result_action="return_value", exit_on_error=False)

    @app.default
    def command(*, json: Json = False) -> bool:
        return json

    assert app([]) is False
    assert app(["--json"]) is True
