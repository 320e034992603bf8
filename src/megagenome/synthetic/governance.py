# SPDX-License-Identifier: Apache-2.0
"""Made-up records of datasets: for simulated people, and for demonstrations on one machine that nobody governs.

They say so in each text that people read, and their addresses are of `example.org`, which is nobody's (RFC 2606).
"""

import zlib

from megagenome.kernel.ids import UNKNOWN_COUNTRY
from megagenome.standards.dataset_fields import IDENTIFIER
from megagenome.standards.dataset_record import Approval, DatasetRecord, DataUse, Governance, Party, SignOff

_MADE_UP = "made up for a demonstration"
_DAY = "2026-01-05"
_ANY_USE = (DataUse("DUO:0000004"),)
_SOME_USE = (DataUse("DUO:0000006"), DataUse("DUO:0000021"), DataUse("DUO:0000045"))


def made_up_record(
    dataset: str,
    title: str = "",
    description: str = "",
    country: str = UNKNOWN_COUNTRY,
    *,
    synthetic: bool = False,
    is_open: bool = False,
) -> DatasetRecord:
    """A whole record, with which a dataset can be published also where it is not declared open. Its identifier is the
    dataset's id where that is one, else a number made of it."""
    number = zlib.crc32(dataset.encode())
    return DatasetRecord(
        title=title or dataset,
        description=description or f"A dataset of which all that is stated here is {_MADE_UP}.",
        identifier=dataset if IDENTIFIER.fullmatch(dataset) else f"GDI-{country}-DEMO-{number}",
        access_rights="PUBLIC" if is_open else "NON_PUBLIC",
        keywords=("demonstration", "genomes"),
        provenance=f"Loaded into this node; more was not stated, as this record is {_MADE_UP}.",
        synthetic=synthetic,
        publisher=_party("Example biobank", "biobank"),
        contact=_party("Example contact point", "contact"),
        hdab=_party("Example health data access body", "hdab"),
        uses=_ANY_USE if is_open else _SOME_USE,
        governance=Governance(
            controller=_party("Example biobank", "biobank"),
            legal_basis="consent",
            law=f"A consent form that is {_MADE_UP}.",
            ethics=Approval("Example ethics committee", "EC-2026-1", _DAY),
            dpia=Approval("Example data protection officer", "DPIA-2026-1", _DAY),
            sign_off=SignOff("Nobody", f"contact point, {_MADE_UP}", _DAY),
        ),
    )


def _party(name: str, place: str) -> Party:
    return Party(f"{name} ({_MADE_UP})", f"{place}@example.org", f"https://{place}.example.org/")
