# SPDX-License-Identifier: Apache-2.0
"""`megagenome synth`: simulated countries as files."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter

app = App(
    name="synth",
    help="Make synthetic countries: people, genotypes and the right answers.",
    default_parameter=Parameter(negative=()),
)


@app.command
def europe(
    out: Path,
    /,
    *,
    individuals: int = 3000,
    countries: str = "FI,EE,GB",
    seed: int = 1,
    megabases: float = 3.0,
    form: Annotated[Literal["vcf.gz", "bcf"], Parameter(name="--format")] = "vcf.gz",
    json: bool = False,
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
        ISO codes, joined by commas, of: FI EE GB ES IT SE DE FR.
    seed
        Any whole number from 0; another seed draws other people.
    megabases
        How much of chromosome 22 is simulated, 0.15 to 22.
    form
        Genotypes as vcf.gz or bcf.
    json
        Print what was written as JSON.
    """
    # msprime takes half a second to import, and `--help` needs none of it
    from megagenome.synthetic.europe import simulate
    from megagenome.synthetic.write import GenotypeFormat, require_empty, write_europe

    require_empty(out)
    with _progress() as on_progress:
        codes = [code.strip() for code in countries.split(",")]
        simulated = simulate(individuals, codes, seed, megabases, on_progress)
        written = write_europe(simulated, out, GenotypeFormat(form), on_progress)
    if json:
        sys.stdout.write(msgspec.json.encode(written).decode() + "\n")
        return
    for dataset in written:
        kind = "open" if dataset.open else "not open"
        print(f"{dataset.id}  {dataset.individuals:,} people, {dataset.records:,} records, {kind}")
    print(f"The right answers are in {out / 'truth.json'}")


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Shows the last message with a spinner on a terminal, and nothing where there is none."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("starting") as status:
        yield status.update
