# SPDX-License-Identifier: Apache-2.0
"""What becomes of a result: the crate says how it came about and shows every change; who decides may decide, once."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from megagenome.kernel.callers import Caller, Role
from megagenome.kernel.errors import Conflict, Corrupt, NotEntitled, NotFound, TooLarge, Unauthenticated
from megagenome.kernel.keys import SigningKeys
from megagenome.network.studies.outcomes import HubNamed, Outcomes
from megagenome.network.studies.settle import Settled
from megagenome.standards import study_crate
from megagenome.standards.study import digest, encode
from megagenome.standards.study_crate import open_crate
from megagenome.standards.study_shown import Decision, RunState
from tests.network.studies.nodes import ADA, PERMIT, World, world

STEWARD = Caller("stina@https://idp.example", "Stina", frozenset({Role.DATA_STEWARD}))
ADA_AS_STEWARD = Caller(ADA.subject, ADA.name, frozenset({Role.DATA_STEWARD}))
BOB = Caller("bob@https://idp.example", "Bob")


def outcomes(at: World, folder: Path) -> Outcomes:
    keys = SigningKeys.open(folder / "hub-keys")
    named = HubNamed("org.example.hub", "https://hub.example", keys, lambda: {"node.a": "0.1.0"})
    return Outcomes(at.studies, at.coordinator.store, named)


def finished(at: World) -> str:
    run = at.begin()
    at.go()
    return run


def waiting(at: World) -> str:
    at.settle = lambda result, _terms: Settled(result, "three people are few")
    at.start()
    return finished(at)


def repacked(crate: bytes, change: dict[str, bytes | None]) -> bytes:
    """The crate with some files in place of its own, or without them."""
    with zipfile.ZipFile(io.BytesIO(crate)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in (files | change).items():
            if content is not None:
                archive.writestr(name, content)
    return written.getvalue()


def test_a_crate_says_how_the_result_came_about(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = finished(at)
        ours = outcomes(at, tmp_path)
        keys = SigningKeys.open(tmp_path / "hub-keys")
        found = open_crate(ours.crate(ADA, run), keys.key_set())
        assert (found.key, found.run.id, found.run.document) == (keys.kid, run, digest(at.document()))
        assert [step.step for step in found.run.rounds] == ["people", "alleles", "first", "second"]
        first = {each.name: each for each in found.run.rounds[2].sums}
        assert first["x"].largest_error == 3 * 2.0**-31, "half a unit of 30 binary digits at each of three sites"
        assert first["n"].largest_error == 0
        assert found.run.rounds[1].opened == ("start",)
        shown = at.show(run)
        assert [(s.node, s.up_bytes, s.in_result) for s in found.run.sites] == [
            (s.node, s.up_bytes, True) for s in shown.sites
        ]
        assert found.run.sites[0].version == "0.1.0"


def test_its_files_are_the_document_and_the_tables_and_rocrate_describes_them(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = finished(at)
        crate = outcomes(at, tmp_path).crate(ADA, run)
        with zipfile.ZipFile(io.BytesIO(crate)) as archive:
            assert archive.read("study.json") == encode(at.document())
            assert archive.read("tables/y.csv").splitlines()[0] == b"y,name"
            metadata = json.loads(archive.read("ro-crate-metadata.json"))
            names = set(archive.namelist())
        entities = {each["@id"]: each for each in metadata["@graph"]}
        assert metadata["@context"] == "https://w3id.org/ro/crate/1.1/context"
        assert entities["ro-crate-metadata.json"]["about"] == {"@id": "./"}
        parts = {each["@id"] for each in entities["./"]["hasPart"]}
        assert parts == names - {study_crate.METADATA, study_crate.SIGNATURE, study_crate.KEYS}
        assert all(entities[part]["@type"] == "File" for part in parts)
        assert entities["#run"]["instrument"] == {"@id": "#software"}
        referred = {each["@id"] for each in (*entities["#run"]["result"], entities["#run"]["object"])}
        assert referred == parts


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tables/y.csv": b"y,name\r\n1,a\r\n"}, "was changed"),
        ({"tables/y.csv": None}, "missing, or was added"),
        ({"extra.txt": b"x"}, "missing, or was added"),
        ({"study.json": None}, "is missing"),
        ({"ro-crate-metadata.json.jws": b"a.b.c"}, "no detached signature"),
        ({"ro-crate-metadata.json.jws": b"\xff"}, "no detached signature"),
        ({"ro-crate-metadata.json": b"{}"}, "has not signed it"),
    ],
)
def test_every_change_shows(tmp_path: Path, change: dict[str, bytes | None], says: str) -> None:
    with world(tmp_path) as at:
        crate = outcomes(at, tmp_path).crate(ADA, finished(at))
        with pytest.raises(Corrupt, match=says):
            open_crate(repacked(crate, change))


def test_a_crate_that_another_key_signed_is_not_the_hubs(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        crate = outcomes(at, tmp_path).crate(ADA, finished(at))
        other = SigningKeys.open(tmp_path / "other-keys")
        with pytest.raises(Corrupt):
            open_crate(crate, other.key_set())


def test_what_is_no_zip_or_a_bomb_is_refused() -> None:
    with pytest.raises(Corrupt, match="not a zip"):
        open_crate(b"PK\x03\x04 rubbish")
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for number in range(101):
            archive.writestr(str(number), b"")
    with pytest.raises(TooLarge):
        open_crate(written.getvalue())


def test_nobody_takes_a_result_away_before_it_is_released(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = waiting(at)
        ours = outcomes(at, tmp_path)
        with pytest.raises(Conflict, match="three people are few"):
            ours.crate(ADA, run)
        with pytest.raises(NotFound):
            ours.crate(BOB, run)
        with pytest.raises(NotFound):
            ours.document(BOB, run)
        assert ours.document(ADA, run) == encode(at.document())


def test_who_has_no_part_in_it_looks_and_releases_and_the_ledger_says_who(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = waiting(at)
        ours = outcomes(at, tmp_path)
        [shown] = ours.waiting(STEWARD).waiting
        assert (shown.id, shown.requester, shown.is_mine, shown.reason) == (run, "Ada", False, "three people are few")
        assert ours.held(STEWARD, run).tables["y"]["name"] == ["a", "b", "c"]
        ours.decide(STEWARD, run, Decision(True, "they are dead for 300 years"))
        assert at.show(run).state is RunState.FINISHED
        assert "released by Stina" in at.show(run).reason
        assert (at.acts[-1].subject, at.acts[-1].detail, at.acts[-1].permit) == (
            STEWARD.subject,
            f"released:{run}",
            PERMIT,
        )
        assert open_crate(ours.crate(ADA, run)).run.id == run
        with pytest.raises(NotFound):
            ours.decide(STEWARD, run, Decision(False, "no"))


def test_a_refused_result_is_gone_for_everybody(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = waiting(at)
        ours = outcomes(at, tmp_path)
        ours.decide(STEWARD, run, Decision(False, "too few"))
        assert (at.show(run).state, "too few" in at.show(run).reason) == (RunState.STOPPED, True)
        with pytest.raises(Conflict):
            at.studies.result(ADA, run)
        stored = at.coordinator.store.find(run)
        assert stored is not None
        assert at.coordinator.store.result(stored) is None


def test_whoever_has_a_part_in_it_or_no_office_neither_looks_nor_decides(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = waiting(at)
        ours = outcomes(at, tmp_path)
        at.permits.change(people=frozenset({str(ADA.subject), "named@https://idp.example"}))
        named = Caller("named@https://idp.example", "Named", frozenset({Role.DATA_STEWARD}))
        for caller in (ADA, BOB, ADA_AS_STEWARD, named):
            with pytest.raises(NotEntitled):
                ours.held(caller, run)
            with pytest.raises(NotEntitled):
                ours.decide(caller, run, Decision(True, "yes"))
        with pytest.raises(Unauthenticated):
            ours.waiting(Caller())
        assert ours.waiting(ADA_AS_STEWARD).waiting[0].is_mine
        assert at.show(run).state is RunState.WAITING


def test_keys_of_nodes_are_told_to_who_is_signed_in(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        ours = outcomes(at, tmp_path)
        assert ours.sites(BOB).keys == at.thumbprints()
        with pytest.raises(Unauthenticated):
            ours.sites(Caller())
