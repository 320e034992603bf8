# SPDX-License-Identifier: Apache-2.0
"""The pages of studies: each a function of what the API told."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from megagenome.kernel.callers import Caller, Role
from megagenome.network.studies.result_files import has_parquet
from megagenome.portal.pages import render
from megagenome.portal.result_tables import TablePart, summary_cells, table_part
from megagenome.portal.study_fields import METHODS, RULES
from megagenome.portal.study_plots import Figure, figures
from megagenome.standards.application import Line
from megagenome.standards.permit import PermitDataset, PermitDocument
from megagenome.standards.study_shown import (
    OVER,
    ResultShown,
    RunState,
    SiteState,
    StudyList,
    StudyShown,
    WaitingList,
)

STATES = {
    RunState.CHECKING: ("Nodes check it", "open"),
    RunState.RUNNING: ("Running", "act"),
    RunState.WAITING: ("Waits for a check", "act"),
    RunState.FINISHED: ("Finished", "good"),
    RunState.STOPPED: ("Stopped", "bad"),
}
"""In words, and the tone of the badge."""
PARTS = {
    SiteState.ASKED: ("asked", "late"),
    SiteState.WORKING: ("works", "late"),
    SiteState.ANSWERED: ("answered", "answered"),
    SiteState.REFUSED: ("refused", "refused"),
    SiteState.FAILED: ("failed", "faulty"),
    SiteState.LATE: ("too late", "late"),
    SiteState.SILENT: ("not heard", "unreachable"),
}
"""A node's part: in words, and its sign."""
_STEPS = {
    "check": "each node looks whether its rules let it take part",
    "people": "nodes count the people of the study",
    "alleles": "nodes list the alleles that are frequent enough to tell",
    "count": "copies of each allele are counted",
    "means": "means of the variables are found",
    "scales": "spreads of the variables are found",
    "spread": "it is looked whether few people stand out in a variable",
    "leverages": "it is looked whether variables together point somebody out",
    "products": "products of copies, trait and covariates are summed",
    "null": "the model without any allele is fitted",
    "scores": "score tests of all alleles are summed",
    "reach": "it is looked how far single tests can go",
    "slopes": "covariates are taken out of single alleles",
    "cumulants": "p-values of single alleles are made exact",
    "effects": "effects of single alleles are estimated",
    "firth": "effects of single alleles are estimated by Firth's method",
    "trace": "the whole variation is summed",
    "multiply": "components are made more exact",
    "map": "people are counted by cell of the map",
    "match": "alleles of the score are looked up",
    "moments": "the score's mean and spread are summed",
    "bins": "people are counted by score",
    "horizons": "the span of time is found",
    "counts": "people and events are counted by time",
}


class Part(NamedTuple):
    """A table of a result, with the drawings that show it."""

    table: TablePart
    figures: Sequence[Figure]


def method_title(method: str) -> str:
    """A method for people."""
    return METHODS[method].title if method in METHODS else method


def step_words(step: str) -> str:
    """What nodes do in a step."""
    return _STEPS.get(step, f"step “{step}”") if step else "the hub computes"


def studies_page(listed: StudyList, caller: Caller) -> str:
    """One's own studies; a way to results that wait, for who checks them."""
    return render(
        "studies.html",
        studies=listed.studies,
        run_states=STATES,
        method_title=method_title,
        is_steward=Role.DATA_STEWARD in caller.roles,
        sees_all=bool(caller.roles & {Role.AUDITOR, Role.DATA_STEWARD}),
    )


def begin_page(permits: Sequence[Line], document: str = "", problem: str = "") -> str:
    """Where a study begins: from a permit, or with a document."""
    return render("study_begin.html", permits=permits, methods=METHODS, document=document, problem=problem)


def form_page(
    method: str,
    application: str,
    permit: PermitDocument,
    datasets: Sequence[PermitDataset],
    typed: Mapping[str, str] | None = None,
    chosen: frozenset[str] | None = None,
    problem: str = "",
) -> str:
    """The form of a method. `datasets` are those that countries granted; `typed` and `chosen` are what stood in it."""
    fields = METHODS[method].fields
    texts = {field.name: field.start for field in (*fields, *RULES)} if typed is None else dict(typed)
    names = frozenset(name_of(each) for each in datasets) if chosen is None else chosen
    return render(
        "study_form.html",
        method=method,
        form=METHODS[method],
        rules=RULES,
        application=application,
        permit=permit,
        datasets=[(name_of(each), each) for each in datasets],
        texts=texts,
        chosen=names,
        problem=problem,
    )


def name_of(dataset: PermitDataset) -> str:
    """A dataset as a form names it."""
    return f"{dataset.node} {dataset.dataset}"


def review_page(
    document: str, title: str, findings: Sequence[str], problem: str = "", notes: Sequence[str] = ()
) -> str:
    """A document before it runs, with what is against it, and what there is to know."""
    return render(
        "study_review.html", document=document, study_title=title, findings=findings, problem=problem, notes=notes
    )


def study_page(shown: StudyShown, result: ResultShown | None, problem: str = "") -> str:
    """A study: where it is and each node's part; what it found, where that is released."""
    return render(
        "study.html",
        shown=shown,
        run_states=STATES,
        site_parts=PARTS,
        method=method_title(shown.method),
        step=step_words(shown.step),
        is_over=shown.state in OVER,
        answered=sum(site.state is SiteState.ANSWERED for site in shown.sites),
        problem=problem,
        **_result(result, f"/study/{shown.id}/table"),
    )


def waiting_page(waiting: WaitingList) -> str:
    """Results that wait for somebody, for a data steward."""
    return render("study_waiting.html", waiting=waiting.waiting, method_title=method_title)


def check_page(waiting: WaitingList, study: str, result: ResultShown, problem: str = "", typed: str = "") -> str:
    """A result that waits, with the decision. `study` is one of `waiting`."""
    held = next(each for each in waiting.waiting if each.id == study)
    return render(
        "study_check.html",
        held=held,
        method=method_title(held.method),
        problem=problem,
        typed=typed,
        **_result(result, ""),
    )


def _result(result: ResultShown | None, files: str) -> dict[str, object]:
    """What a template needs of a result. `files` is where tables are downloaded; empty: nowhere."""
    if result is None:
        return {"result": None, "parts": [], "summary": [], "files": files, "has_parquet": False}
    drawn = figures(result)
    order = sorted(result.tables, key=lambda name: name not in drawn)
    parts = [Part(table_part(result, name), drawn.get(name, [])) for name in order]
    told = {"result": result, "parts": parts, "summary": summary_cells(result)}
    return {**told, "files": files, "has_parquet": has_parquet()}
