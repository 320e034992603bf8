# SPDX-License-Identifier: Apache-2.0
"""What is written down of a run: its entries in the ledger, and the receipt that its holder gets."""

import hashlib
from pathlib import Path

import msgspec
import pytest

from megagenome.kernel.errors import Conflict, Corrupt, NotFound
from megagenome.kernel.keys import SigningKeys
from megagenome.standards.study_receipt import read_receipt, sign_receipt
from tests.network.studies.nodes import ADA, BOB, PERMIT, world


def test_each_step_is_in_the_ledger_without_content(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = at.begin()
        at.go()
        assert {(act.subject, act.permit) for act in at.acts} == {(ADA.subject, PERMIT)}
        details = [act.detail.removesuffix(f":{run}") for act in at.acts]
        of_rounds = ["begun", "opened:0:0", "opened:1:0", "opened:2:0", "opened:3:0", "finished"]
        receipt = at.studies.receipt(ADA, run)
        assert receipt.release is not None
        study, result = receipt.document.removeprefix("sha256:")[:32], receipt.release.result_sha256[:32]
        assert details == [*of_rounds, f"study:{study}", f"result:{result}", "rules:0:0:1:17", "told"]
        assert [act.count for act in at.acts] == [3, 7, 6, 5, 3, 4, 1, 1, 1, 1]


def test_a_receipt_says_what_was_computed_with_whom_and_what_was_told(tmp_path: Path) -> None:
    with world(tmp_path) as at:
        run = at.begin()
        with pytest.raises(Conflict, match="when it is over"):
            at.studies.receipt(ADA, run)
        at.until(run, "first")
        at.withdraw("node.b", run)
        at.go()
        receipt, shown = at.studies.receipt(ADA, run), at.show(run)
        again = [(each.epoch, each.round, each.step) for each in receipt.rounds]
        assert again[:2] == [(0, 0, "people"), (0, 1, "alleles")]
        assert again[2:] == [(1, 0, "people"), (1, 1, "alleles"), (1, 2, "first"), (1, 3, "second")]
        bits = {each.name: (each.bits, each.largest_error) for each in receipt.rounds[4].sums}
        assert bits == {"x": (30, 3 * 2.0**-31), "n": (0, 0.0)}
        assert receipt.rounds[3].opened == ("start",)
        assert {each.up_bytes for each in receipt.sites} == {each.up_bytes for each in shown.sites}
        assert (receipt.document, receipt.people, receipt.epochs) == (shown.document, shown.people, 2)
        told = msgspec.json.encode(at.studies.result(ADA, run))
        assert receipt.release is not None
        assert (receipt.release.result_sha256, receipt.release.by) == (hashlib.sha256(told).hexdigest(), "rules")
        with pytest.raises(NotFound):
            at.studies.receipt(BOB, run)
        keys = SigningKeys.open(tmp_path / "hub-keys")
        token = sign_receipt(keys, receipt)
        assert read_receipt(token.encode(), keys.key_set()) == receipt
        with pytest.raises(Corrupt):
            read_receipt(token.encode(), SigningKeys.open(tmp_path / "others").key_set())
