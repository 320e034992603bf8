# SPDX-License-Identifier: Apache-2.0
"""A hub's studies for notebooks and the command line, over HTTP: `from megagenome import Network`.

    network = Network("https://hub.example", token)
    study = network.run(document)
    study.wait()
    tables = study.result()

Tokens are made on the page of one's account; the hub is asked as the person who made it.
"""

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec
import numpy as np
import numpy.typing as npt

from megagenome.kernel.errors import Invalid, Unavailable
from megagenome.kernel.public_keys import PublicKeys, read_public_keys
from megagenome.standards import study as study_document
from megagenome.standards.by_token import TOKEN_VARIABLE, condition_of, parse_server, read_answer
from megagenome.standards.descriptor import KEYS_PATH
from megagenome.standards.study import StudyDocument
from megagenome.standards.study_shown import (
    OVER,
    Begun,
    CheckShown,
    ResultShown,
    SiteKeys,
    StudyList,
    StudyListed,
    StudyShown,
)

TIMEOUT_S = 60.0
"""Longer than a hub holds an answer back until a study has changed."""
_TRIES_S = (0.5, 1.0, 2.0, 4.0)
"""Waits before a question that changes nothing is asked again: a hub may be restarted during a study."""

T = TypeVar("T", bound=msgspec.Struct)
Given = StudyDocument | Mapping[str, Any] | str | bytes | Path
"""A study document: as the type, as a dictionary, as JSON, or the file in which it is."""
Column = npt.NDArray[np.float64] | npt.NDArray[np.int64] | npt.NDArray[np.str_]


class Result(NamedTuple):
    """A result, released. `tables` by name, columns by name; NaN where a number is withheld or unknown."""

    tables: dict[str, dict[str, Column]]
    summary: dict[str, float | int | str | None]
    notes: tuple[str, ...]

    def frame(self, table: str) -> Any:
        """A table as a pandas DataFrame, where pandas is installed.

        >>> study.result().frame("associations").nsmallest(10, "p")  # doctest: +SKIP
        """
        try:
            import pandas as pd  # only who uses it should load it
        except ImportError:
            raise Unavailable("a frame needs pandas: pip install pandas; `tables` needs nothing") from None
        return pd.DataFrame(self.tables[table])


class Network:
    """The network that a hub stands for, to who holds a permit. Safe for threads."""

    def __init__(self, url: str, token: str = "") -> None:
        """`url` is the hub's; `token` is taken from the environment (`MEGAGENOME_TOKEN`) where none is given. Raises
        `Invalid` for an address over which the token would travel openly.

        >>> Network("https://hub.example", token)  # doctest: +SKIP
        """
        token = (token or os.environ.get(TOKEN_VARIABLE, "")).strip()
        self.url = parse_server(url, "hub", has_token=bool(token))
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(headers=headers, timeout=TIMEOUT_S, trust_env=False)

    def __repr__(self) -> str:
        return f"Network({self.url!r})"  # without the token

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close connections."""
        self._client.close()

    def check(self, document: Given) -> tuple[str, ...]:
        """What is against running a study, as far as the hub can say, each in a sentence; empty: nothing.

        >>> network.check("height.json")  # doctest: +SKIP
        ('node.ee: permit P1 does not let dataset D2 be read, or not yet',)
        """
        return self._post("/studies/check", _encode(document), CheckShown).findings

    def run(self, document: Given) -> "Study":
        """Begin a study. Raises `Invalid` with what is against it.

        >>> study = network.run("height.json")  # doctest: +SKIP
        """
        return Study(self, self._post("/studies", _encode(document), Begun).id)

    def study(self, ident: str) -> "Study":
        """A study that was begun before, by its id.

        >>> network.study("S0123456789abcdef").status().state  # doctest: +SKIP
        """
        return Study(self, ident)

    def studies(self) -> tuple[StudyListed, ...]:
        """One's own studies, newest first.

        >>> [each.title for each in network.studies()]  # doctest: +SKIP
        """
        return self.get("/studies", StudyList).studies

    def sites(self) -> dict[str, str]:
        """The thumbprint of each node's key, as a study document names it.

        >>> network.sites()["node.ee"]  # doctest: +SKIP
        """
        return self.get("/studies/sites", SiteKeys).keys

    def keys(self) -> PublicKeys:
        """The hub's public keys, with which crates are verified."""
        return read_public_keys(self._ask("GET", KEYS_PATH).content)

    def get(self, path: str, kind: type[T]) -> T:
        """What the hub answers, asked again for some seconds while it does not answer at all."""
        return _read(self._ask("GET", path), kind)

    def content(self, path: str) -> bytes:
        """The same, as it is."""
        return self._ask("GET", path).content

    def post(self, path: str) -> None:
        """A command without content."""
        self._ask("POST", path)

    def _post(self, path: str, body: bytes, kind: type[T]) -> T:
        return _read(self._ask("POST", path, body), kind)

    def _ask(self, method: str, path: str, body: bytes | None = None) -> httpx.Response:
        headers = {} if body is None else {"content-type": "application/json"}
        # a POST may have been done though no answer came: it is not sent twice
        waits_s = iter(_TRIES_S if method == "GET" else ())
        while True:
            try:
                response = self._client.request(method, self.url + path, content=body, headers=headers)
            except httpx.HTTPError as error:
                wait_s = next(waits_s, None)
                if wait_s is None:
                    reason = str(error) or type(error).__name__
                    raise Unavailable(f"the hub at {self.url} does not answer: {reason}") from None
                time.sleep(wait_s)
            else:
                if response.status_code >= 300:
                    raise condition_of(self.url, "hub", response.status_code, response.content)
                return response


class Study:
    """A study at its hub."""

    def __init__(self, network: Network, ident: str) -> None:
        """For `Network.run` and `Network.study`."""
        self.network, self.id = network, ident
        self._path = f"/studies/{quote(ident, safe='')}"

    def __repr__(self) -> str:
        return f"Study({self.id!r})"

    def status(self) -> StudyShown:
        """Where it is, and each node's part.

        >>> study.status().state  # doctest: +SKIP
        <RunState.RUNNING: 'running'>
        """
        return self.network.get(self._path, StudyShown)

    def follow(self) -> Iterator[StudyShown]:
        """Its status now, and each time that it changed, until it is over.

        >>> for shown in study.follow():  # doctest: +SKIP
        ...     print(shown.step, [site.state for site in shown.sites])
        """
        shown = self.status()
        yield shown
        while shown.state not in OVER:
            before = shown.version
            shown = self.network.get(f"{self._path}?after={quote(before, safe='')}", StudyShown)
            if shown.version != before:
                yield shown

    def wait(self, timeout_s: float = float("inf")) -> StudyShown:
        """Wait until it is over (finished, stopped, or waiting for a check), or until the time is.

        >>> study.wait().state  # doctest: +SKIP
        <RunState.FINISHED: 'finished'>
        """
        until = time.monotonic() + timeout_s
        following = self.follow()
        shown = next(following)
        while shown.state not in OVER and time.monotonic() < until:
            shown = next(following, shown)
        return shown

    def result(self) -> Result:
        """What it found. Raises `Conflict` as long as nothing is released, with the reason.

        >>> study.result().tables["associations"]["p"].min()  # doctest: +SKIP
        """
        shown = self.shown_result()
        tables = {
            name: {each: _array(column) for each, column in columns.items()} for name, columns in shown.tables.items()
        }
        return Result(tables, shown.summary, shown.notes)

    def shown_result(self) -> ResultShown:
        """The same, as the hub tells it."""
        return self.network.get(f"{self._path}/result", ResultShown)

    def cancel(self) -> None:
        """End it. Idempotent.

        >>> study.cancel()  # doctest: +SKIP
        """
        self.network.post(f"{self._path}/cancel")

    def crate(self) -> bytes:
        """Its provenance crate, a zip: what was run, where, how exactly, and the tables, signed by the hub.

        >>> Path("height.crate.zip").write_bytes(study.crate())  # doctest: +SKIP
        """
        return self.network.content(f"{self._path}/crate")


def read_document(given: Given) -> StudyDocument:
    """A study document, however it is given. Raises `Invalid`, naming the field."""
    return study_document.decode(_encode(given))


def _encode(given: Given) -> bytes:
    if isinstance(given, StudyDocument):
        return study_document.encode(given)
    if isinstance(given, Mapping):
        return msgspec.json.encode(given)
    if isinstance(given, bytes) or (isinstance(given, str) and given.lstrip().startswith("{")):
        return given if isinstance(given, bytes) else given.encode()
    try:
        return Path(given).read_bytes()
    except OSError as error:
        raise Invalid(f"{given}: {error.strerror}: name a file with a study document") from None


def _read(response: httpx.Response, answer: type[T]) -> T:
    return read_answer(response.url, "hub", response.content, answer)


def _array(values: list[float | int | str | None]) -> Column:
    """str_ where any value is a text, int64 where all are whole numbers, else float64."""
    if any(isinstance(value, str) for value in values):
        return np.array(["" if value is None else str(value) for value in values], np.str_)
    if values and all(isinstance(value, int) for value in values):
        return np.array(values, np.int64)
    return np.array([np.nan if value is None else value for value in values], np.float64)
