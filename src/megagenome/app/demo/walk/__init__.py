# SPDX-License-Identifier: Apache-2.0
"""The whole way from a question to a permit and its end, and by another permit to what a study finds, walked by HTTP as
its people walk it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain

import httpx
import msgspec

from megagenome.app.demo.model import Checked
from megagenome.app.demo.walk.apply import apply, assess
from megagenome.app.demo.walk.decide import decide
from megagenome.app.demo.walk.model import Step, Study, Way
from megagenome.app.demo.walk.party import Party
from megagenome.app.demo.walk.read import read
from megagenome.app.demo.walk.record import record, see
from megagenome.app.demo.walk.stop import revoke, withdraw
from megagenome.app.demo.walk.study import permit, study
from megagenome.app.demo.walk.tiers import register
from megagenome.kernel.errors import MegagenomeError, Unavailable

Part = Callable[[Party], Iterator[Step]]
COURSE: Sequence[Part] = (Party.sign_in, register, apply, assess, decide, read, see, withdraw, revoke, record, study)


def walk(way: Way, seconds: dict[str, float] | None = None, course: Sequence[Part] = COURSE) -> Iterator[Checked]:
    """Every step, each taken when it is asked for; it ends with the first that goes wrong, as nothing after it could be
    right. `seconds` gets what was measured: `withdrawal` and `revocation`."""
    with ExitStack() as closing:
        party = Party(way, closing, seconds if seconds is not None else {})
        for part in course:
            for step in part(party):
                checked = _taken(step)
                yield checked
                if not checked.ok:
                    return


def grant(way: Way, asked: Study) -> str:
    """The id of a permit of the researcher's over all nodes that `asked` names, applied for and granted as people do
    it. Raises `Unavailable` where a step goes wrong."""
    with ExitStack() as closing:
        party = Party(way, closing, {})
        for step in chain(party.sign_in(), permit(party, asked)):  # what is right may be known only then
            taken = _taken(step)
            if not taken.ok:
                raise Unavailable(f"{taken.question}: {taken.got}, where {taken.expected} is right")
        return party.permit


def _taken(step: Step) -> Checked:
    try:
        got = step.take()
    except (MegagenomeError, httpx.HTTPError, msgspec.DecodeError) as error:
        got = str(error)
    except LookupError as error:
        got = f"an answer without {error}"
    return Checked(step.says, step.where, step.expected, got, ok=got == step.expected)
