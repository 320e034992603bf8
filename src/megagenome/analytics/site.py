# SPDX-License-Identifier: Apache-2.0
"""This node's part in studies: takes tasks from the hub, checks each study for itself, computes, and answers in sums.

Nothing of a run is on disk here but entries in the ledger, who is in it (`studied.py`), and with which sites sums of
it were made (`lent.py`): a node that was restarted is given document and parameters again and computes the same. The
key of a round's masks is in memory only, and masks one vector.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

import msgspec
import numpy as np

from megagenome.analytics.check import (
    Found,
    is_open,
    require_allowed,
    require_enough,
    require_known,
    require_may_be_alone,
    require_readable,
    terms_of,
)
from megagenome.analytics.course import Course
from megagenome.analytics.genotypes import SiteGenotypes
from megagenome.analytics.lent import LentSums
from megagenome.analytics.masking import RoundSecret
from megagenome.analytics.methods import MAY_OPEN, METHODS
from megagenome.analytics.model import MethodSite
from megagenome.analytics.people import NO_KIN, StudyPeople, assembly_of, choose_people
from megagenome.analytics.relatives import relatives_of
from megagenome.analytics.settings import AnalyticsSettings
from megagenome.analytics.studied import StudiedPeople, digest_of
from megagenome.collection import Collection
from megagenome.collection.cohort import All, Any, InDataset, read_cohort
from megagenome.collection.model import Dataset, Use
from megagenome.collection.permit_reading import PermitReading
from megagenome.collection.scan import PeopleChanged
from megagenome.kernel.callers import Caller
from megagenome.kernel.errors import Corrupt, MegagenomeError, NotEntitled
from megagenome.kernel.ids import PermitId
from megagenome.kernel.keys import SigningKeys
from megagenome.kernel.ledger import Act, Kind, Ledger
from megagenome.standards import ring
from megagenome.standards import study as study_document
from megagenome.standards.study import StudyDocument, variants_of
from megagenome.standards.study_arrays import Arrays, pack, unpack
from megagenome.standards.study_exchange import (
    PEOPLE_STEP,
    Agreed,
    Changed,
    Failed,
    Forgot,
    Keyed,
    Place,
    Refused,
    Reply,
    Said,
    Sent,
    Stage,
    Task,
    decode_keys,
    split,
)
from megagenome.standards.study_masks import Round, read_keys, sign_key

_log = logging.getLogger(__name__)
_FAULT = "a fault of the node's own, which its operator sees in the log"


@dataclass(slots=True)
class _Held:
    """A run in one epoch, as this node takes part in it.

    secret     of the round `keyed`, until a vector was masked with it
    summed     the newest round of which a sum of values left
    is_opened  whether the hub went on after such a sum: it knows it
    is_recorded  whether the people are in the node's record of who was studied, or need not be: open data
    """

    epoch: int
    sites: tuple[str, ...]
    document: StudyDocument
    reading: PermitReading
    datasets: Sequence[Dataset]
    people: StudyPeople
    method: MethodSite
    course: Course
    secret: RoundSecret | None = field(default=None, repr=False)
    keyed: int = -1
    summed: int = -1
    is_opened: bool = False
    is_recorded: bool = False


class _Stale(Exception):
    """The task is of a run that this node holds no more: the hub gives it again, with the document."""


class StudySite:
    """`megagenome.network.needs.StudyDesk` of one node. Safe for threads."""

    def __init__(
        self,
        collection: Collection,
        node: str,
        keys: SigningKeys,
        ledger: Ledger,
        settings: AnalyticsSettings,
        executor: Executor,
        scans: Executor | None = None,
        self_test: Callable[[type], float] | None = None,
    ) -> None:
        """`executor` works on tasks, `scans` on parts of a task's scans. `self_test` computes a kind of method on
        planted people, tells how far it is off, and raises where that is too far."""
        self._self_test = self_test
        self._collection, self._node, self._keys = collection, node, keys
        self._ledger, self._settings = ledger, settings
        self._executor, self._scans = executor, scans
        self._turn = threading.Lock()
        self._held: dict[str, _Held] = {}
        self._studied = StudiedPeople(collection.engine, settings.least_cell, settings.most_cohorts)
        self._lent = LentSums(collection.engine)
        self._at_work: set[Place] = set()
        self._replies: deque[tuple[Reply, bytes]] = deque()
        self._wake: Callable[[], None] = lambda: None

    # --- for the exchange with the hub

    def listen(self, wake: Callable[[], None], /) -> None:
        """Call `wake`, from any thread, whenever there is something to say."""
        self._wake = wake

    def holds(self) -> tuple[str, ...]:
        """Runs that something is kept of."""
        with self._turn:
            return tuple(sorted(self._held))

    def at_work(self) -> tuple[Place, ...]:
        """What is being computed, or waits to be said."""
        with self._turn:
            return (*self._at_work, *(reply.place for reply, _ in self._replies))

    def next_reply(self) -> tuple[Reply, bytes] | None:
        """What is to be said next. It stays so until the hub took it."""
        with self._turn:
            return self._replies[0] if self._replies else None

    def taken(self, reply: Reply, /) -> None:
        """The hub took it."""
        with self._turn:
            if self._replies and self._replies[0][0] is reply:
                self._replies.popleft()

    def give(self, task: Task, payload: bytes, /) -> None:
        """A task of the hub's; returns at once. One that is being worked on already changes nothing."""
        with self._turn:
            if task.place in self._at_work:
                return
            self._at_work.add(task.place)
        self._executor.submit(self._work, task, payload)

    def forget(self, runs: Sequence[str], /) -> None:
        """These are over."""
        with self._turn:
            for run in runs:
                self._held.pop(run, None)
        if runs:
            self._lent.open(runs, ends=True)
            self._studied.forget(runs)

    def watch(self) -> None:
        """Look whether the permit of each run still holds and all of its people are still in it; to be called several
        times in five seconds. Cost: a millisecond for each run."""
        with self._turn:
            held = list(self._held.items())
        for run, each in held:
            try:
                each.reading.require_all(each.people.numbers)
            except PeopleChanged:
                self._end(run, each, Changed())
            except NotEntitled as error:
                self._end(run, each, Refused(_short(error)))
            except MegagenomeError as error:
                _log.warning("study %s is not looked after: %s", run, error)

    # --- a task

    def _work(self, task: Task, payload: bytes) -> None:
        content = b""
        said: Said | None
        try:
            said, content = self._answer(task, payload)
        except _Stale:
            said = None
        except PeopleChanged:
            said = Changed()
        except NotEntitled as error:
            said = Refused(_short(error))
        except MegagenomeError as error:
            said = Failed(_short(error))
        except Exception:  # noqa: BLE001 - nobody else would hear of it, and the hub would wait
            _log.exception("study %s", task.place.run)
            said = Failed(_FAULT)
        with self._turn:
            self._at_work.discard(task.place)
            if isinstance(said, Changed | Refused):
                self._drop(task.place.run, goes_on=isinstance(said, Changed))
            if said is not None:
                self._replies.append((Reply(task.place, said), content))
        self._wake()

    def _end(self, run: str, held: _Held, said: Said) -> None:
        with self._turn:
            if self._held.get(run) is not held:
                return
            self._drop(run, goes_on=isinstance(said, Changed))
            self._replies.append((Reply(Place(run, held.epoch, 0, Stage.CHECK), said), b""))
        self._wake()

    def _drop(self, run: str, *, goes_on: bool = False) -> None:
        """Forget a run. Where the hub has a sum of it, it must not begin again; only without somebody who withdrew it
        `goes_on`, and of data that are not open, because others are held back with them."""
        held = self._held.pop(run, None)
        if held is not None and held.is_opened and not (goes_on and not is_open(held.datasets)):
            self._lent.open([run], ends=True)

    def _answer(self, task: Task, payload: bytes) -> tuple[Said, bytes]:
        document, parameters, keys = split(payload, (task.document_bytes, task.parameters_bytes, task.keys_bytes))
        held = self._take_up(task, document)
        turn = Round(task.digest, task.place.epoch, task.place.round, task.sites)
        match task.place.stage:
            case Stage.CHECK:
                terms = terms_of(held.datasets, self._settings)
                tested = None if self._self_test is None else self._self_test(type(held.document.method))
                return Agreed(msgspec.structs.replace(terms, self_test=tested)), b""
            case Stage.KEYS:
                held.secret, held.keyed = RoundSecret(), turn.number
                return Keyed(sign_key(self._keys, turn, self._node, held.secret.public)), b""
            case Stage.SUMS:
                return self._sum(task, held, turn, unpack(parameters), keys)

    def _take_up(self, task: Task, content: bytes) -> _Held:
        """The run in the task's epoch. Whatever is new of it is checked: document, sites, permit, people."""
        run, epoch = task.place.run, task.place.epoch
        with self._turn:
            known = self._held.get(run)
        if known is not None and epoch < known.epoch:
            raise _Stale
        if known is not None and task.place.round > known.summed >= 0 and not known.is_opened:
            self._lent.open([run])
            known.is_opened = True
        if known is None and not content:
            raise _Stale
        if known is not None and known.sites == task.sites:
            known.reading.require_all(known.people.numbers)
            known.epoch = epoch
            return known
        self._lent.require(run, task.sites, goes_on=known is not None)
        document = known.document if known is not None and not content else study_document.decode(content)
        held = self._open(task, document)
        with self._turn:
            self._held[run] = held
        return held

    def _open(self, task: Task, document: StudyDocument) -> _Held:
        mine = require_allowed(document, task, self._node, self._keys.kid, self._settings)
        require_readable(document)
        caller = Caller(task.subject, task.name)
        cohort = All((read_cohort(document.cohort), Any(tuple(map(InDataset, mine.datasets)))))
        reading = self._collection.open(caller, Use.RESEARCH, cohort, permit=PermitId(document.permit))
        datasets = [each for each in reading.datasets if each.id in mine.datasets]
        require_may_be_alone(document, datasets, self._settings)
        if len(datasets) < len(mine.datasets):
            raise NotEntitled(f"permit {document.permit}: not all of the study's datasets can be read here now")
        values, assembly = reading.values(), assembly_of(document)
        # before anything that is recorded of them can be against it
        require_enough(document, datasets, Found(values.people, [("", values.people)]), self._settings)
        genotyped = None if assembly is None else reading.genotyped(assembly, values.numbers)
        people = choose_people(document, values, genotyped)
        people = self._compared(document, reading, people)
        if not is_open(datasets):
            begins = task.place.round == 0
            chosen = self._studied.choose(task.place.run, people.numbers, people.members(), begins=begins)
            people = people.only(chosen.numbers)
            self._lent.require_apart(task.place.run, digest_of(people.numbers), task.sites)
        found = Found(len(people.numbers), people.recorded, people.held_back)
        require_enough(document, datasets, found, self._settings)
        require_known(self._collection.engine, [site for site in document.sites if site.node != self._node])
        least_count = 0 if is_open(datasets) else self._settings.least_allele_count
        genotypes = SiteGenotypes(reading, people.numbers, self._scans)
        method = METHODS[type(document.method)](document.method, people.table, genotypes, least_count)
        self._enter(task, document.permit, datasets, "begun", len(people.numbers))
        course = Course(document.method)
        return _Held(
            task.place.epoch,
            task.sites,
            document,
            reading,
            datasets,
            people,
            method,
            course,
            is_recorded=is_open(datasets),
        )

    def _compared(self, document: StudyDocument, reading: PermitReading, people: StudyPeople) -> StudyPeople:
        """Without all but one of each duplicate, where the study says so."""
        if assembly_of(document) is None:
            return people
        variants = variants_of(document.method)
        if variants is None or len(people.numbers) < 2:
            return people._replace(kin=NO_KIN._replace(not_compared=len(people.numbers)))
        genotypes = SiteGenotypes(reading, people.numbers, self._scans)
        found, compared = relatives_of(genotypes, variants, self._settings.most_compared)
        return people.independent(found, compared, leave_out=document.duplicates == "leave out")

    def _sum(self, task: Task, held: _Held, turn: Round, parameters: Arrays, keys: bytes) -> tuple[Said, bytes]:
        if not set(task.opened) <= MAY_OPEN.get(task.step, frozenset()):
            raise NotEntitled(
                f"the hub asks to see what leaves this node in sums only ({', '.join(task.opened)[:100]})"
            )
        secret = None
        if task.sums and len(turn.sites) > 1:
            if held.secret is None or held.keyed != turn.number:
                return Forgot(), b""
            secret, held.secret = held.secret, None
        held.course.require(turn.number, task.step, parameters, task.sums, is_opened=held.is_opened)
        if task.step == PEOPLE_STEP:
            answer: Arrays = {name: np.array(count) for name, count in held.people.counts().items()}
        else:
            answer = held.method.answer(task.step, parameters)
        vector = _vector(task, answer)
        if secret is not None:
            thumbprints = {site.node: site.key for site in held.document.sites}
            publics = read_keys(decode_keys(keys), turn, {node: thumbprints[node] for node in turn.sites})
            vector = secret.mask(vector, turn, self._node, publics)
        opened = pack({name: answer[name] for name in task.opened}) if task.opened else b""
        held.reading.require_all(held.people.numbers)
        if not held.is_recorded:
            self._studied.record(task.place.run, held.people.numbers, held.people.members())
            held.is_recorded = True
        if task.sums and task.step != PEOPLE_STEP:
            if held.summed < 0:
                people = "" if is_open(held.datasets) else digest_of(held.people.numbers)
                self._lent.note(task.place.run, people, turn.sites)
            held.summed = turn.number
        self._enter(task, held.document.permit, held.datasets, f"sent:{turn.number}:{turn.epoch}", vector.size)
        return Sent(vector.nbytes, len(opened)), vector.astype("<u8", copy=False).tobytes() + opened

    def _enter(self, task: Task, permit: str, datasets: Sequence[Dataset], what: str, count: int) -> None:
        """Into the ledger, before it leaves."""
        self._ledger.append(
            *(
                Act(
                    Kind.STUDY,
                    task.subject,
                    task.name,
                    dataset=each.id,
                    permit=permit,
                    detail=f"{what}:{task.place.run}",
                    count=count,
                )
                for each in datasets
            )
        )


def _vector(task: Task, answer: Arrays) -> ring.Ring:
    """All that is summed, in the ring, one after another. Raises `Invalid` where a value is not finite or too large,
    `Corrupt` where an array is not of the shape that was asked."""
    parts = []
    for each in task.sums:
        found = answer.get(each.name)
        if found is None or found.shape != each.shape:
            raise Corrupt(f"{each.name} is not what was asked: of shape {None if found is None else found.shape}")
        parts.append(ring.encode(found, each.bits, len(task.sites), each.name).reshape(-1))
    return np.concatenate(parts) if parts else np.zeros(0, np.uint64)


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else text[:299] + "…"
