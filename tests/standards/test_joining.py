# SPDX-License-Identifier: Apache-2.0
import pytest

from megagenome.kernel.errors import Corrupt, Invalid
from megagenome.standards.joining import Invitation, decode_answer, read_invitation, require_private

SECRET, THUMB = "s" * 43, "t" * 43


@pytest.mark.parametrize(
    "hub", ["https://hub.example", "https://hub.example/a/b", "http://127.0.0.1:8600", "http://[::1]:1"]
)
def test_an_invitation_survives_being_copied(hub: str) -> None:
    invitation = Invitation(hub, SECRET, THUMB)
    assert read_invitation(f"  {invitation.text()}\n") == invitation


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://hub.example",
        f"https://hub.example#{SECRET}",
        f"https://hub.example#{SECRET}.{THUMB}x",
        f"https://hub.example#{SECRET[1:]}.{THUMB}",
        f"https://hub.example?x#{SECRET}.{THUMB}",
        f"https://user@hub.example#{SECRET}.{THUMB}",
        f"https://hub.example:99999#{SECRET}.{THUMB}",
        f"http://hub.example#{SECRET}.{THUMB}",
        f"http://127.0.0.1.evil.example#{SECRET}.{THUMB}",
        f"ftp://hub.example#{SECRET}.{THUMB}",
        f"https://hub.example#{SECRET}.{THUMB}\nhttps://hub.example#{SECRET}.{THUMB}",
    ],
)
def test_what_is_no_invitation_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_invitation(text)
    assert SECRET[1:] not in str(refused.value)


def test_plain_http_is_for_one_machine() -> None:
    require_private("http://localhost:8600")
    with pytest.raises(Invalid, match="https"):
        require_private("http://10.0.0.1:8600")
    with pytest.raises(Invalid):
        require_private("https://[")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"<html>", b"\xff", b"[" * 100_000])
def test_what_no_hub_answers(content: bytes) -> None:
    with pytest.raises(Corrupt):
        decode_answer(content)
