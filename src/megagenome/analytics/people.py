# SPDX-License-Identifier: Apache-2.0
"""The table of a study's people at this node, from what is recorded of them."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from megagenome.analytics.model import Table
from megagenome.analytics.needs import Floats
from megagenome.analytics.relatives import DUPLICATE, FIRST, Relatives
from megagenome.collection.cohort import HasCustom, read_cohort
from megagenome.collection.values import FAILS, HOLDS, PeopleValues
from megagenome.standards.study import (
    Age,
    Category,
    Group,
    Measured,
    Score,
    Sex,
    StudyDocument,
    Survival,
    Variable,
    column_names,
    name_of,
    variables_of,
)


class Kin(NamedTuple):
    """Pairs who are duplicates or related, int64 [pairs, 2], by their numbers at the node; their kinship; and of how
    many people nothing is known."""

    pairs: npt.NDArray[np.int64]
    kinship: Floats
    not_compared: int


NO_KIN = Kin(np.zeros((0, 2), np.int64), np.zeros(0), 0)


class StudyPeople(NamedTuple):
    """Who is in a study at this node.

    numbers     int64 [people], increasing: the people at this node of whom everything that the study needs is recorded
    table       in that order
    incomplete  how many more belong to the study's cohort, of whom something is not recorded
    groups      bool [people, groups]: who is in each of the groups that the study's author defines (`_groups`)
    held_back   how many more of whom all is recorded are held back, so that no two studies differ by a few people
    kin         how many of them are related, as far as it is known
    recorded    of how many people of the cohort each thing that the study asks is recorded, by its name
    """

    numbers: npt.NDArray[np.int64]
    table: Table
    incomplete: int
    groups: npt.NDArray[np.bool_]
    held_back: int = 0
    kin: Kin = NO_KIN
    recorded: tuple[tuple[str, int], ...] = ()

    def independent(self, found: Relatives, compared: int, *, leave_out: bool) -> "StudyPeople":
        """Of people among whom these relatives were found, one of each duplicate (all, without `leave_out`)."""
        out = found.to_leave_out() if leave_out else np.zeros(0, np.int64)
        kept = self.only(np.delete(self.numbers, out))
        kin = Kin(self.numbers[found.pairs], found.kinship, len(self.numbers) - compared)
        return kept._replace(held_back=self.held_back, kin=kin)

    def counts(self) -> dict[str, int]:
        """What is told of them, in sums (`standards.study_exchange.PEOPLE_COUNTS`)."""
        within = np.isin(self.kin.pairs, self.numbers).all(axis=1)
        duplicate, first = self.kin.kinship >= DUPLICATE, self.kin.kinship >= FIRST
        return {
            "people": len(self.numbers),
            "incomplete": self.incomplete,
            "held_back": self.held_back,
            "duplicates": int(duplicate.sum()),
            "first_degree": int((within & first & ~duplicate).sum()),
            "second_degree": int((within & ~first).sum()),
            "not_compared": min(self.kin.not_compared, len(self.numbers)),
        }

    def only(self, numbers: npt.NDArray[np.int64]) -> "StudyPeople":
        """Of them these, increasing; all others are held back."""
        kept = np.searchsorted(self.numbers, numbers)
        table = Table(
            self.table.trait[kept] if len(self.table.trait) else self.table.trait,
            self.table.covariates[kept],
            self.table.names,
        )
        held_back = self.held_back + len(self.numbers) - len(numbers)
        return StudyPeople(numbers, table, self.incomplete, self.groups[kept], held_back, self.kin, self.recorded)

    def members(self) -> list[npt.NDArray[np.int64]]:
        """The numbers of the people in each group."""
        return [self.numbers[group] for group in self.groups.T]


def choose_people(
    document: StudyDocument, values: PeopleValues, genotyped: npt.NDArray[np.bool_] | None = None
) -> StudyPeople:
    """Everybody of the cohort of whom the trait and each covariate is recorded, and who is `genotyped` (bool [people];
    None where the study asks for no genotypes). Raises `Invalid` where a variable
    cannot be read (several units; groups that are no cohorts)."""
    trait, covariates = variables_of(document.method)
    columns = [_column(each, values) for each in covariates]
    asked, names = [name_of(each) for each in covariates], column_names(covariates)
    if isinstance(document.method, Survival):
        columns, names = [_event(document.method, values), _arm(document.method, values)], ("event", "group")
        asked = [document.method.event, "a group"]
    known = [np.hstack(columns) if columns else np.zeros((values.people, 0))]
    if trait is not None:
        known.append(_column(trait, values))
        columns, asked = [*columns, known[1]], [*asked, name_of(trait)]
    complete = np.isfinite(np.hstack(known)).all(axis=1)
    recorded = [(name, _recorded(column)) for name, column in zip(asked, columns, strict=True)]
    if genotyped is not None:
        complete &= genotyped
        recorded.append((f"genotypes of {assembly_of(document)}", int(genotyped.sum())))
    chosen = np.flatnonzero(complete)
    of_trait: Floats = known[1][chosen, 0] if trait is not None else np.zeros(0)
    table = Table(of_trait, known[0][chosen], names)
    left_out, groups = values.people - len(chosen), _groups(document, table)
    return StudyPeople(values.numbers[chosen], table, left_out, groups, recorded=(("", values.people), *recorded))


def _recorded(column: Floats) -> int:
    return int(np.isfinite(column).all(axis=1).sum())


def _groups(document: StudyDocument, table: Table) -> npt.NDArray[np.bool_]:
    """bool [people, groups]: cases and controls, of trait and covariates, and the groups of a study of survival. Other
    columns are as the node recorded them; who is in these, the study's author writes."""
    trait, covariates = variables_of(document.method)
    found = [table.trait > 0, table.trait == 0] if isinstance(trait, Group) else []
    at = 0
    for each in covariates:
        if isinstance(each, Group):
            found += [table.covariates[:, at] > 0, table.covariates[:, at] == 0]
        at += len(column_names((each,)))
    if isinstance(document.method, Survival) and len(document.method.groups) > 1:
        found += [table.covariates[:, 1] == k for k in range(len(document.method.groups))]
    return np.stack(found, axis=1) if found else np.zeros((len(table.covariates), 0), np.bool_)


def assembly_of(document: StudyDocument) -> str | None:
    """The assembly of the genotypes that a study reads; None where it reads none."""
    match document.method:
        case Survival():
            return None
        case Score(assembly=assembly):
            return assembly
        case method:
            return method.variants.assembly


def parameters_of(document: StudyDocument) -> int:
    """How many parameters are fitted to the people: covariates, the constant and the allele's effect."""
    trait, covariates = variables_of(document.method)
    return len(column_names(covariates)) + 2 if trait is not None and covariates else 0


def _column(variable: Variable, values: PeopleValues) -> Floats:
    """float64 [people, columns], NaN where it is not recorded."""
    found = _READ[type(variable)](variable, values)
    columns: Floats = found.reshape(values.people, -1)
    return columns


def _levels(variable: Category, values: PeopleValues) -> Floats:
    level = values.level(variable.of, variable.levels)
    columns: Floats = (level[:, None] == np.arange(1, len(variable.levels))).astype(np.float64)
    columns[level < 0] = np.nan
    return columns


def _group(variable: Group, values: PeopleValues) -> Floats:
    cases = values.belongs(read_cohort(variable.cases)) == HOLDS
    controls = values.belongs(read_cohort(variable.controls)) == HOLDS
    group: Floats = np.select([cases, controls], [1.0, 0.0], np.nan)
    return group


def _event(method: Survival, values: PeopleValues) -> Floats:
    """1 of whom it happened to, 0 of whom something else is recorded."""
    happened = values.belongs(HasCustom(method.event, method.happened))
    return np.select([happened == HOLDS, happened == FAILS], [1.0, 0.0], np.nan).reshape(-1, 1)


def _arm(method: Survival, values: PeopleValues) -> Floats:
    """The place of each person's group; 0 where there are none."""
    if not method.groups:
        return np.zeros((values.people, 1))
    within = np.stack([values.belongs(read_cohort(arm.cohort)) == HOLDS for arm in method.groups])
    # who is in several is in the first: to refuse them would tell that there is somebody
    return np.where(within.any(axis=0), within.argmax(axis=0), np.nan).reshape(-1, 1)


_READ: dict[type, Callable[..., Floats]] = {
    Measured: lambda variable, values: values.measured(variable.term),
    Sex: lambda _, values: values.sex,
    Age: lambda _, values: values.age,
    Category: _levels,
    Group: _group,
}
