# SPDX-License-Identifier: Apache-2.0
"""A FAIR Data Point to harvest: `python -m benchmarks.parts.stub_catalogue DATASETS`, until it is killed.

Its descriptions are those of a node of ours, two distributions to each dataset, made before anybody asks; it answers
304 to who has them. Its port goes to standard output.
"""

import asyncio
import hashlib
import re
import sys
from collections.abc import Iterator

from megagenome.catalogue.containers import contain_distributions, describe_catalog, describe_point
from megagenome.catalogue.describe import describe_dataset, describe_distribution
from megagenome.catalogue.model import Listed, Listing, Offer, Place, Profile
from megagenome.catalogue.serialise import Form, serialise
from megagenome.collection.model import Dataset, DatasetState, Tier
from megagenome.kernel.ids import DatasetId
from megagenome.synthetic.governance import made_up_record

SAMPLE = "GDI-EE-COHORT-1000000"
"""The dataset whose descriptions stand for all, each under its own id."""
_SINCE = "2026-01-05T08:00:00+00:00"
_TAG = re.compile(rb"if-none-match: (\S+)", re.IGNORECASE)


def dataset_name(number: int) -> str:
    """The id of a dataset."""
    return f"GDI-EE-COHORT-{1_000_000 + number}"


def descriptions(url: str, datasets: int) -> Iterator[tuple[str, bytes]]:
    """Paths and Turtle of all that is served at `url`."""
    place = Place(url, "stub.ee", "A stub", "An institute", "EE", "1")
    listed = _listed(SAMPLE)
    listing = Listing(1, tuple(listed._replace(dataset=_dataset(dataset_name(n))) for n in range(datasets)))
    described = describe_dataset(listed, place, Profile.GDI)
    contain_distributions(described, listed, place)
    samples = {
        f"/fairdp/dataset/{SAMPLE}": described,
        **{
            f"/fairdp/distribution/{offer.value}.{SAMPLE}": describe_distribution(listed, offer, place, Profile.GDI)
            for offer in Offer
        },
    }
    yield "/fairdp", serialise(describe_point(listing, place, Profile.GDI).triples, Form.TURTLE)
    yield "/fairdp/catalog/stub.ee", serialise(describe_catalog(listing, place, Profile.GDI).triples, Form.TURTLE)
    for path, said in samples.items():
        turtle = serialise(said.triples, Form.TURTLE).decode()
        for number in range(datasets):
            name = dataset_name(number)
            yield path.replace(SAMPLE, name), turtle.replace(SAMPLE, name).encode()


def _listed(name: str) -> Listed:
    return Listed(_dataset(name), made_up_record(name, country="EE"), 40, "1", _SINCE)


def _dataset(name: str) -> Dataset:
    return Dataset(
        id=DatasetId(name),
        title=name,
        description="",
        state=DatasetState.PUBLISHED,
        open=False,
        floor=10,
        alleles_tier=Tier.PUBLIC,
        people_tier=Tier.REGISTERED,
        collection_year=2020,
        individuals=40,
        assemblies=("GRCh38",),
        created=_SINCE,
        updated=_SINCE,
        published=_SINCE,
    )


async def serve(datasets: int) -> None:
    """Serve until killed."""
    answers: dict[bytes, tuple[bytes, bytes]] = {}

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                tag, body = answers[request.split(b" ", 2)[1]]
                asked = _TAG.search(request)
                if asked and asked[1] == tag:
                    writer.write(b"HTTP/1.1 304 Not Modified\r\netag: " + tag + b"\r\n\r\n")
                    continue
                head = b"HTTP/1.1 200 OK\r\ncontent-type: text/turtle\r\netag: %s\r\ncontent-length: %d\r\n\r\n"
                writer.write(head % (tag, len(body)) + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for path, body in descriptions(f"http://127.0.0.1:{port}", datasets):
        answers[path.encode()] = (f'"{hashlib.sha256(body).hexdigest()[:16]}"'.encode(), body)
    print(port, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
