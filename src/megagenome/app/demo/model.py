# SPDX-License-Identifier: Apache-2.0
"""What the demo shows: its addresses while it runs, and the outcome of its check."""

import msgspec

from megagenome.kernel.callers import Role
from megagenome.kernel.errors import NotFound


class Address(msgspec.Struct, frozen=True):
    """A server of the running demo."""

    id: str
    name: str
    url: str


class Login(msgspec.Struct, frozen=True):
    """Somebody who can sign in while the demo runs: made up, with a password of this run.

    role   holds at the server whose page `first` is
    does   what they do on the way from a question to a permit
    first  the page on which they begin
    """

    name: str
    password: str
    role: str
    does: str
    first: str


class Running(msgspec.Struct, frozen=True):
    """The demo's network while it runs. `attempts` are commands to begin with."""

    folder: str
    hub: Address
    nodes: tuple[Address, ...]
    attempts: tuple[str, ...]
    logins: tuple[Login, ...] = ()

    def login(self, role: Role, url: str = "") -> Login:
        """Somebody with the role, at the server with this address. Raises `NotFound` for nobody."""
        for each in self.logins:
            if each.role == role and each.first.startswith(url):
                return each
        raise NotFound(f"nobody in the demo is {role} at {url or self.hub.url}")


class Checked(msgspec.Struct, frozen=True):
    """One question: where it was asked, and the first thing in which the answer differs from what is right.

    expected, got  that thing; where nothing differs, the answer in short
    """

    question: str
    asked: str
    expected: str
    got: str
    ok: bool


class Verdict(msgspec.Struct, frozen=True):
    """All questions of a check, and how many were answered rightly."""

    right: int
    wrong: int
    questions: list[Checked]
