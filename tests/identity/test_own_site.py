# SPDX-License-Identifier: Apache-2.0
import pytest

from megagenome.identity.own_site import asked_site, configured_site


@pytest.mark.parametrize(
    ("url", "origin", "session"),
    [
        ("https://hub.example.org", "https://hub.example.org", "__Host-session"),
        ("https://Hub.Example.org:443", "https://hub.example.org", "__Host-session"),
        ("https://hub.example.org:8443", "https://hub.example.org:8443", "__Host-session"),
        ("http://127.0.0.1:8600", "http://127.0.0.1:8600", "session_8600"),
        ("http://localhost", "http://localhost", "session_80"),
    ],
)
def test_a_public_address_is_an_origin(url: str, origin: str, session: str) -> None:
    site = configured_site(url)
    assert (site.origin, site.session_cookie) == (origin, session)
    assert site.secure == url.startswith("https")


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:8601", "http://127.0.0.1:8601"),
        ("localhost", "http://localhost"),
        ("LOCALHOST:80", "http://localhost"),
        ("[::1]:8600", "http://[::1]:8600"),
    ],
)
def test_without_one_this_machine_is_itself(host: str, origin: str) -> None:
    site = asked_site(host)
    assert site
    assert (site.origin, site.secure) == (origin, False)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "hub.example.org",
        "10.0.0.1:8600",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "127.0.0.1@evil.example",
        "127.0.0.1:8600/x",
        "0.0.0.0",  # noqa: S104 - not listened on
        "[::]:1",
        "127.0.0.1:x",
    ],
)
def test_no_other_name_is_taken_for_this_machine(host: str) -> None:
    assert asked_site(host) is None


def test_servers_of_one_machine_leave_each_others_cookies_alone() -> None:
    names = {configured_site(f"http://127.0.0.1:{port}").session_cookie for port in (8600, 8601)}
    assert len(names) == 2
