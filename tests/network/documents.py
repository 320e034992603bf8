# SPDX-License-Identifier: Apache-2.0
"""Beacon documents as nodes send them, in plain JSON objects, written without the package's own types."""

from typing import Any

Cell = tuple[int, int] | tuple[int, int, int, int, int]
"""Allele count and number, and homozygous, heterozygous and hemizygous people where told."""


def frequencies(cells: dict[str, Cell]) -> list[dict[str, Any]]:
    found = []
    for label, (count, number, *people) in cells.items():
        cell = {
            "population": label,
            "alleleFrequency": count / number if number else 0.0,
            "alleleCount": count,
            "alleleNumber": number,
        }
        for kind, value in zip(("Homozygous", "Heterozygous", "Hemizygous"), people, strict=False):
            cell[f"alleleCount{kind}"] = value
        found.append(cell)
    return found


def divided(cells: dict[str, Cell]) -> dict[str, Any]:
    return {
        "source": "The Genome of Europe",
        "sourceReference": "https://genomeofeurope.eu/",
        "frequencies": frequencies(cells),
    }


def record(start: int, ref: str, alt: str, cells: dict[str, Cell], contig: str = "22") -> dict[str, Any]:
    location = {
        "type": "SequenceLocation",
        "sequence_id": f"HGVSid:{contig}",
        "interval": {
            "type": "SequenceInterval",
            "start": {"type": "Number", "value": start},
            "end": {"type": "Number", "value": start + len(ref)},
        },
    }
    return {
        "variantInternalId": f"GRCh37-{contig}-{start + 1}-{ref}-{alt}",
        "variation": {"variantType": "SNP", "referenceBases": ref, "alternateBases": alt, "location": location},
        "frequencyInPopulations": [divided(cells)],
    }


def result_set(id_: str, records: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "setType": "dataset",
        "exists": bool(records),
        "resultsCount": len(records),
        "results": records,
        **more,
    }


def answer(
    beacon_id: str, sets: list[dict[str, Any]], combined: dict[str, Cell] | None = None, **summary: Any
) -> dict[str, Any]:
    """A `record` answer. Unless `summary` says otherwise it is exact and counts the distinct alleles of its sets."""
    places = {
        (r["variation"]["location"]["interval"]["start"]["value"], r["variation"]["alternateBases"])
        for each in sets
        for r in each["results"]
    }
    exists = any(each["exists"] for each in sets)
    return {
        "meta": {"beaconId": beacon_id, "apiVersion": "v2.2.0", "returnedGranularity": "record"},
        "responseSummary": {"exists": exists, "numTotalResults": len(places), "countPrecision": "exact", **summary},
        "response": {"resultSets": sets} | ({"info": {"combined": divided(combined)}} if combined else {}),
    }


def withheld(beacon_id: str, floor: int = 10) -> dict[str, Any]:
    summary = {"exists": False, "numTotalResults": 0, "countPrecision": "imprecise", "countAdjustedTo": [floor - 1]}
    return answer(beacon_id, [], **summary)


def people(beacon_id: str, count: int, sets: dict[str, int] | None = None) -> dict[str, Any]:
    given = [
        {"id": id_, "setType": "dataset", "exists": number > 0, "resultsCount": number, "results": []}
        for id_, number in (sets or {}).items()
    ]
    return answer(beacon_id, given, exists=count > 0, numTotalResults=count)


def info(beacon_id: str, **more: Any) -> dict[str, Any]:
    return {
        "meta": {"beaconId": beacon_id, "apiVersion": "v2.2.0", "returnedSchemas": []},
        "response": {
            "id": beacon_id,
            "name": f"Node {beacon_id}",
            "apiVersion": "v2.2.0",
            "environment": "dev",
            "version": "0.1.0",
            "organization": {"id": "org", "name": "Institute"},
            **more,
        },
    }


def error(code: int, message: str) -> dict[str, Any]:
    return {"meta": {"beaconId": "FI", "apiVersion": "v2.2.0"}, "error": {"errorCode": code, "errorMessage": message}}
