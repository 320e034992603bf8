# SPDX-License-Identifier: Apache-2.0
"""`megagenome passport`: why a passport was accepted or refused."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from rich.console import Group, RenderableType

from megagenome.kernel import clock
from megagenome.kernel.errors import Invalid
from megagenome.kernel.output import Json, printable, show, table
from megagenome.standards.passport import MAX_PASSPORT_BYTES

if TYPE_CHECKING:
    from megagenome.identity.explain import Account, Explanation
    from megagenome.identity.model import Decision, Policy
    from megagenome.identity.trust import TrustStore

passport = App(name="passport", help="Read GA4GH passports.")


@passport.command
def explain(
    file: Annotated[
        str, Parameter(allow_leading_hyphen=True, help="The passport as signed text; - reads standard input.")
    ],
    /,
    *,
    trust: Annotated[Path, Parameter(help="Whom to trust; docs/identity.md describes the file.")],
    dataset: Annotated[str, Parameter(help="The URL of the dataset that is asked for.")] = "",
    json: Json = False,
) -> int:
    """Say rule by rule why a passport is accepted or refused: `megagenome passport explain FILE --trust trust.toml`.

    Fetches the keys of trusted issuers by the addresses in the trust file. Ends with 0 when the passport is accepted
    (and, with --dataset, grants that dataset), with 3 when it is refused.
    """
    # these take the cryptographic libraries, and `--help` needs none of them
    from megagenome.identity.explain import explain as explained
    from megagenome.identity.trust import load_trust

    text, store = _read(file), load_trust(trust)
    decision = asyncio.run(_decide(text, store, store.settings.policy.policy(dataset or None)))
    explanation = explained(decision)
    show(explanation, json=json, render=_render)
    return 0 if explanation.accepted else 3


def _read(file: str) -> str:
    """The passport, cut where it is longer than any that is read. Text around it is white space of the file."""
    try:
        with sys.stdin.buffer if file == "-" else Path(file).open("rb") as stream:
            content = stream.read(2 * MAX_PASSPORT_BYTES)
    except OSError as error:
        raise Invalid(f"{file}: cannot be read: {error.strerror}; give a file with a passport, or -") from None
    return content.decode(errors="replace").strip()


async def _decide(text: str, store: "TrustStore", policy: "Policy") -> "Decision":
    from megagenome.identity.clearinghouse import decide
    from megagenome.identity.jwks import KeySets

    async with KeySets(store) as key_sets:
        trusted = await key_sets.trust_for(text)
    return decide(text, trusted, policy, int(clock.now().timestamp()))


def _render(explanation: "Explanation") -> RenderableType:
    parts: list[RenderableType] = [
        f"{'ACCEPTED' if explanation.accepted else 'REFUSED'} ({explanation.code}): {printable(explanation.says)}"
    ]
    if explanation.subject:
        until = explanation.registered_until
        parts += [
            f"person              {printable(explanation.subject)}, until {_time(explanation.expires)}",
            *(f"the same person is  {printable(subject)}" for subject in explanation.linked),
            f"registered access   {'no' if until is None else 'until ' + _time(until)}",
            *(f"granted             {grant.dataset}, until {_time(grant.expires)}" for grant in explanation.grants),
        ]
    return Group(*parts, *(_account(each) for each in (explanation.passport, *explanation.visas)))


def _account(account: "Account") -> RenderableType:
    what = "Passport" if account.visa is None else f"Visa {account.visa} {account.type}".rstrip()
    title = f"{what}: {account.result} ({account.code}). {account.says}"
    return table(("rule", "", "asks"), [(s.rule, s.result, s.asks) for s in account.steps], title=printable(title))


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(sep=" ").replace("+00:00", " UTC")
