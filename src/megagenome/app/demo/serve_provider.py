# SPDX-License-Identifier: Apache-2.0
"""The process of the demo's OpenID provider: `python -m megagenome.app.demo.serve_provider FOLDER`, told by stdin."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from megagenome.app.demo.signing_in import ProviderStart
from megagenome.app.provider_app import provider_app
from megagenome.app.server import serve
from megagenome.identity.provider import DemoProvider


def main(folder: Path) -> None:
    """Serve the provider, on the address of its issuer, until SIGTERM. Raises `Invalid` for one off this machine."""
    told = msgspec.json.decode(sys.stdin.buffer.read(), type=ProviderStart)
    provider = DemoProvider(told.issuer, told.accounts, told.clients)
    address = urlsplit(told.issuer)
    serve(provider_app(provider), host=address.hostname or "", port=address.port or 80, folder=folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
