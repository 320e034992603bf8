# SPDX-License-Identifier: Apache-2.0
"""Alleles of records, split and trimmed, and the order in which they are written."""

import numpy as np

from megagenome.collection.collect import Alleles
from megagenome.collection.waiting_sites import WaitingSites
from megagenome.standards.genotypes import Block


def block(*records: tuple[int, str, tuple[str, ...]]) -> Block:
    starts, refs, alts = zip(*records, strict=True)
    return Block("X", np.array(starts, np.int64), list(refs), list(alts), np.zeros((len(records), 0, 2), np.int8))


def add(sites: WaitingSites, *records: tuple[int, str, tuple[str, ...]], kind: int = 0) -> Alleles:
    return sites.add(block(*records), np.full(len(records), kind, np.int8))


def test_each_alternate_is_a_row() -> None:
    sites = WaitingSites()
    plain = add(sites, (4, "A", ("G",)), (5, "C", ("<DEL>",)), kind=1)
    mixed = add(sites, (9, "GTT", ("G", "GT")), (9, "A", ()), (12, "A", ("C",)))
    assert (plain.record.tolist(), plain.allele.tolist()) == ([0, 1], [1, 1])
    assert (mixed.record.tolist(), mixed.allele.tolist()) == ([0, 0, 2], [1, 2, 1])
    found = sites.sites()
    assert found.start.tolist() == [4, 5, 9, 9, 12]
    assert (found.refs, found.alts) == (["A", "C", "GTT", "GT", "A"], ["G", "<DEL>", "G", "G", "C"])
    assert found.ploidy.tolist() == [1, 1, 0, 0, 0]
    assert found.origins == {2: "10 GTT G,GT 1", 3: "10 GTT G,GT 2"}


def test_rows_are_written_sorted_and_once() -> None:
    sites = WaitingSites()
    add(sites, (4, "A", ("T",)), (4, "A", ("G",)), (4, "A", ("<*>",)), (4, "A", ("G",)), (7, "CA", ("TA",)))
    found = sites.sites()
    assert (found.order(np.arange(5))[0].tolist(), found.order(np.arange(5))[1]) == ([1, 0, 4], 1)
    assert (found.order(np.array([3, 4]))[0].tolist(), found.order(np.array([3, 4]))[1]) == ([3, 4], 0)


def test_what_is_kept_is_numbered_anew() -> None:
    sites = WaitingSites()
    add(sites, (4, "A", ("T",)), (6, "GT", ("G", "GTT")), (8, "C", ("T",)))
    sites.keep(np.array([2, 3]))
    assert add(sites, (9, "A", ("C",))).record.tolist() == [0]
    found = sites.sites()
    assert (found.start.tolist(), found.refs, found.alts) == ([6, 8, 9], ["G", "C", "A"], ["GT", "T", "C"])
    assert found.origins == {0: "7 GT G,GTT 2"}
    sites.keep(np.array([], np.int64))
    assert sites.sites().refs == []
