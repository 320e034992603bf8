# SPDX-License-Identifier: Apache-2.0
"""A study document from a filled-in form (`study_fields`).

A group of people is written as a question about a cohort, such as `phenotype=HP:0001250`, and becomes the cohort that
the hub defines by it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, TypeVar

from megagenome.kernel.errors import Invalid
from megagenome.portal.study_fields import METHODS, RULES, Field
from megagenome.standards import study as study_document
from megagenome.standards.permit import PermitDataset, PermitDocument
from megagenome.standards.pgs_catalog import ScoringFile
from megagenome.standards.study import (
    Age,
    Arm,
    Assembly,
    Category,
    Components,
    Frequencies,
    Group,
    Linear,
    Logistic,
    Measured,
    Method,
    Score,
    Sex,
    Site,
    StudyDocument,
    Survival,
    Variable,
    Variants,
)

Texts = Mapping[str, str]
EVERYONE = '{"type":"everyone"}'
"""The canonical text of the cohort of all people of the permit."""
_PLACE = re.compile(r"^(?:\w+\.)*?(\w+)(?:\[\d+\])*(?:\.term)?(?=:? )")
"""Where in a document something is wrong."""
Number = TypeVar("Number", int, float)
_WRITTEN: dict[type, str] = {int: "whole number", float: "number"}


def cohort_questions(method: str, texts: Texts) -> dict[str, str]:
    """The questions about cohorts that a filled-in form has, each with the field in which it stands; each must be
    defined before `study_of`."""
    asked = {texts.get(name, ""): name for name in ("narrower", "cases", "controls")}
    if method == "survival":
        asked |= {question: "groups" for _, question in _arms(texts)}
    return {question: label_of(method, name) for question, name in asked.items() if question}


def label_of(method: str, name: str) -> str:
    """A field for people, by its name or by the name that it has in a document."""
    return next((field.label for field in (*METHODS[method].fields, *RULES) if field.name == name), name)


def study_of(
    method: str,
    texts: Texts,
    permit: PermitDocument,
    datasets: Sequence[PermitDataset],
    keys: Mapping[str, str],
    cohorts: Mapping[str, str],
    scoring: ScoringFile | None = None,
) -> StudyDocument:
    """The document. `keys` are of nodes, `cohorts` canonical texts by question. Raises `Invalid` in words."""
    title = _needed(texts, "title", RULES)
    if not datasets:
        raise Invalid("choose at least one dataset")
    document = StudyDocument(
        1,
        title,
        permit.id,
        _cohort(texts.get("narrower", ""), cohorts),
        _sites(datasets, keys),
        _BUILD[method](texts, cohorts, scoring),
        _number(texts, "least_people", "Fewest people", int),
        _number(texts, "least_sites", "Fewest nodes to go on with", int),
        "go on" if texts.get("when_one_fails") == "go on" else "stop",
        "keep" if texts.get("duplicates") == "keep" else "leave out",
    )
    try:
        # types of the standard have bounds that only decoding looks at
        return study_document.decode(study_document.encode(document))
    except Invalid as error:
        said = str(error).removeprefix("not a study document: ")
        raise Invalid(_PLACE.sub(lambda found: label_of(method, found[1]), said)) from None


def _sites(datasets: Iterable[PermitDataset], keys: Mapping[str, str]) -> tuple[Site, ...]:
    by_node: dict[str, set[str]] = {}
    for each in datasets:
        by_node.setdefault(each.node, set()).add(each.dataset)
    if strange := [node for node in by_node if node not in keys]:
        raise Invalid(f"{strange[0]} does not belong to this network (any more): leave its datasets out")
    return tuple(Site(node, tuple(sorted(found)), keys[node]) for node, found in sorted(by_node.items()))


def _linear(texts: Texts, _cohorts: Mapping[str, str], _: ScoringFile | None) -> Method:
    trait = Measured(_needed(texts, "trait", METHODS["linear"].fields))
    missing: Literal["drop", "mean"] = "mean" if texts.get("missing") == "mean" else "drop"
    return Linear(_variants(texts), trait, _covariates(texts), missing)


def _logistic(texts: Texts, cohorts: Mapping[str, str], _: ScoringFile | None) -> Method:
    _needed(texts, "cases", METHODS["logistic"].fields)
    below = _number(texts, "effects_below", "Estimate effects where p is below", float)
    return Logistic(_variants(texts), _group(texts, cohorts), _covariates(texts), below)


def _frequencies(texts: Texts, _cohorts: Mapping[str, str], _: ScoringFile | None) -> Method:
    return Frequencies(_variants(texts))


def _components(texts: Texts, _cohorts: Mapping[str, str], _: ScoringFile | None) -> Method:
    return Components(_variants(texts), _number(texts, "components", "Components", int))


def _score(texts: Texts, cohorts: Mapping[str, str], scoring: ScoringFile | None) -> Method:
    if scoring is None or not scoring.weights:
        why = "; ".join(left_out(scoring)) if scoring else ""
        raise Invalid(f"choose a scoring file that has weights{f' ({why})' if why else ''}")
    trait: Measured | Group | None = None
    if texts.get("cases"):
        trait = _group(texts, cohorts)
    elif texts.get("trait"):
        trait = Measured(texts["trait"])
    missing: Literal["mean", "zero"] = "zero" if texts.get("missing") == "zero" else "mean"
    name = scoring.id or "a score without an id"
    return Score(scoring.assembly, name, scoring.weights, missing, trait)


def left_out(scoring: ScoringFile) -> list[str]:
    """What of a scoring file is not in the document, one sentence for each reason."""
    advice = ": the file that the PGS Catalog harmonised to your assembly may have it"
    return [f"{number:,} rows are not used, {why}{advice}" for why, number in scoring.left_out.items() if number]


def _survival(texts: Texts, cohorts: Mapping[str, str], _: ScoringFile | None) -> Method:
    fields = METHODS["survival"].fields
    return Survival(
        Measured(_needed(texts, "time", fields)),
        _needed(texts, "event", fields),
        texts.get("happened") or "1",
        tuple(Arm(label, _cohort(question, cohorts)) for label, question in _arms(texts)),
        _number(texts, "width", "Width of a bin of time", float),
    )


_BUILD: dict[str, Callable[[Texts, Mapping[str, str], ScoringFile | None], Method]] = {
    "linear": _linear,
    "logistic": _logistic,
    "frequencies": _frequencies,
    "components": _components,
    "score": _score,
    "survival": _survival,
}


def _variants(texts: Texts) -> Variants:
    assembly: Assembly = "GRCh37" if texts.get("assembly") == "GRCh37" else "GRCh38"
    least_count = _number(texts, "least_count", "Fewest copies of the rarer allele", int)
    least_frequency = _number(texts, "least_frequency", "Least frequency of the rarer allele", float)
    return Variants(assembly, tuple(_lines(texts, "regions")), least_count, least_frequency)


def _covariates(texts: Texts) -> tuple[Variable, ...]:
    found: list[Variable] = []
    if texts.get("sex"):
        found.append(Sex())
    if texts.get("age"):
        found.append(Age())
    found += [Measured(line) for line in _lines(texts, "measured")]
    for line in _lines(texts, "categories"):
        of, colon, levels = line.partition(":")
        named = tuple(level.strip() for level in levels.split(",") if level.strip())
        if not colon or len(named) < 2 or len(set(named)) < len(named):
            raise Invalid(f"category {line[:60]!r}: write a column, a colon and two or more values, each once")
        found.append(Category(of.strip(), named))
    return tuple(found)


def _group(texts: Texts, cohorts: Mapping[str, str]) -> Group:
    return Group(_cohort(texts["cases"], cohorts), _cohort(texts.get("controls", ""), cohorts))


def _arms(texts: Texts) -> list[tuple[str, str]]:
    found = []
    for line in _lines(texts, "groups"):
        label, sign, question = line.partition("=")
        if not sign or not label.strip() or not question.strip():
            raise Invalid(f"group {line[:60]!r}: write a name, an equals sign and a question about a cohort")
        found.append((label.strip(), question.strip()))
    return found


def _cohort(question: str, cohorts: Mapping[str, str]) -> str:
    return cohorts[question] if question else EVERYONE


def _needed(texts: Texts, name: str, fields: Iterable[Field]) -> str:
    text = texts.get(name, "").strip()
    if not text:
        label = next(field.label for field in fields if field.name == name)
        raise Invalid(f"fill in: {label}")
    return text


def _lines(texts: Texts, name: str) -> list[str]:
    return [line.strip() for line in texts.get(name, "").splitlines() if line.strip()]


def _number(texts: Texts, name: str, label: str, kind: type[Number]) -> Number:
    text = texts.get(name, "").strip()
    try:
        return kind(text)
    except ValueError:
        raise Invalid(f"{label}: {text[:30]!r} is no {_WRITTEN[kind]}") from None
