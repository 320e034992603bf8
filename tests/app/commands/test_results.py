# SPDX-License-Identifier: Apache-2.0
import pytest

from megagenome.app.commands.results import Done, is_address, show_done, show_findings
from megagenome.kernel.findings import Finding


def test_done_with_and_without_a_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    show_done(Done("/srv/node", "made"), json=False)
    show_done(Done("/srv/node", "made", "load it"), json=False)
    assert capsys.readouterr().out == "/srv/node: made\n/srv/node: made\nNext: load it\n"


@pytest.mark.parametrize(("fine", "code"), [(True, 0), (False, 1)])
def test_one_wrong_finding_makes_the_exit_code(capsys: pytest.CaptureFixture[str], fine: bool, code: int) -> None:
    findings = [Finding("one", True, "well"), Finding("two", fine, "so", "do this")]
    assert show_findings(findings, json=False) == code
    assert ("WRONG" in capsys.readouterr().out) == (not fine)


@pytest.mark.parametrize(
    ("text", "expected"), [("http://x", True), ("https://x", True), ("/srv/node", False), ("httpd", False)]
)
def test_address_or_folder(text: str, expected: bool) -> None:
    assert is_address(text) == expected
