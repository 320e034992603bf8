# SPDX-License-Identifier: Apache-2.0
"""A run as it is shown to who runs it."""

import hashlib
from collections.abc import Sequence

import msgspec

from megagenome.network.studies.store import StoredRun, StoredSite
from megagenome.standards import study as study_document
from megagenome.standards.study import StudyDocument
from megagenome.standards.study_shown import SiteShown, SiteState, StudyShown


def method_of(document: StudyDocument) -> str:
    """The word by which a document names its method."""
    return str(type(document.method).__struct_config__.tag)


def shown(run: StoredRun, sites: Sequence[StoredSite], number: int, step: str) -> StudyShown:
    """A run that is, or was, at this round and step."""
    document = study_document.decode(run.document)
    found = StudyShown(
        run.id,
        "",
        document.title,
        method_of(document),
        run.permit,
        run.digest,
        run.state,
        run.reason,
        run.epoch,
        number,
        step,
        run.rounds,
        run.people,
        run.created,
        run.ended,
        tuple(SiteShown(s.node, SiteState(s.state), s.reason, s.up_bytes, s.down_bytes) for s in sites),
    )
    version = hashlib.sha256(msgspec.json.encode(found)).hexdigest()[:16]
    return msgspec.structs.replace(found, version=version)
