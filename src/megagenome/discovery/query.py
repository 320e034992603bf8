# SPDX-License-Identifier: Apache-2.0
"""What a Beacon request asks. Everything that is not supported is `Invalid` and says what to use instead.

Nothing here depends on anybody's data, only on which datasets, assemblies and terms the node publishes: a question
about a term or allele that nobody has is as good as any other.
"""

import re
from collections.abc import Callable, Mapping
from typing import NoReturn

import msgspec

from megagenome.collection.cohort import (
    EVERYONE,
    All,
    Carries,
    Cohort,
    FromCountry,
    FromPopulation,
    HasAge,
    HasCustom,
    HasSex,
    HasTerm,
    Not,
    canonical,
)
from megagenome.collection.model import Sex
from megagenome.discovery.model import KnownTerms, PeopleQuestion, VariantQuestion
from megagenome.kernel.coordinates import Allele, Region
from megagenome.kernel.errors import Invalid
from megagenome.kernel.ids import DatasetId, parse_country
from megagenome.reference import Assembly, assembly, genes
from megagenome.reference.assemblies import ASSEMBLIES
from megagenome.reference.ontology import OntologyFor
from megagenome.standards.beacon import BeaconRequest, Filter, VariantParameters, read_internal_id

DEFAULT_LIMIT = 10
"""Alleles on a page when the request does not say; the default of the specification."""

_BASES = re.compile(r"[ACGT]+")
_SYMBOLIC = re.compile(r"<[^<>\s]+>|\*|[ACGTN]*[\[\]][^\[\]\s]+[\[\]][ACGTN]*")
_LONGEST_ALLELE = 10_000
_UNSUPPORTED = {
    "variant_type": "variantType is not supported: give referenceBases and alternateBases, or ask for the region",
    "variant_min_length": "variantMinLength is not supported: ask for the region and choose among its variants",
    "variant_max_length": "variantMaxLength is not supported: ask for the region and choose among its variants",
    "aminoacid_change": "aminoacidChange is not supported: ask for the allele in genome coordinates, or for the geneId",
    "genomic_allele_short_form": "genomicAlleleShortForm (HGVS) is not supported: give referenceName, start, "
    "referenceBases and alternateBases, as /resolve reads them from a text",
    "mate_name": "mateName is not supported: ask for a breakend as its VCF record writes the alternate allele",
}
_SEX_TERMS = {"NCIT:C16576": Sex.FEMALE, "NCIT:C20197": Sex.MALE, "NCIT:C17998": Sex.UNKNOWN}
_SEXES = {"female": Sex.FEMALE, "f": Sex.FEMALE, "male": Sex.MALE, "m": Sex.MALE, "unknown": Sex.UNKNOWN}
_SEXES |= {term.lower(): sex for term, sex in _SEX_TERMS.items()}
_AGE_IDS = ("age", "pato:0000011")
_YEARS = re.compile(r"(?:P)?([0-9]{1,3})(?:Y)?", re.IGNORECASE)
_ONSET = re.compile(r"diseases?\.ageOfOnset.*|ageOfOnset.*", re.IGNORECASE)
_CURIE = re.compile(r"[A-Za-z][A-Za-z0-9._-]*:[A-Za-z0-9][A-Za-z0-9._/-]*")


def variant_question(
    request: BeaconRequest, datasets: Mapping[DatasetId, int], assemblies: frozenset[str], *, page: int, widest: int
) -> VariantQuestion:
    """The question of a request to `/g_variants`. `page` and `widest` are the node's limits."""
    if request.query.filters:
        raise Invalid("filters on g_variants are not supported: ask /individuals, with the variant as its parameters")
    variant = request.query.request_parameters.g_variant
    if variant is None:
        raise Invalid(
            "say which variants: referenceName, start, referenceBases, alternateBases; or start, end; or geneId"
        )
    place = _place(variant, assemblies)
    if isinstance(place, Region) and place.end - place.start > widest:
        raise Invalid(f"the region has {place.end - place.start} bases; ask for at most {widest} at once")
    limit = request.query.pagination.limit
    limit = page if limit == 0 else min(DEFAULT_LIMIT if limit is None else limit, page)
    named = request.query.request_parameters.datasets is not None
    return VariantQuestion(place, _selected(request, datasets), request.query.pagination.skip, limit, named)


def people_question(
    request: BeaconRequest,
    datasets: Mapping[DatasetId, int],
    assemblies: frozenset[str],
    ontology_for: OntologyFor,
    terms: Callable[[], KnownTerms],
) -> PeopleQuestion:
    """The question of a request to `/individuals`. `terms` are read only when needed."""
    asked, named = set(_selected(request, datasets)), request.query.request_parameters.datasets is not None
    parts: list[Cohort] = []
    for each in request.query.filters:
        if each.id.lower() == "dataset":
            _require(each, ("=",))
            asked, named = asked & {_dataset(each.value, datasets)}, True
        else:
            parts.append(_cohort(each, ontology_for, terms))
    variant = request.query.request_parameters.g_variant
    if variant is not None:
        place = _place(variant, assemblies)
        if not isinstance(place, Allele):
            raise Invalid("individuals are counted by one exact allele: add referenceBases and alternateBases")
        parts.append(Carries(place))
    return PeopleQuestion(canonical(All(tuple(parts))) if parts else EVERYONE, tuple(sorted(asked)), named)


def of_allele(request: BeaconRequest, internal_id: str) -> BeaconRequest:
    """The same request about the allele that records call `internal_id`. Raises `NotFound` for what is no such id, and
    `Invalid` where the request names another variant itself."""
    named = read_internal_id(internal_id)
    parameters = request.query.request_parameters
    if parameters.g_variant not in (None, named):
        raise Invalid("the address names the variant: leave it out of the request parameters")
    replace = msgspec.structs.replace
    query = replace(request.query, request_parameters=replace(parameters, g_variant=named))
    return replace(request, query=query)


def refuse_questions(request: BeaconRequest) -> None:
    """For lists that take a page and nothing else."""
    parameters = request.query.request_parameters
    if request.query.filters or parameters.g_variant or parameters.permit:
        raise Invalid("this list takes skip and limit only: ask /g_variants or /individuals")


def _selected(request: BeaconRequest, datasets: Mapping[DatasetId, int]) -> tuple[int, ...]:
    selection = request.query.request_parameters.datasets
    if selection is None:
        return tuple(datasets.values())
    return tuple(sorted({_dataset(each, datasets) for each in selection.dataset_ids}))


def _dataset(text: str, datasets: Mapping[DatasetId, int]) -> int:
    found = datasets.get(DatasetId(text))
    if found is None:
        raise Invalid(f"unknown dataset {text[:100]!r}: /datasets lists those of this Beacon")
    return found


def _place(variant: VariantParameters, assemblies: frozenset[str]) -> Allele | Region:
    for field, message in _UNSUPPORTED.items():
        if getattr(variant, field) not in ("", None):
            raise Invalid(message)
    if variant.gene_id:
        return _gene(variant, assemblies)
    if len(variant.start) == 2 or len(variant.end) == 2:
        raise Invalid("bracket queries (two values in start or end) are not supported: give one start and one end")
    if not variant.reference_name:
        raise Invalid("referenceName is missing: a contig such as 22, chr22 or NC_000022.10")
    if not variant.start:
        raise Invalid("start is missing: the first base, counted from 0")
    on = _assembly(variant, assemblies)
    contig = on.contig(_bare(variant.reference_name))
    start = variant.start[0]
    end = variant.end[0] if variant.end else None
    if not 0 <= start < contig.length or (end is not None and not start < end <= contig.length):
        raise Invalid(f"start {start} and end {end}: {contig.name} has {contig.length} bases, and 0 <= start < end")
    ref, alt = variant.reference_bases.upper(), variant.alternate_bases
    if ref or alt:
        return _allele(Allele(on.name, contig.name, start, ref, alt), end, contig.length)
    if end is None:
        raise Invalid("give end for a region, or referenceBases and alternateBases for one allele")
    return Region(on.name, contig.name, start, end)


def _gene(variant: VariantParameters, assemblies: frozenset[str]) -> Region:
    others = (variant.start, variant.end, variant.reference_bases, variant.alternate_bases, variant.reference_name)
    if any(others):
        raise Invalid(
            "geneId asks for the whole gene: leave out referenceName, start, end and bases, or leave out geneId"
        )
    gene = genes.find(variant.gene_id, _assembly(variant, assemblies).name)
    return Region(gene.assembly, gene.contig, gene.start, gene.end)


def _assembly(variant: VariantParameters, assemblies: frozenset[str]) -> Assembly:
    """The assembly that is named, or that the accession belongs to, or the only one that the node has."""
    if variant.assembly_id:
        return assembly(variant.assembly_id)
    name = _bare(variant.reference_name)
    if "." in name:
        belongs = [each for each in map(assembly, ASSEMBLIES) if each.find_contig(name)]
        if len(belongs) == 1:
            return belongs[0]
    if len(assemblies) == 1:
        return assembly(next(iter(assemblies)))
    raise Invalid(f"assemblyId is missing: {' or '.join(sorted(assemblies) or ASSEMBLIES)}")


def _bare(reference_name: str) -> str:
    return reference_name[7:] if reference_name.lower().startswith("refseq:") else reference_name


def _allele(allele: Allele, end: int | None, length: int) -> Allele:
    ref, alt = allele.ref, allele.alt
    plain = alt.upper()
    if _BASES.fullmatch(plain):
        alt = plain
    elif not _SYMBOLIC.fullmatch(alt):
        plain = ""
    if not _BASES.fullmatch(ref) or not plain or len(ref) + len(alt) > _LONGEST_ALLELE:
        raise Invalid(
            f"referenceBases {ref[:20]!r} and alternateBases {alt[:20]!r}: give both as a VCF record does, of A, C, G "
            f"and T, with the base before an insertion or deletion, {_LONGEST_ALLELE} bases at most, no wildcards"
        )
    if ref == alt:
        raise Invalid("referenceBases and alternateBases are the same")
    if allele.end > length:
        raise Invalid(f"referenceBases end at {allele.end}, beyond the end of {allele.contig} at {length}")
    if end is not None and end != allele.end:
        raise Invalid(
            f"end {end} does not agree with start and referenceBases, which end at {allele.end}: leave it out"
        )
    return allele._replace(alt=alt).parsimonious()


def _cohort(filter_: Filter, ontology_for: OntologyFor, terms: Callable[[], KnownTerms]) -> Cohort:
    if filter_.scope.lower() not in ("", "individual", "individuals"):
        raise Invalid(f"filter {filter_.id[:50]!r}: scope {filter_.scope[:50]!r} is not supported: use individual")
    if filter_.similarity != "exact":
        raise Invalid(f"filter {filter_.id[:50]!r}: similarity is not supported: leave it out, or say exact")
    name = filter_.id.lower()
    if name in _AGE_IDS:
        return _age(filter_)
    if name == "sex":
        return _negated(filter_, HasSex(_sex(filter_.value)))
    if name == "country":
        return _negated(filter_, FromCountry(parse_country(filter_.value.upper())))
    if name == "population":
        return _negated(filter_, FromPopulation(filter_.value))
    if _ONSET.fullmatch(name):
        raise Invalid(
            "age of onset is not recorded here: use the filter age, in years at the collection of the dataset"
        )
    if filter_.id in _SEX_TERMS:
        return _term_negated(filter_, HasSex(_SEX_TERMS[filter_.id]))
    return _term(filter_, ontology_for, terms)


def _term(filter_: Filter, ontology_for: OntologyFor, terms: Callable[[], KnownTerms]) -> Cohort:
    ontology = ontology_for(filter_.id) if _CURIE.fullmatch(filter_.id) else None
    if ontology is not None:
        # that a term of a loaded ontology is known says nothing of people: it need not be listed
        return _term_negated(filter_, HasTerm(ontology.canonical(filter_.id), filter_.include_descendant_terms))
    listed, prefixes = terms()
    known = listed.get(filter_.id)
    if _CURIE.fullmatch(filter_.id) and filter_.id.partition(":")[0] in prefixes:
        return _term_negated(filter_, HasTerm(filter_.id, filter_.include_descendant_terms))
    name, sign, value = filter_.id, "", filter_.value
    if known is None:  # a custom filter may be one text: `smoker=yes`, `smoker:yes`
        name, sign, value = _parted(filter_.id)
        known = listed.get(name)
        if known is None or filter_.operator or filter_.value:
            raise Invalid(f"unknown filter {filter_.id[:100]!r}: /filtering_terms lists those of this Beacon")
    return _negated(Filter(name, sign or filter_.operator, value), HasCustom(name, value))


def _parted(text: str) -> tuple[str, str, str]:
    at = min((text.find(sign) for sign in "=:" if sign in text), default=len(text))
    return text[:at], "=", text[at + 1 :]


def _negated(filter_: Filter, cohort: Cohort) -> Cohort:
    """A filter with a value: `=`, or `!` for those known not to have it."""
    _require(filter_, ("=", "!"))
    return Not(cohort) if filter_.operator == "!" else cohort


def _term_negated(filter_: Filter, cohort: Cohort) -> Cohort:
    """A filter that is a term alone, or its negation."""
    if filter_.value or filter_.operator not in ("", "!"):
        _refuse_operator(filter_, "the term alone, or with the operator ! and no value")
    return Not(cohort) if filter_.operator else cohort


def _require(filter_: Filter, operators: tuple[str, ...]) -> None:
    if filter_.operator not in operators or not filter_.value:
        _refuse_operator(filter_, f"a value with the operator {' or '.join(operators)}")


def _refuse_operator(filter_: Filter, use: str) -> NoReturn:
    given = f"operator {filter_.operator!r} and value {filter_.value[:50]!r}"
    raise Invalid(f"filter {filter_.id[:50]!r} with {given}: use {use}")


def _sex(value: str) -> Sex:
    found = _SEXES.get(value.lower())
    if found is None:
        raise Invalid(f"sex {value[:50]!r}: use female, male or unknown")
    return found


def _age(filter_: Filter) -> Cohort:
    _require(filter_, ("=", "<", ">", "!", ">=", "<="))
    match = _YEARS.fullmatch(filter_.value)
    if match is None:
        raise Invalid(f"age {filter_.value[:50]!r}: ages are whole years, such as 30 or P30Y")
    years = int(match[1])
    match filter_.operator:
        case "<":
            return HasAge(at_most=years - 1)
        case "<=":
            return HasAge(at_most=years)
        case ">":
            return HasAge(at_least=years + 1)
        case ">=":
            return HasAge(at_least=years)
        case _:
            return _negated(filter_, HasAge(years, years))
