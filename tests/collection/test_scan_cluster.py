# SPDX-License-Identifier: Apache-2.0
"""Scans whose parts other processes work on: a real cluster of Dask's on this machine."""

import time
import warnings
from collections.abc import Iterator
from concurrent.futures import Executor

import numpy as np
import pytest

from megagenome.collection import scan
from megagenome.collection.acts import Act, say
from megagenome.collection.collection import Collection
from megagenome.collection.load import load
from megagenome.collection.model import Use
from megagenome.collection.permits import store_permit
from megagenome.collection.scan import PeopleChanged
from megagenome.kernel.coordinates import Region
from megagenome.kernel.ids import IndividualId, PermitId
from megagenome.standards.genotypes import MISSING as NOT_CALLED
from megagenome.standards.genotypes import Block, GenotypeSource
from tests.collection import clocks
from tests.collection.files import as_people, statement
from tests.oracles import genotypes as oracle
from tests.oracles.dense_scan import MISSING, DenseScan, require_equal

PEOPLE, ALLELES = 50, 300


@pytest.fixture(scope="module")
def cluster() -> Iterator[Executor]:
    """Two processes."""
    distributed = pytest.importorskip("distributed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Dask's own
        with (
            distributed.LocalCluster(
                n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1", scheduler_port=0
            ) as machines,
            distributed.Client(machines) as client,
        ):
            yield client.get_executor()


def test_a_cluster_gives_the_same_and_ends_as_early(
    cluster: Executor, collection: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "_LEAST_ALLELES", 40)  # so that there are several parts
    random = np.random.default_rng(3)
    calls = random.choice([0, 1, NOT_CALLED], (ALLELES, PEOPLE, 2), p=[0.6, 0.38, 0.02]).astype(np.int8)
    people = [oracle.Someone(f"S{k}", "female", "EE", "", True) for k in range(PEOPLE)]
    block = Block("22", np.arange(ALLELES) * 9_000, ["A"] * ALLELES, [("C",)] * ALLELES, calls)
    source = GenotypeSource("test", tuple(one.sample for one in people), {}, [block])
    collection.journal = clocks.NoJournal()
    load(collection, statement("CLOSED", open=None), as_people(people), [source], "GRCh38")
    with collection.engine.begin() as connection:
        store_permit(connection, clocks.permit())
    reading = collection.open(clocks.ALICE, Use.RESEARCH, permit=PermitId("permit-1"))
    found = reading.scan(reading.alleles([Region("GRCh38", "22", 0, 50_000_000)]), executor=cluster)
    require_equal(found, DenseScan(np.where((calls < 0).any(axis=2), MISSING, calls.sum(axis=2)).astype(np.int8)))
    say(collection, IndividualId("P-S3"), Act.WITHDRAW, by="desk", longest_delay_days=30)
    time.sleep(0.3)  # longer than a check holds
    with pytest.raises(PeopleChanged):
        found.count()
