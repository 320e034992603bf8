# SPDX-License-Identifier: Apache-2.0
"""Makes the provenance crate of a run (`standards.study_crate`) from what the hub stored of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from megagenome import __version__
from megagenome.kernel.keys import SigningKeys
from megagenome.network.studies.receipt import self_test_of
from megagenome.network.studies.result_files import csv_of
from megagenome.network.studies.shown import method_of
from megagenome.network.studies.store import StoredRun, StoredSite
from megagenome.standards import study as study_document
from megagenome.standards.study_crate import (
    DOCUMENT,
    METADATA,
    RUN,
    RunRecord,
    SiteRecord,
    file_entity,
    seal,
)
from megagenome.standards.study_receipt import RoundFacts
from megagenome.standards.study_shown import ResultShown

_SOFTWARE = "megagenome"
_PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
_CRATE = "https://w3id.org/ro/crate/1.1"


def run_record(
    run: StoredRun,
    sites: Sequence[StoredSite],
    rounds: Sequence[RoundFacts],
    hub: str,
    hub_url: str,
    versions: Mapping[str, str],
) -> RunRecord:
    """What a run was made of. `versions` are of the nodes' software, by node, as far as they told."""
    document = study_document.decode(run.document)
    parts = {each.node: each for each in sites}
    return RunRecord(
        run.id,
        run.digest,
        document.title,
        method_of(document),
        run.permit,
        hub,
        hub_url,
        _SOFTWARE,
        __version__,
        run.created,
        run.ended,
        run.epoch,
        run.people,
        tuple(
            SiteRecord(
                site.node,
                parts[site.node].taking_part,
                site.datasets,
                site.key,
                versions.get(site.node, ""),
                parts[site.node].up_bytes,
                parts[site.node].down_bytes,
                self_test_of(parts[site.node].terms),
            )
            for site in document.sites
        ),
        tuple(rounds),
    )


def make_crate(record: RunRecord, document: bytes, result: ResultShown, keys: SigningKeys) -> bytes:
    """The zip. Nothing is in it that the result's page does not show to the same reader."""
    files: dict[str, tuple[bytes, str, str]] = {
        DOCUMENT: (document, "application/json", "The study document"),
        RUN: (msgspec.json.encode(record), "application/json", "Sites, rounds, bytes and bounds of the run"),
        "summary.json": (msgspec.json.encode(result.summary), "application/json", "Single numbers of the result"),
        "notes.txt": ("".join(f"{note}\n" for note in result.notes).encode(), "text/plain", "What to know of it"),
    }
    for name, columns in result.tables.items():
        files[f"tables/{name}.csv"] = (csv_of(columns).encode(), "text/csv", f"Table {name} of the result")
    entities = [file_entity(name, content, kind, what) for name, (content, kind, what) in files.items()]
    return seal({name: content for name, (content, _, _) in files.items()}, _metadata(record, entities), keys)


def _metadata(record: RunRecord, entities: list[dict[str, Any]]) -> dict[str, Any]:
    names = [each["@id"] for each in entities]
    sites = [
        {
            "@id": f"#{site.node}",
            "@type": "Organization",
            "name": site.node,
            "description": f"Datasets: {', '.join(site.datasets)}. "
            + ("In the result." if site.in_result else "Not in the result: it was given up during the run."),
        }
        for site in record.sites
    ]
    descriptor = {
        "@id": METADATA,
        "@type": "CreativeWork",
        "conformsTo": {"@id": _CRATE},
        "about": {"@id": "./"},
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": record.title,
        "description": f"A federated study over {len(record.sites)} nodes: only sums over all of them left the nodes.",
        "datePublished": record.ended,
        "license": "Use is bound by the permit that is named in study.json.",
        "conformsTo": {"@id": _PROFILE},
        "hasPart": [{"@id": name} for name in names],
        "mentions": {"@id": "#run"},
    }
    action = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"Run {record.id}: {record.method}",
        "instrument": {"@id": "#software"},
        "object": {"@id": DOCUMENT},
        "result": [{"@id": name} for name in names if name != DOCUMENT],
        "startTime": record.created,
        "endTime": record.ended,
        "agent": {"@id": "#hub"},
        "participant": [{"@id": site["@id"]} for site in sites],
        "actionStatus": {"@id": "http://schema.org/CompletedActionStatus"},
    }
    software = {
        "@id": "#software",
        "@type": "SoftwareApplication",
        "name": record.software,
        "softwareVersion": record.version,
    }
    hub = {
        "@id": "#hub",
        "@type": "Organization",
        "name": record.hub,
        **({"url": record.hub_url} if record.hub_url else {}),
    }
    profile = {"@id": _PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
    graph = [descriptor, root, profile, action, software, hub, *sites, *entities]
    return {"@context": f"{_CRATE}/context", "@graph": graph}
