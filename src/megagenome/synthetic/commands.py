# SPDX-License-Identifier: Apache-2.0
"""`megagenome synth`: simulated countries as files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from megagenome.kernel.output import Json, progress, show, table

if TYPE_CHECKING:
    from rich.table import Table

    from megagenome.synthetic.write import DatasetFile

synth = App(name="synth", help="Simulate genomes and people to files.")


@synth.command
def europe(
    out: Path,
    /,
    *,
    individuals: int = 3000,
    countries: str = "FI,EE,GB",
    seed: int = 1,
    megabases: float = 3.0,
    form: Annotated[Literal["vcf.gz", "bcf"], Parameter(name="--format")] = "vcf.gz",
    json: Json = False,
) -> None:
    """Simulate people of several European countries and write them to the empty folder OUT.

    Each country gets a cohort and a smaller open dataset, each with genotypes, people and measured traits; truth.json
    holds exact counts to check answers by. The same options give the same bytes.

    Parameters
    ----------
    out
        An empty or new folder.
    individuals
        People in all, as even as it goes over the countries.
    countries
        ISO codes, joined by commas, of FI, EE, GB, ES, IT, SE, DE and FR.
    seed
        Any whole number from 0; another seed draws other people.
    megabases
        How much of chromosome 22 is simulated, 0.15 to 22.
    form
        File format of the genotypes.
    """
    # msprime takes half a second to import, and `--help` needs none of it
    from megagenome.synthetic.europe import simulate
    from megagenome.synthetic.write import GenotypeFormat, require_empty, write_europe

    require_empty(out)
    codes = [code.strip() for code in countries.split(",")]
    with progress(f"Simulating {individuals:,} people", 1) as on_progress:
        simulated = simulate(individuals, codes, seed, megabases, on_progress)
    datasets = sum(len(country.datasets) for country in simulated.countries)
    with progress(f"Writing {datasets} datasets", datasets) as on_progress:
        written = write_europe(simulated, out, GenotypeFormat(form), on_progress)
    show(written, json=json, render=_render)


def _render(written: "list[DatasetFile]") -> "Table":
    rows = [
        (dataset.id, dataset.individuals, dataset.records, "open" if dataset.open else "not open")
        for dataset in written
    ]
    return table(("dataset", "individuals", "records", ""), rows, title="Written, with the right answers in truth.json")
