# SPDX-License-Identifier: Apache-2.0
"""`megagenome node keys` and `megagenome hub keys`: the keys that a server signs with."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Group

from megagenome.kernel.errors import NotFound
from megagenome.kernel.output import Json, show, table


def keys_command(server: str, settings: str) -> Callable[..., None]:
    """The command for one kind of server, `node` or `hub`, whose folder has a file of `settings`."""

    def keys(
        folder: Annotated[Path, Parameter(help=f"The {server}'s folder.")],
        /,
        *,
        replace: Annotated[bool, Parameter(negative="")] = False,
        json: Json = False,
    ) -> None:
        """Show the public keys; with --json as a JSON Web Key Set, which auditors verify the ledger with.

        Parameters
        ----------
        replace
            Make a new key first, which signs from the server's next start. Who knows the present key follows to it.
        """
        from megagenome.app.ledger import KEYS, open_keys  # cryptography takes 0.1 s to import
        from megagenome.kernel.keys import SigningKeys

        if not (folder / settings).exists():
            raise NotFound(f"{folder}: there is no {server} here; make one with `megagenome {server} init`")
        found = SigningKeys.replace(folder / KEYS) if replace else open_keys(folder)
        rows = [[key["kid"], "verifies" if k else "signs"] for k, key in enumerate(found.jwks()["keys"])]
        after = [f"Next: start the {server} again: it signs with the new key from then on"] if replace else []
        show(found.jwks(), json=json, render=lambda _: Group(table(["key", "it"], rows), *after))

    return keys
