# SPDX-License-Identifier: Apache-2.0
"""What is asked of a Beacon: one canonical type, and the dialects that reach it.

Clients in use write `requestParameters` flat, inside `g_variant`, or as a list of such objects, numbers as strings
(`"45823239"`), one start as a number and not a list, and blanks for what they do not ask. All of these mean the same
and arrive here as the same `BeaconRequest`. An unknown field of the envelope is ignored, as JSON APIs do; an unknown
request parameter is refused, because to ignore it would answer another question than the one that was asked.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from megagenome.kernel.errors import Invalid

API_VERSION = "v2.2.0"
Member = TypeVar("Member", bound=StrEnum)


class Granularity(StrEnum):
    """How much an answer says."""

    BOOLEAN = "boolean"
    COUNT = "count"
    RECORD = "record"


class IncludeResultsets(StrEnum):
    """Which datasets have a result set in the answer: all, those with a hit, those without, none."""

    ALL = "ALL"
    HIT = "HIT"
    MISS = "MISS"
    NONE = "NONE"


class RequestedSchema(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A schema that the client wants, or that the Beacon returns, for an entry type."""

    entity_type: str = ""
    schema: str = ""


class Pagination(msgspec.Struct, frozen=True, omit_defaults=True):
    """A page. `limit` 0 asks for all; None leaves it to the endpoint (10 for records, by the specification)."""

    skip: int = 0
    limit: int | None = None


class Filter(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One filter; filters of a request hold together (AND). `operator` is empty where the filter is a term alone."""

    id: str
    operator: str = ""
    value: str = ""
    scope: str = ""
    include_descendant_terms: bool = True
    similarity: str = "exact"

    def __str__(self) -> str:
        return f"{self.id}{self.operator}{self.value}"


class VariantParameters(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The parameters of a question about variants; blank or empty where not asked. Coordinates 0-based half-open."""

    assembly_id: str = ""
    reference_name: str = ""
    start: tuple[int, ...] = ()
    end: tuple[int, ...] = ()
    reference_bases: str = ""
    alternate_bases: str = ""
    variant_type: str = ""
    variant_min_length: int | None = None
    variant_max_length: int | None = None
    gene_id: str = ""
    aminoacid_change: str = ""
    genomic_allele_short_form: str = ""
    mate_name: str = ""


class DatasetSelection(msgspec.Struct, frozen=True, rename="camel"):
    """Only these datasets are asked."""

    dataset_ids: tuple[str, ...]


class PermitSelection(msgspec.Struct, frozen=True, omit_defaults=True):
    """Ours: the answer is asked for by this permit, for this kind of use; empty for research."""

    id: str
    use: str = ""


class RequestParameters(msgspec.Struct, frozen=True, omit_defaults=True):
    """Request parameters in the schema's form, one object per entity."""

    g_variant: VariantParameters | None = None
    datasets: DatasetSelection | None = None
    permit: PermitSelection | None = None


class RequestMeta(msgspec.Struct, frozen=True, rename="camel"):
    """Version and schemas that the client speaks."""

    api_version: str = API_VERSION
    requested_schemas: tuple[RequestedSchema, ...] = ()


class BeaconQuery(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The question. `requested_granularity` is None where the client leaves it to the Beacon."""

    request_parameters: RequestParameters = RequestParameters()
    filters: tuple[Filter, ...] = ()
    include_resultset_responses: IncludeResultsets = IncludeResultsets.HIT
    pagination: Pagination = Pagination()
    requested_granularity: Granularity | None = None
    test_mode: bool = False


class BeaconRequest(msgspec.Struct, frozen=True):
    """The body of a POST. Encode it as it stands; decode with `decode_request`, which knows the dialects."""

    meta: RequestMeta = RequestMeta()
    query: BeaconQuery = BeaconQuery()


class _LenientMeta(msgspec.Struct, rename="camel"):
    api_version: str | int | float | None = None
    requested_schemas: tuple[RequestedSchema, ...] | None = None


class _LenientPage(msgspec.Struct):
    skip: int | str | None = None
    limit: int | str | None = None


class _LenientFilter(msgspec.Struct, rename="camel"):
    id: str
    operator: str | None = None
    value: str | int | float | bool | None = None
    scope: str | None = None
    include_descendant_terms: bool | None = None
    similarity: str | None = None


class _LenientQuery(msgspec.Struct, rename="camel"):
    request_parameters: Any = None
    filters: tuple[_LenientFilter | str, ...] | None = None
    include_resultset_responses: str | None = None
    pagination: _LenientPage | None = None
    requested_granularity: str | None = None
    test_mode: bool | str | None = None


class _LenientRequest(msgspec.Struct):
    meta: _LenientMeta | None = None
    query: _LenientQuery | None = None


_decoder = msgspec.json.Decoder(_LenientRequest)
_FIELDS = {field.encode_name.lower(): field.name for field in msgspec.structs.fields(VariantParameters)}
# two names that the OpenAPI text of the specification gives to GET parameters
_FIELDS |= {"allele": "genomic_allele_short_form"}
_POSITIONS = {"start", "end"}
_LENGTHS = {"variant_min_length", "variant_max_length"}
_INTEGER = re.compile(r"-?[0-9]+")
_GET_FILTER = re.compile(r"([^<>=!]+)(<=|>=|=|<|>|!)(.*)")
_MANY = 1000
"""More values than this in one list are not a question that anybody asks."""
_LONGEST_ID = 200
_MOST_FILTERS = 100
"""Each filter costs a Beacon some reads: a megabyte of them would keep it busy for everybody else."""


def decode_request(body: bytes) -> BeaconRequest:
    """The request in a POST body, whichever dialect it is in; an empty body asks everything. Raises `Invalid`."""
    if not body.strip():
        return BeaconRequest()
    try:
        lenient = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"not a Beacon request: {error}; send a JSON object with meta and query") from None
    meta = lenient.meta or _LenientMeta()
    return BeaconRequest(
        RequestMeta(str(meta.api_version or API_VERSION), meta.requested_schemas or ()),
        _canonical(lenient.query or _LenientQuery()),
    )


def request_from_parameters(parameters: Iterable[tuple[str, str]]) -> BeaconRequest:
    """The request in the parameters of a GET. Lists are comma-separated or repeated. Raises `Invalid`."""
    envelope: dict[str, str] = {}
    variant: dict[str, Any] = {}
    filters: list[_LenientFilter | str] = []
    schemas: list[RequestedSchema] = []
    for name, value in parameters:
        match name:
            case "filters":
                filters += [_get_filter(text.strip()) for text in value.split(",") if text.strip()]
            case "requestedSchema" | "requestedSchemas":
                schemas.append(RequestedSchema(schema=value))
            case "skip" | "limit" | "includeResultsetResponses" | "requestedGranularity" | "testMode" | "apiVersion":
                envelope[name] = value
            case "start" | "end" | "datasets" | "datasetIds":
                variant.setdefault(name, []).extend(part.strip() for part in value.split(","))
            case _ if name in variant:
                raise Invalid(f"parameter {name!r} is given twice")
            case _:
                variant[name] = value
    query = _LenientQuery(
        request_parameters=variant,
        filters=tuple(filters),
        include_resultset_responses=envelope.get("includeResultsetResponses"),
        pagination=_LenientPage(envelope.get("skip"), envelope.get("limit")),
        requested_granularity=envelope.get("requestedGranularity"),
        test_mode=envelope.get("testMode"),
    )
    return BeaconRequest(RequestMeta(envelope.get("apiVersion") or API_VERSION, tuple(schemas)), _canonical(query))


def _canonical(query: _LenientQuery) -> BeaconQuery:
    if len(query.filters or ()) > _MOST_FILTERS:
        raise Invalid(f"{len(query.filters or ())} filters: ask with at most {_MOST_FILTERS}")
    page = query.pagination or _LenientPage()
    granularity = query.requested_granularity
    return BeaconQuery(
        _parameters(query.request_parameters),
        tuple(_filter(filter_) for filter_ in query.filters or ()),
        _member(IncludeResultsets, "includeResultsetResponses", (query.include_resultset_responses or "HIT").upper()),
        Pagination(_integer("skip", page.skip) or 0, _integer("limit", page.limit)),
        _member(Granularity, "requestedGranularity", granularity.lower()) if granularity else None,
        str(query.test_mode or "").lower() in ("true", "1"),
    )


def _member(kind: type[Member], name: str, value: str) -> Member:
    try:
        return kind(value)
    except ValueError:
        raise Invalid(f"{name} {value[:50]!r}: use one of {', '.join(kind)}") from None


def _integer(name: str, value: int | str | None) -> int | None:
    if value is None or value == "":
        return None
    number = _number(name, value)
    if not 0 <= number < 1 << 31:
        raise Invalid(f"{name} {number} must be 0 or more, below 2147483648")
    return number


def _number(name: str, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= 30 and _INTEGER.fullmatch(value.strip()):
        return int(value)
    raise Invalid(f"{name} {str(value)[:50]!r} is not a whole number")


def _positions(name: str, value: Any) -> tuple[int, ...]:
    # a comma in a text separates the two values of a bracket query; it never groups digits, which would be ambiguous
    values = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else [value]
    if len(values) > 2:
        raise Invalid(f"{name} has {len(values)} values; it takes one, or two in a bracket query")
    return tuple(_number(name, each) for each in values if each != "")


def _parameters(given: Any) -> RequestParameters:
    flat = _flatten(given)
    selection = flat.pop("datasets", None)
    permit = _permit(flat.pop("permit", None), flat.pop("use", None)) if flat.keys() & {"permit", "use"} else None
    variant: dict[str, Any] = {}
    for name, value in flat.items():
        field = _FIELDS.get(name.lower())
        if field is None:
            raise Invalid(f"unknown request parameter {name[:50]!r}; known are {', '.join(_KNOWN)}")
        if value in (None, [], ["", ""], [""]) or (isinstance(value, str) and not value.strip()):
            continue
        if field in _POSITIONS:
            variant[field] = _positions(name, value)
        elif field in _LENGTHS:
            variant[field] = _number(name, value)
        elif isinstance(value, (str, int)) and not isinstance(value, bool):
            variant[field] = str(value).strip()
        else:
            raise Invalid(f"request parameter {name} must be a text")
    return RequestParameters(
        VariantParameters(**variant) if variant else None,
        DatasetSelection(_dataset_ids(selection)) if selection else None,
        permit,
    )


_KNOWN = [*(field.encode_name for field in msgspec.structs.fields(VariantParameters)), "datasets", "permit", "use"]


def _flatten(given: Any) -> dict[str, Any]:
    """One dictionary of the flat, nested and listed forms; a parameter said twice with two values is refused."""
    flat: dict[str, Any] = {}
    waiting = given if isinstance(given, list) else [given]
    for part in waiting[:_MANY]:
        if part is None or part == "":
            continue
        if not isinstance(part, dict):
            raise Invalid("requestParameters is an object such as {g_variant: {start: [100], ...}}")
        for name, value in part.items():
            if name.lower() in ("g_variant", "g_variants", "genomicvariant"):
                inner = value[0] if isinstance(value, list) and len(value) == 1 else value
                if not isinstance(inner, dict):
                    raise Invalid(f"requestParameters.{name} is an object such as {{start: [100], ...}}")
                pairs = list(inner.items())
            else:
                pairs = [("datasets" if name in ("datasets", "datasetIds") else name, value)]
            for key, item in pairs:
                if key == "$schema":
                    continue
                if flat.setdefault(key, item) != item:
                    raise Invalid(f"request parameter {key[:50]!r} is given twice with different values")
    return flat


def _dataset_ids(selection: Any) -> tuple[str, ...]:
    ids = selection.get("datasetIds", []) if isinstance(selection, dict) else selection
    ids = [ids] if isinstance(ids, str) else ids
    if not isinstance(ids, list) or len(ids) > _MANY or not all(isinstance(each, str) for each in ids):
        raise Invalid(f"datasets is a list of up to {_MANY} dataset ids")
    return tuple(dict.fromkeys(ids))


def _permit(permit: Any, use: Any) -> PermitSelection | None:
    """A permit as an object of its own, as the schema wants all parameters, or as two texts."""
    if isinstance(permit, dict):
        if use not in (None, "") or not set(permit) <= {"id", "use"}:
            raise Invalid("permit is an object {id, use}, or two texts permit and use")
        permit, use = permit.get("id"), permit.get("use")
    if not all(each is None or (isinstance(each, str) and len(each) <= _LONGEST_ID) for each in (permit, use)):
        raise Invalid(f"permit and use are texts of at most {_LONGEST_ID} characters")
    if not permit:
        if use:
            raise Invalid("use is stated with a permit only: name the permit, or leave use out")
        return None
    return PermitSelection(permit, use or "")


def _filter(given: _LenientFilter | str) -> Filter:
    if isinstance(given, str):
        return Filter(given.strip())
    value = str(given.value).lower() if isinstance(given.value, bool) else given.value
    return Filter(
        given.id.strip(),
        given.operator or "",
        "" if value is None else str(value).strip(),
        given.scope or "",
        True if given.include_descendant_terms is None else given.include_descendant_terms,
        given.similarity or "exact",
    )


def _get_filter(text: str) -> _LenientFilter | str:
    match = _GET_FILTER.fullmatch(text)
    return _LenientFilter(match[1].strip(), match[2], match[3].strip()) if match else text
