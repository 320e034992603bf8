# SPDX-License-Identifier: Apache-2.0
"""The command `megagenome`: mounts the roles' commands, and turns what goes wrong into one line and an exit code.

0 done, 1 failed, 2 used wrongly, 3 refused, 130 interrupted. A role's module is imported only when its command runs,
so that help and version answer at once.
"""

import gc
import os
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Parameter, UnknownCommandError

from megagenome import __version__
from megagenome.kernel.errors import MegagenomeError

DEBUG = "--debug"
_COLLECT_AFTER = 20_000
"""New objects after which Python looks for garbage in circles. Nearly all that a command makes stays, or is freed
without that: with Python's own 700, looking took a tenth of a start and of a load."""

app = App(
    name="megagenome",
    help="One million genomes, one network, no central copy.",
    help_epilogue=f"Exit codes: 0 done, 1 failed, 2 used wrongly, 3 refused. {DEBUG} shows where an error came from.",
    version=__version__,
    # a default that says nothing, such as an empty text, is not shown
    default_parameter=Parameter(show_default=lambda value: str(value) if value else None),
    result_action="return_value",
    exit_on_error=False,
    print_error=False,
    suppress_keyboard_interrupt=False,
)
app.command(
    "megagenome.app.commands.demo:demo",
    name="demo",
    help="Simulate some countries and serve their nodes and the hub, to try it all on one machine.",
)
app.command("megagenome.app.commands.node:node", name="node", help="Make, fill, serve and check a country's node.")
app.command("megagenome.app.commands.hub:hub", name="hub", help="Make, serve and check the hub of a network.")
app.command("megagenome.network.commands:ask", name="ask", help="Ask all nodes of a network one question.")
app.command(
    "megagenome.network.studies.commands:study",
    name="study",
    help="Run studies over several nodes, and verify what they found.",
)
app.command("megagenome.identity.commands:passport", name="passport", help="Say why a GA4GH passport is refused.")
app.command(
    "megagenome.app.commands.crypt4gh:crypt4gh",
    name="crypt4gh",
    help="Make Crypt4GH keys; seal files for others and open what was sealed for you.",
)
app.command(
    "megagenome.reception.commands:send_",
    name="send",
    help="Send a folder of genomes and people to a node, sealed, and bring back its signed receipt.",
)
app.command(
    "megagenome.reception.receipt_command:receipt_",
    name="receipt",
    help="Say whether a node signed the receipt of a submission, and for which files.",
)
app.command("megagenome.synthetic.commands:synth", name="synth", help="Simulate genomes and people to files.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. Standard output carries results only; an error is one line on stderr.

    arguments: what stands after `megagenome`; None takes it from the process.
    """
    gc.set_threshold(_COLLECT_AFTER)
    given = list(sys.argv[1:] if arguments is None else arguments)
    if DEBUG in given:
        given.remove(DEBUG)
        return _exit_code(app(given))
    try:
        return _exit_code(app(given))
    except MegagenomeError as error:
        return _fail(str(error), error.exit_code)
    except CycloptsError as error:
        return _fail(f"{_misuse(error)} See --help.", 2)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Our reader left, as `head` does; Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001 - the edge: nobody above could say anything better
        return _fail(f"unexpected {type(error).__name__}: {error}; add {DEBUG} to see where", 1)


def _misuse(error: CycloptsError) -> str:
    if isinstance(error, UnknownCommandError) and error.unused_tokens and error.app:
        # cyclopts would import every role to compose this message
        known = sorted(name for name in error.app if not name.startswith("-"))
        return f"unknown command {error.unused_tokens[0]!r}; known are {', '.join(known)}."
    error.verbose = False
    return str(error)


def _exit_code(result: object) -> int:
    """Commands return None when done, or an exit code of their own."""
    return result if isinstance(result, int) else 0


def _fail(message: str, code: int) -> int:
    from megagenome.kernel.output import printable  # takes a while to import, and help and version need none of it

    print("megagenome:", printable(" ".join(message.split())), file=sys.stderr)
    return code
