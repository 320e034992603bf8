# SPDX-License-Identifier: Apache-2.0
"""What the receipt of a run says (`standards.study_receipt`), from what the hub wrote down of it."""

import hashlib

import msgspec

from megagenome import __version__
from megagenome.kernel.ledger import Act
from megagenome.network.studies.model import Ask
from megagenome.network.studies.release import ReleaseRules
from megagenome.network.studies.store import StoredRun, StudyStore
from megagenome.standards import study as study_document
from megagenome.standards.study_exchange import Terms
from megagenome.standards.study_receipt import Receipt, Release, RoundFacts, RulesFacts, SiteFacts, SummedFacts
from megagenome.standards.study_shown import ResultShown

BY_RULES = "rules"
"""Who let a result out that nobody had to look at."""


def receipt_of(store: StudyStore, run: StoredRun, hub: str) -> Receipt:
    """A run's, as it is now."""
    keys = {site.node: site.key for site in study_document.decode(run.document).sites}
    return Receipt(
        hub,
        run.id,
        run.digest,
        run.permit,
        f"megagenome {__version__}",
        str(run.state),
        run.reason,
        run.people,
        run.epoch + 1,
        run.created,
        run.ended,
        tuple(
            SiteFacts(
                each.node, keys[each.node], each.taking_part, each.up_bytes, each.down_bytes, self_test_of(each.terms)
            )
            for each in store.sites(run.id)
        ),
        tuple(store.rounds(run.id)),
        store.release(run.id),
    )


def round_facts(ask: Ask, epoch: int, number: int, sites: tuple[str, ...]) -> RoundFacts:
    """Of a round that is opened."""
    sums = tuple(
        SummedFacts(each.name, each.shape, each.bits, len(sites) * 2.0 ** -(each.bits + 1) if each.bits else 0.0)
        for each in ask.sums
    )
    return RoundFacts(epoch, number, ask.step, sites, sums, ask.opened)


def rules_facts(rules: ReleaseRules) -> RulesFacts:
    """As a receipt has them."""
    return RulesFacts(rules.least, rules.least_people, rules.most_parameters, rules.digits)


def result_sha256(result: ResultShown) -> str:
    """Of the bytes in which a result is shown."""
    return hashlib.sha256(msgspec.json.encode(result)).hexdigest()


def release_acts(run: StoredRun, release: Release, by: Act) -> list[Act]:
    """The entries of a release in the ledger, under who let it out: which run, of which document, what result, and by
    which rules. Of digests the first 128 bits: an entry has a short word."""
    rules = release.rules
    stated = (
        f"study:{run.digest.removeprefix('sha256:')[:32]}",
        f"result:{release.result_sha256[:32]}",
        f"rules:{rules.least}:{rules.least_people}:{rules.most_parameters:g}:{rules.digits}",
        f"{'told' if release.by == BY_RULES else 'released'}:{run.id}",
    )
    return [msgspec.structs.replace(by, permit=run.permit, detail=each) for each in stated]


def self_test_of(terms: str) -> float | None:
    """How far a node was off on planted people, from its stored terms; None where it did not test itself."""
    return msgspec.json.decode(terms, type=Terms).self_test if terms else None
