# SPDX-License-Identifier: Apache-2.0
"""A ledger's verifier as an auditor writes it from the text of `ledger_chain`: standard library and ECDSA, no JOSE.

Reads an export whole and says whether it is fine, nothing more.
"""

import base64
import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

FIELDS = ["seq", "time", "kind", "actor", "dataset", "permit", "detail", "count"]
NO_HASH = "0" * 64


def sha256_of(previous: str, entry: Mapping[str, Any]) -> str:
    lines = ["megagenome-ledger-1", previous, *(str(entry[field]) for field in FIELDS)]
    return hashlib.sha256(b"".join(line.encode() + b"\n" for line in lines)).hexdigest()


def is_fine(lines: Sequence[bytes], jwks: Mapping[str, Any], kept: Sequence[str] = ()) -> bool:
    opening, *rest = (json.loads(line) for line in lines)
    if opening.keys() != {"ledger", "issuer"} or opening["ledger"] != "megagenome-ledger-1":
        return False
    entries: list[dict[str, Any]] = []
    signed: list[dict[str, Any] | None] = []
    for value in rest:
        if value.keys() == {"head"}:
            head = claims_of(value["head"], jwks)
            signed.append(head)
            if head is None or head["iss"] != opening["issuer"] or head["seq"] != len(entries):
                return False
        else:
            entries.append(value)
    heads = [*filter(None, signed), *filter(None, (claims_of(token, jwks) for token in kept))]
    covered = {head["seq"] for head in filter(None, signed)}
    return (
        is_chained(entries)
        and all(head["seq"] <= len(entries) and agrees(head, entries[: head["seq"]]) for head in heads)
        and len(entries) in covered
        and all(
            number in covered
            for number, (one, following) in enumerate(itertools.pairwise(entries), 1)
            if one["time"][:10] != following["time"][:10]
        )
    )


def is_chained(entries: Sequence[Mapping[str, Any]]) -> bool:
    previous = NO_HASH
    for number, entry in enumerate(entries, 1):
        if entry.keys() != {*FIELDS, "hash"} or entry["seq"] != number or entry["hash"] != sha256_of(previous, entry):
            return False
        if any("\n" in str(entry[field]) for field in FIELDS):
            return False
        previous = entry["hash"]
    return True


def agrees(head: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> bool:
    if not entries:
        return bool(head["hash"] == NO_HASH)
    day = entries[-1]["time"][:10]
    counted = len([entry for entry in entries if entry["time"][:10] == day])
    return bool((head["hash"], head["day"], head["count"]) == (entries[-1]["hash"], day, counted))


def claims_of(token: str, jwks: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a head signs; None when none of the keys signed it."""
    header, payload, signature = token.split(".")
    named = json.loads(unb64(header))
    keys = [key for key in jwks["keys"] if key["kid"] == named.get("kid")]
    if len(keys) != 1 or (named.get("alg"), named.get("typ")) != ("ES256", "megagenome-ledger-head+jwt"):
        return None
    x, y = (int.from_bytes(unb64(keys[0][axis])) for axis in "xy")
    raw = unb64(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    try:
        public.verify(der, f"{header}.{payload}".encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return None
    claims: dict[str, Any] = json.loads(unb64(payload))
    return claims


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
