# SPDX-License-Identifier: Apache-2.0
"""Templates to pages: the one environment (always escaping), the files under /static, and the headers of every page."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import jinja2
from litestar import Response

from megagenome import __version__
from megagenome.identity.caller_middleware import VISIT
from megagenome.portal import application_words as words
from megagenome.portal import numbers
from megagenome.portal.application_client import new_order
from megagenome.portal.browsers import browser_name
from megagenome.portal.countries import country_name
from megagenome.portal.examples import ASSEMBLIES
from megagenome.portal.moments import ago, day, moment
from megagenome.portal.navigation import navigation
from megagenome.portal.statuses import BADGES, explain, node_message

HERE = Path(__file__).parent
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
}
"""Nothing from elsewhere, nothing inline, nobody's frame; the question in the address is told to no other site."""


class StaticFile(NamedTuple):
    """A file of the style, read once at import: no request ever names a path on disk."""

    content: bytes
    media_type: str
    digest: str


_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def _load_static() -> dict[str, StaticFile]:
    files = {}
    for path in sorted((HERE / "static").iterdir()):
        content = path.read_bytes()
        files[path.name] = StaticFile(content, _MEDIA_TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:12])
    return files


STATIC = _load_static()


def static_url(name: str) -> str:
    """The address of a static file; it changes with the content, so browsers may keep the file for ever."""
    return f"/static/{name}?v={STATIC[name].digest}"


def address(path: str, query: Mapping[str, str | int] | None = None, **more: str | int) -> str:
    """`path` with its query, properly quoted; empty values are left out."""
    filled = {name: value for name, value in {**(query or {}), **more}.items() if value != ""}
    return f"{path}?{urlencode(filled)}" if filled else path


def web_address(url: str) -> str:
    """`url` if it is an http(s) address that a link may have, else empty: a node's descriptor is untrusted."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def page_address(address: str) -> str:
    """`address` if it is on this server (begins with one slash) or an http(s) address, else empty."""
    if address.startswith("/") and not address.startswith(("//", "/\\")):
        return address
    return web_address(address)


def abbreviate(text: str, most: int = 48) -> str:
    """A text of any length in at most `most` letters, middle left out; the address of the page has it whole."""
    head = most * 2 // 3
    return text if len(text) <= most else f"{text[:head]}…{text[head + 1 - most :]}"


def bases(allele: str) -> str:
    """An allele for people: up to 20 bases as they are, longer ones as `ACGTACGTAC… (1,204 bases)`."""
    return allele if len(allele) <= 20 else f"{allele[:10]}… ({numbers.count(len(allele))} bases)"


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "count": numbers.count,
        "frequency": numbers.frequency,
        "percent": numbers.percent,
        "percent_tick": numbers.percent_tick,
        "elapsed": numbers.elapsed,
        "country": country_name,
        "use": words.use_words,
        "browser_name": browser_name,
        "badge": BADGES.__getitem__,
        "explain": explain,
        "message": node_message,
        "ago": ago,
        "moment": moment,
        "day": day,
        "until": words.until,
        "web_address": web_address,
        "page_address": page_address,
        "abbreviate": abbreviate,
        "bases": bases,
    }
    environment.globals |= {
        "interval": numbers.interval,
        "plural": numbers.plural,
        "address": address,
        "assemblies": ASSEMBLIES,
        "static": static_url,
        "version": __version__,
        "visit": VISIT.get,
        "navigation": navigation,
        "new_order": new_order,
        "process_motto": "Each step is kept and can be shown to an auditor. No country's silence is a yes.",
        "states": words.STATES,
        "tones": words.TONES,
        "part_states": words.PARTS,
        "part_tones": words.PART_TONES,
        "vote_words": words.VOTES,
    }
    return environment


_ENVIRONMENT = _environment()


def render(template: str, **context: Any) -> str:
    """A page as text. An undefined name in a template is an error, not a blank."""
    return _ENVIRONMENT.get_template(template).render(**context)


def html(text: str, status: int = 200) -> Response[str]:
    """A page as a response."""
    return Response(text, status_code=status, media_type="text/html", headers=HEADERS)


def download(text: str, name: str) -> Response[bytes]:
    """A CSV as a response; `name` loses what file systems or headers do not take."""
    safe = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    headers = {**HEADERS, "content-disposition": f'attachment; filename="{safe[:120]}.csv"'}
    return Response(text.encode(), media_type="text/csv", headers=headers)
