# SPDX-License-Identifier: Apache-2.0
"""What the form of a study asks: the methods, and the fields of each with their help."""

from typing import NamedTuple


class Field(NamedTuple):
    """One field. `kind` is `line`, `lines`, `tick`, `file`, or `choice` among `options` (value, text)."""

    name: str
    label: str
    help: str = ""
    kind: str = "line"
    start: str = ""
    options: tuple[tuple[str, str], ...] = ()
    needed: bool = False


class MethodForm(NamedTuple):
    """A method for people: its name, what it answers, and its fields."""

    title: str
    says: str
    fields: tuple[Field, ...]


_ASSEMBLY = Field(
    "assembly", "Genome assembly", kind="choice", start="GRCh38", options=(("GRCh37", "GRCh37"), ("GRCh38", "GRCh38"))
)
_VARIANTS = (
    _ASSEMBLY,
    Field(
        "regions",
        "Regions",
        "One in each line, counted from 1, such as 22:16050001-17000000, or a whole chromosome such as 22. "
        "Empty: all autosomes.",
        "lines",
    ),
    Field(
        "least_count",
        "Fewest copies of the rarer allele",
        "Over all nodes together. Alleles with fewer are left out and counted; a node may demand more.",
        start="20",
    ),
    Field(
        "least_frequency",
        "Least frequency of the rarer allele",
        "From 0 to 0.5; 0.01 for common alleles only.",
        start="0",
    ),
)
_TERM_HELP = "A measure by its code, such as LOINC:8302-2, or the name of a column that the data holders have."
_COHORT_HELP = "A question as on the page Cohorts, such as phenotype=HP:0001250 or disease=ICD10:E11."
_COVARIATES = (
    Field("sex", "Adjust for sex", kind="tick", start="yes"),
    Field("age", "Adjust for age", kind="tick", start="yes"),
    Field("measured", "Adjust for other numbers", f"One in each line. {_TERM_HELP}", "lines"),
    Field(
        "categories",
        "Adjust for categories",
        "One in each line: a column, a colon, its values, the first of which the others are compared with: "
        "country: EE, FI, SE.",
        "lines",
    ),
)
_MISSING = Field(
    "missing",
    "People without a call at an allele",
    kind="choice",
    start="drop",
    options=(("drop", "are left out there"), ("mean", "get the mean of all nodes")),
)
_GROUPS = (
    Field("cases", "Cases", _COHORT_HELP, needed=True),
    Field(
        "controls",
        "Controls",
        "Empty: everybody of the study who is no case, which takes silence of a record for a no.",
    ),
)

METHODS: dict[str, MethodForm] = {
    "linear": MethodForm(
        "Association with a number",
        "Linear regression of a trait such as height on each allele.",
        (Field("trait", "Trait", _TERM_HELP, needed=True), *_COVARIATES, *_VARIANTS, _MISSING),
    ),
    "logistic": MethodForm(
        "Association of cases and controls",
        "Logistic score test of each allele, exact enough where cases are few.",
        (
            *_GROUPS,
            *_COVARIATES,
            *_VARIANTS,
            Field("effects_below", "Estimate effects where p is below", "1 for all alleles.", start="0.0001"),
        ),
    ),
    "frequencies": MethodForm(
        "Frequencies", "Counts of alleles and genotypes, with the test of Hardy-Weinberg equilibrium.", _VARIANTS
    ),
    "components": MethodForm(
        "Principal components",
        "How people differ along the genome as a whole. Each person's place stays at their node.",
        (Field("components", "Components", "From 1 to 20.", start="10"), *_VARIANTS),
    ),
    "score": MethodForm(
        "Polygenic score",
        "How a published score is distributed, and how well it tells cases from controls.",
        (
            Field(
                "weights",
                "Scoring file",
                "Of the PGS Catalog (format 2.0), gzipped or not, with at most 100,000 weights. Best is the one "
                "that is harmonised to your assembly (PGS000001_hmPOS_GRCh38.txt.gz).",
                "file",
                needed=True,
            ),
            _ASSEMBLY,
            Field(
                "missing",
                "People without a call at a place",
                kind="choice",
                start="mean",
                options=(("mean", "get the mean of all nodes"), ("zero", "have no copy of the effect allele")),
            ),
            Field("cases", "Cases", f"{_COHORT_HELP} Empty: none."),
            Field("controls", "Controls", "Empty: everybody of the study who is no case."),
            Field("trait", "A number to explain, instead of cases", _TERM_HELP),
        ),
    ),
    "survival": MethodForm(
        "Survival",
        "Kaplan-Meier curves and the log-rank test between groups.",
        (
            Field("time", "Time until the event or the last sign of life", _TERM_HELP, needed=True),
            Field("event", "Column that says whether it was the event", needed=True),
            Field(
                "happened",
                "Its value for the event",
                "Every other recorded value means: not seen to happen.",
                start="1",
            ),
            Field(
                "groups",
                "Groups",
                "One in each line: a name, an equals sign, a question about a cohort: women = sex=female. "
                "Empty: all people as one.",
                "lines",
            ),
            Field("width", "Width of a bin of time", "In the unit of the time.", start="1"),
        ),
    ),
}

RULES = (
    Field("title", "Title of the study", needed=True),
    Field("narrower", "Only these people of the permit", f"{_COHORT_HELP} Empty: all people whom the permit gives."),
    Field(
        "duplicates",
        "People who are at a node twice",
        "Or are identical twins, as far as their genotypes say. Relatives stay; both are counted.",
        "choice",
        "leave out",
        (("leave out", "leave all but one of each out"), ("keep", "keep them")),
    ),
    Field("least_people", "Fewest people", "At one node and in all; nodes may demand more.", start="100"),
    Field(
        "when_one_fails",
        "When a node fails",
        "Going on is possible only until a sum of people's values was opened.",
        "choice",
        "stop",
        (("stop", "stop the study"), ("go on", "go on with the others")),
    ),
    Field("least_sites", "Fewest nodes to go on with", start="3"),
)
