# SPDX-License-Identifier: Apache-2.0
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from megagenome.identity.local_path import LONGEST, local_path

HERE = "https://hub.example.org/login/callback"


@pytest.mark.parametrize(
    "path", ["/", "/account", "/cohort?sex=female&age_from=40", "/a/../b", "/x?next=https://y", "/%2f%2fe"]
)
def test_pages_of_this_server_are_kept(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path", ["/login", "/login/start?next=/", "/logout", "/" * 2, "/ a", "/é", "/" + "a" * LONGEST]
)
def test_what_leads_nowhere_becomes_the_start_page(path: str) -> None:
    assert local_path(path) == "/"
    assert local_path(path, "/account") == "/account"


def as_a_browser_reads_it(text: str) -> str:
    """What WHATWG's URL standard does before it parses: ends are trimmed, tabs and line ends dropped, `\\` is `/`."""
    trimmed = text.strip("".join(map(chr, range(0x21))))
    return trimmed.replace("\t", "").replace("\n", "").replace("\r", "").replace("\\", "/")


@given(st.text(st.sampled_from("/\\.:@?#%\t\n\r httpsevil[]2fF5c"), max_size=20))
@example("//evil.example")
@example("/\t/evil.example")
@example("https:evil.example")
@example("/[")
def test_nothing_leads_to_another_site(text: str) -> None:
    kept = urlsplit(urljoin(HERE, as_a_browser_reads_it(local_path(text))))
    assert (kept.scheme, kept.netloc) == ("https", "hub.example.org")
