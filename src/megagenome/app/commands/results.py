# SPDX-License-Identifier: Apache-2.0
"""What the commands of nodes and hubs have in common: how they show what was done and what was found."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from cyclopts import Parameter, validators

from megagenome.kernel.findings import Finding
from megagenome.kernel.output import show, table

Port = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=65535))]
Host = Annotated[str | None, Parameter(help="Address to listen on in place of the setting.")]
ListenPort = Annotated[int | None, Parameter(help="Port to listen on in place of the setting; 0 takes a free one.")]


class Done(msgspec.Struct, frozen=True):
    """What a command did, for those that have nothing else to show."""

    folder: str
    done: str
    next: str = ""


def show_done(done: Done, *, json: bool) -> None:
    """Show what was done, and what to do next."""
    following = f"\nNext: {done.next}" if done.next else ""
    show(done, json=json, render=lambda done: f"{done.folder}: {done.done}{following}")


def is_address(text: str) -> bool:
    """Whether a check's argument is an address and not a folder."""
    return text.startswith(("http://", "https://"))


def show_findings(findings: Sequence[Finding], *, json: bool) -> int:
    """Show the findings of a check; the command's exit code, 1 when something is wrong."""
    rows = [["ok" if f.fine else "WRONG", f.part, f.says, f.do] for f in findings]
    show(findings, json=json, render=lambda _: table(["", "part", "found", "what to do"], rows))
    return 0 if all(finding.fine for finding in findings) else 1
