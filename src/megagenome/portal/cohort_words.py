# SPDX-License-Identifier: Apache-2.0
"""A cohort's definition in words, from its canonical JSON, as an application and a permit carry it."""

from typing import Any

import msgspec

from megagenome.portal.countries import country_name

_MOST_PARTS = 60


def definition_words(definition: str) -> str:
    """`women or girls; with HP:0001250`: what a definition means. The text itself where this page cannot read it.

    It reads any JSON: whoever wrote the definition, it becomes plain text.
    """
    try:
        cohort = msgspec.json.decode(definition)
        words = _words(cohort)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError, AttributeError, ValueError):
        return definition[:2000]
    return words[:1].upper() + words[1:2000]


def _words(cohort: Any) -> str:
    match cohort["type"]:
        case "everyone":
            return "everybody"
        case "term":
            below = "" if cohort.get("descendants", True) else " (no more special term)"
            return f"with {cohort['id']}{below}"
        case "custom":
            return f"{cohort['name']} = {cohort['value']}"
        case "sex":
            return f"recorded as {cohort['sex']}"
        case "age":
            return _age(cohort.get("at_least"), cohort.get("at_most"))
        case "country":
            return f"recorded in {country_name(cohort['country'])}"
        case "population":
            return f"of the population {cohort['population']}"
        case "dataset":
            return f"in the dataset {cohort['id']}"
        case "carries":
            return f"carrying {_allele(cohort['allele'])}"
        case "not":
            return f"looked for and excluded: {_bracketed(cohort['part'])}"
        case "all" | "any" as kind:
            joint = "; " if kind == "all" else " or "
            return joint.join(map(_bracketed, cohort["parts"][:_MOST_PARTS]))
        case _:
            raise ValueError("a definition that is newer than this page")


def _bracketed(part: Any) -> str:
    return f"({_words(part)})" if part["type"] in ("all", "any") else _words(part)


def _age(at_least: int | None, at_most: int | None) -> str:
    if at_least is not None and at_most is not None:
        return f"aged {at_least} to {at_most}" if at_least != at_most else f"aged {at_least}"
    return f"aged {at_least} or more" if at_least is not None else f"aged up to {at_most}"


def _allele(allele: Any) -> str:
    if isinstance(allele, dict):
        allele = [allele[name] for name in ("assembly", "contig", "start", "ref", "alt")]
    assembly, contig, start, ref, alt = allele
    return f"{contig}-{int(start) + 1}-{ref}-{alt} ({assembly})"
