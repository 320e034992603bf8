# SPDX-License-Identifier: Apache-2.0
"""What a node lets studies do with its people. Nothing from outside loosens it."""

from typing import Annotated, Literal

import msgspec

MethodName = Literal["frequencies", "linear", "logistic", "components", "score", "survival"]
ALL_METHODS: tuple[MethodName, ...] = ("frequencies", "linear", "logistic", "components", "score", "survival")


class AnalyticsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[analytics]` of a node. The numbers are this project's choice, stricter than DataSHIELD's defaults; those of
    people and alleles do not hold where every dataset of the study at this node is declared open.

    enabled               whether this node takes part in studies
    methods               those that may be computed
    least_people          fewest people of this node in a study
    least_people_in_all   fewest people over all nodes
    most_parameters       at most so many covariates for each person of this node
    least_cell            smallest number of people in a group or table cell, over all nodes
    least_allele_count    fewest copies of the rarer allele: here, for an allele to be named by this node; over all
                          nodes, for anything to be told of it
    partners              nodes with which a study of two may be computed: each of the two learns the other's sums by
                          taking its own from the result. Both must name the other, having agreed to it in writing
    alone                 whether a study may be computed at this node only: its sums are then seen by the hub. Open
                          data may always
    most_cohorts          at most so many different sets of this node's people are lent to studies, ever: each later
                          one is compared with all of them (`studied.py`)
    most_compared         in a study of more of this node's people only duplicates are looked for, not relatives: to
                          compare everybody takes time which grows with the square of them
    at_once               tasks computed at the same time
    threads               that read the genotypes of all of these together
    """

    enabled: bool = True
    methods: tuple[MethodName, ...] = ALL_METHODS
    least_people: Annotated[int, msgspec.Meta(ge=1)] = 20
    least_people_in_all: Annotated[int, msgspec.Meta(ge=1)] = 100
    most_parameters: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.2
    least_cell: Annotated[int, msgspec.Meta(ge=1)] = 10
    least_allele_count: Annotated[int, msgspec.Meta(ge=1)] = 10
    partners: tuple[str, ...] = ()
    alone: bool = False
    most_cohorts: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 500
    most_compared: Annotated[int, msgspec.Meta(ge=0, le=50_000)] = 5_000
    at_once: Annotated[int, msgspec.Meta(ge=1, le=64)] = 2
    threads: Annotated[int, msgspec.Meta(ge=1, le=256)] = 2
