# SPDX-License-Identifier: Apache-2.0
"""`python -m megagenome` is the command `megagenome`."""

import sys

from megagenome.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
