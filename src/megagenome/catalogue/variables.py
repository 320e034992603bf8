# SPDX-License-Identifier: Apache-2.0
"""What is recorded of each person in a dataset, as a table of variables: CSV on the Web, as HealthDCAT-AP has it."""

from megagenome.catalogue.rdf import Description

VARIABLES = (
    ("individual_id", "Person", "A name of the person that differs from permit to permit.", "string"),
    ("sex", "Sex", "female, male or unknown, as the holder recorded it.", "string"),
    ("country", "Country", "Of the person, by ISO 3166-1.", "string"),
    ("population", "Population", "As the holder names it.", "string"),
    ("birth_year", "Year of birth", "Ages are counted from it.", "gYear"),
    ("diseases", "Diseases", "Terms of MONDO, ICD-10 or others, observed or excluded.", "string"),
    ("phenotypes", "Phenotypes", "Terms of the Human Phenotype Ontology, observed or excluded.", "string"),
    ("genotypes", "Genotypes", "Of the person's germline sample, for each allele that was looked for.", "string"),
)
"""Name, title, description and datatype of each; the same for each dataset of a node."""


def describe_variables(said: Description, dataset: str) -> None:
    """Say of a dataset which variables it has."""
    group, table = f"{dataset}#variables", f"{dataset}#people"
    said.link(dataset, "healthdcatap:hasVariables", group)
    said.typed(group, "csvw:TableGroup")
    said.text(group, "dct:title", "What is recorded of people", language="en")
    said.link(group, "csvw:table", table)
    said.typed(table, "csvw:Table")
    said.text(table, "dct:title", "People", language="en")
    for name, title, description, datatype in VARIABLES:
        column = f"{dataset}#variable-{name}"
        said.link(table, "csvw:column", column)
        said.typed(column, "csvw:Column")
        said.text(column, "csvw:name", name)
        said.text(column, "csvw:title", title, language="en")
        said.text(column, "dct:description", description, language="en")
        said.text(column, "csvw:datatype", datatype)
