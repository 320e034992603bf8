# SPDX-License-Identifier: Apache-2.0
"""A hub's JSON API that answers from a table, so that pages can be tested with answers that real nodes seldom give."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from litestar import Litestar, Request, Response, get
from litestar.params import FromPath, FromQuery

from megagenome.portal.countries import PLACES, country_name
from megagenome.portal.dataset_routes import dataset_router
from megagenome.portal.routes import portal_router
from megagenome.portal.site import show_error
from megagenome.standards.federation import (
    CohortAnswer,
    DatasetAnswer,
    DatasetState,
    Frequency,
    NodeAnswer,
    NodeList,
    NodeState,
    NodeStatus,
    RegionAnswer,
    Resolved,
    Term,
    TermList,
    VariantAnswer,
    VariantRow,
)
from megagenome.standards.problem import MEDIA_TYPE, problem
from tests.portal import harvested

EVIL = "<script>window.hacked=1</script>\"'><img src=x onerror=window.hacked=1><svg/onload=window.hacked=1>{{7*7}}"
ALLELE = Resolved("allele", "22-16050075-A-G", "GRCh37", "22", 16050074, 16050075, "A", "G")
REGION = Resolved("gene", "BRCA2", "GRCh38", "13", 32315473, 32400266, gene="BRCA2", label="ENSG00000139618")


def frequency(population: str, ac: int, an: int, hom: int | None = None) -> Frequency:
    """A frequency with its Wilson interval, written out from the textbook."""
    z, p = 1.959963984540054, ac / an
    middle = (p + z * z / (2 * an)) / (1 + z * z / an)
    half = z / (1 + z * z / an) * math.sqrt(p * (1 - p) / an + z * z / (4 * an * an))
    genotypes = (None, None, None) if hom is None else (hom, ac - 2 * hom, 0)
    return Frequency(population, ac, an, p, max(0.0, middle - half), min(1.0, middle + half), *genotypes)


def node(code: str, status: NodeStatus = NodeStatus.ANSWERED, **more: Any) -> NodeAnswer:
    """A node of a country."""
    values = {
        "name": f"Genome node {country_name(code)}",
        "country": code,
        "url": f"https://{code.lower()}.example",
        "floor": 10,
        "elapsed_ms": 38.4,
    }
    return NodeAnswer(id=f"org.example.{code.lower()}", status=status, **{**values, **more})


def by_country(cells: Mapping[str, tuple[int, int]]) -> tuple[Frequency, ...]:
    """Total, sexes, countries and countries by sex, from (AC, AN) of each country."""
    ac, an = sum(c[0] for c in cells.values()), sum(c[1] for c in cells.values())
    rows = [
        frequency("Total", ac, an, ac // 20),
        frequency("M", ac // 2, an // 2),
        frequency("F", ac - ac // 2, an - an // 2),
    ]
    for code, (part, of) in cells.items():
        rows.append(frequency(code, part, of, part // 20 if part > 400 else None))
        if part > 200:
            rows += [frequency(f"{code}_M", part // 2, of // 2), frequency(f"{code}_F", part - part // 2, of - of // 2)]
    return tuple(rows)


def ordinary() -> VariantAnswer:
    """Four nodes told, one withheld, one late, one faulty with a long message."""
    cells = {"FI": (412, 18204), "GB": (1204, 91022), "ES": (96, 22148), "IT": (61, 30010)}
    told = [
        node(
            code,
            frequencies=(frequency("Total", *cell),),
            elapsed_ms=20.0 + 31 * i,
            datasets=(DatasetAnswer("a", True), DatasetAnswer("b", False)),
        )
        for i, (code, cell) in enumerate(cells.items())
    ]
    rest = [
        node("EE", NodeStatus.WITHHELD),
        node("MT", floor=0, datasets=(DatasetAnswer("open", False),)),
        node("SE", NodeStatus.LATE, floor=None, elapsed_ms=5001.2, message="no whole answer within 5 s"),
        node("DE", NodeStatus.FAULTY, floor=None, message="Traceback: " + "expected `array`, got `object` " * 200),
    ]
    holders = (frequency("FI:FIN", 205, 9100), frequency("GB:GBR", 618, 45022))
    return VariantAnswer(ALLELE, True, by_country(cells) + holders, (*told, *rest))


def untold() -> VariantAnswer:
    """What the hub answers alike for an allele that is absent and for one that is rare."""
    return VariantAnswer(ALLELE, False, (), tuple(node(c, NodeStatus.WITHHELD) for c in ("FI", "GB", "ES", "IT")))


def everywhere() -> VariantAnswer:
    """A node in each country of the map, frequencies over five decades, two countries that are not on the map."""
    codes = [*sorted(PLACES), "US", "ZZ"]
    cells = {code: (11 + round(1.36**i), 20_000 + 120_000 * (i % 7)) for i, code in enumerate(codes)}
    return VariantAnswer(
        ALLELE, True, by_country(cells), tuple(node(c, frequencies=(frequency("Total", *cells[c]),)) for c in codes)
    )


def evil() -> VariantAnswer:
    """Hostile text in every field that has text."""
    hostile = tuple(
        NodeAnswer(
            f"{i}{EVIL}",
            EVIL,
            EVIL,
            "javascript:window.hacked=1",
            status,
            3,
            EVIL,
            (frequency(EVIL, 20, 200),),
            3,
            10,
            (DatasetAnswer(EVIL, True),),
        )
        for i, status in enumerate(NodeStatus)
    )
    resolved = Resolved("allele", EVIL, EVIL, EVIL, 1, 2, EVIL, EVIL, EVIL, EVIL)
    cells = (
        frequency("Total", 20, 200),
        frequency(f"FI:{EVIL}", 20, 200),
        frequency(EVIL, 20, 200),
        frequency("=1+1", 20, 200),
    )
    return VariantAnswer(resolved, True, cells, hostile)


def many_rows(skip: int, total: int = 1204, limit: int = 1000, complete: bool = True) -> RegionAnswer:
    """A gene with many variants, in pages."""
    rows = []
    for i in range(skip, min(total, skip + limit)):
        start = REGION.start + (i * 7919) % (REGION.end - REGION.start)
        ref, alt = ("A", "G") if i % 50 else ("ACGT" * 30, "A")
        rows.append((start, ref, alt, 10 + (i * i) % 4000))
    rows.sort()
    variants = tuple(
        VariantRow(
            f"13-{s + 1}-{r}-{a}", s, s + len(r), r, a, 1 + s % 4, (frequency("Total", ac, 160_000),) if s % 9 else ()
        )
        for s, r, a, ac in rows
    )
    nodes = tuple(node(c, count=600 + 10 * i) for i, c in enumerate(("FI", "GB", "ES", "IT")))
    return RegionAnswer(REGION, total, complete, skip, limit, variants, nodes)


def counts() -> CohortAnswer:
    """People by node: three told, one open with none, one withheld, one refused."""
    nodes = (
        node("FI", count=1204),
        node("GB", count=412),
        node("IT", count=23),
        node("MT", count=0, floor=0),
        node("EE", NodeStatus.WITHHELD),
        node("SE", NodeStatus.REFUSED, message="filter HP:0001250 is not known at this node"),
    )
    return CohortAnswer("age<=60 age>=40 phenotype=HP:0001250 sex=female", True, 1639, nodes)


def states(codes: tuple[str, ...] = ("FI", "GB", "ES", "IT", "EE", "SE")) -> NodeList:
    """Nodes as the hub last saw them."""
    statuses = [NodeStatus.ANSWERED] * 4 + [NodeStatus.LATE, NodeStatus.UNREACHABLE]
    return NodeList(tuple(state(code, statuses[i % 6], 12.0 + 40 * i) for i, code in enumerate(codes)))


def state(code: str, status: NodeStatus, elapsed_ms: float) -> NodeState:
    """A node with two datasets, the first one open in the United Kingdom."""
    cohort = DatasetState(
        f"GDI-{code}-COHORT-001", f"{country_name(code)} biobank", "30× whole genomes of volunteers", code == "GB"
    )
    return NodeState(
        f"org.example.{code.lower()}",
        f"Genome node {country_name(code)}",
        code,
        f"https://{code.lower()}.example",
        status,
        elapsed_ms,
        "" if status is NodeStatus.ANSWERED else "no connection: connection refused",
        "0.1.0",
        (cohort, DatasetState(f"GDI-{code}-RARE-001", "Rare diseases")),
    )


TERMS = (
    Term("HP:0001250", "Seizure", "phenotype"),
    Term("HP:0007359", "Focal-onset seizure", "phenotype"),
    Term("HP:0002197", "Generalized-onset seizure", "phenotype"),
    Term("ICD10:E11", "Type 2 diabetes mellitus", "disease"),
)

VARIANTS: dict[str, Callable[[], VariantAnswer]] = {
    ALLELE.text: ordinary,
    "1-1-A-T": untold,
    "everywhere": everywhere,
    "evil": evil,
    "nobody": lambda: VariantAnswer(ALLELE, False, (), ()),
    "open": lambda: VariantAnswer(ALLELE, False, (), (node("FI", floor=0, datasets=(DatasetAnswer("a", False),)),)),
    "exists": lambda: VariantAnswer(ALLELE, True, (), (node("FI", datasets=(DatasetAnswer("a", True),)),)),
    "one": lambda: VariantAnswer(ALLELE, True, by_country({"FI": (30, 400)}), (node("FI"),)),
}
REGIONS: dict[str, Callable[[int], RegionAnswer]] = {
    "BRCA2": many_rows,
    "part": lambda skip: many_rows(skip, 300, 25, False),
    "empty": lambda skip: RegionAnswer(REGION, 0, True, skip, 100, (), (node("FI", NodeStatus.WITHHELD),)),
    "evil": lambda _: RegionAnswer(
        evil().query,
        1,
        False,
        0,
        100,
        (VariantRow(EVIL, 1, 2, EVIL, EVIL, 1, (frequency("Total", 20, 200),)),),
        evil().nodes,
    ),
}


def invalid(detail: str, status: int = 400) -> Response[Any]:
    """A problem, as the API answers it."""
    return Response(problem(status, detail), status_code=status, media_type=MEDIA_TYPE)


@get("/api/variant")
async def variant(q: FromQuery[str] = "") -> Response[Any]:
    if q == "crash":
        return Response(b"<html>500</html>", status_code=500, media_type="text/html")
    if q == "nonsense":
        return Response(b'{"query": 3}', media_type="application/json")
    return Response(VARIANTS[q]()) if q in VARIANTS else invalid(f"{q!r} is no variant: write it as 22-16050075-A-G")


@get("/api/region")
async def region(q: FromQuery[str] = "", skip: FromQuery[int] = 0) -> Response[Any]:
    return Response(REGIONS[q](skip)) if q in REGIONS else invalid(f"{q!r} is no region")


@get("/api/cohort")
async def cohort(request: Request[Any, Any, Any], q: FromQuery[str] = "") -> Response[Any]:
    request.app.state.questions.append(q)
    if "country=XX" in q:
        return invalid("country XX: no such country")
    if "country=ZZ" in q:
        return Response(CohortAnswer(EVIL, True, 18, evil().nodes))
    if "country=EE" in q:
        return Response(CohortAnswer(q, False, 0, (node("EE", NodeStatus.WITHHELD),)))
    return Response(counts())


@get("/api/terms")
async def terms(q: FromQuery[str] = "") -> TermList:
    if q == "evil":
        return TermList((Term("HP:1", EVIL, "phenotype"), Term(EVIL, "", "phenotype")))
    word = q.casefold()
    return TermList(tuple(term for term in TERMS if word in term.label.casefold() or word == term.id.casefold()))


@get("/resolve")
async def resolve(q: FromQuery[str] = "", assembly: FromQuery[str] = "") -> Response[Any]:
    if q in VARIANTS:
        return Response(ALLELE)
    if q in ("BRCA2", "22:16050000-16060000"):
        return Response(REGION)
    return invalid(f"{q!r} names no variant, region or gene on {assembly or 'GRCh38'}")


@get("/api/datasets")
async def datasets() -> Response[Any]:
    """Twenty hostile ones."""
    return Response(harvested.listed(EVIL))


@get("/api/datasets/{dataset:str}")
async def dataset(dataset: FromPath[str]) -> Response[Any]:
    """A hostile one; `gone` is."""
    if dataset not in ("d1", "gone"):
        return invalid("no dataset with this id was ever harvested here", 404)
    is_gone = dataset == "gone"
    shown = harvested.view(EVIL, gone=harvested.SINCE if is_gone else "", problem=EVIL)
    return Response(shown, status_code=410 if is_gone else 200)


def fake_hub(nodes: NodeList | None = None, **portal: Any) -> Litestar:
    """A hub with the portal. `app.state.questions` collects the cohort questions that reached the API."""

    @get("/api/nodes")
    async def list_nodes() -> Response[Any]:
        return Response(nodes) if nodes else invalid("no", 503)

    app = Litestar(
        [
            list_nodes,
            variant,
            region,
            cohort,
            terms,
            resolve,
            datasets,
            dataset,
            dataset_router(),
            portal_router(**portal),
        ],
        exception_handlers={404: show_error},
        openapi_config=None,
    )
    app.state.questions = []
    return app
