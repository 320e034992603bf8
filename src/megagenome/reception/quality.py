# SPDX-License-Identifier: Apache-2.0
"""Quality of a submission's genotypes: its files together, and the sex that each sample's X and Y tell.

Who has one X has no heterozygous call there outside the pseudoautosomal regions, or haploid calls.
"""

from collections.abc import Iterator

import msgspec

from megagenome.standards.validation_report import (
    QUALITY_COUNTS,
    Duplicate,
    Level,
    Message,
    QualityControl,
    SampleQuality,
)

LEAST_CALL_RATE = 0.9
LEAST_ON_X = 20
LEAST_X_BASES = 10_000_000
"""Neighbours are inherited together: of a few hundred thousand bases a woman may well have the same twice."""
MALE_X_HET, FEMALE_X_HET = 0.1, 0.3
"""Shares of heterozygous calls among those on X with an alternate: men have errors only, women about half or more."""
MALE_HAPLOID = 0.9
LEAST_ON_Y = 20
MALE_Y_CALLS, FEMALE_Y_CALLS = 0.5, 0.2


def add_up(parts: list[QualityControl], stated_sex: dict[str, str]) -> QualityControl | None:
    """The files of one submission together, with the sexes that the people tables state; None without files."""
    if not parts:
        return None
    samples: dict[str, SampleQuality] = {}
    pairs: dict[tuple[str, str], Duplicate] = {}
    for part in parts:
        for each in part.samples:
            samples[each.sample] = _plus(samples[each.sample], each) if each.sample in samples else each
        for found in part.duplicates:
            before = pairs.get((found.first, found.second), Duplicate(found.first, found.second, 0, 0))
            agreeing, compared = before.agreeing + found.agreeing, before.compared + found.compared
            pairs[found.first, found.second] = Duplicate(found.first, found.second, agreeing, compared)
    starts = [start for part in parts for start in part.x_range or ()]
    x_range = (min(starts), max(starts)) if starts else None
    is_wide = x_range is not None and x_range[1] - x_range[0] >= LEAST_X_BASES
    judged = tuple(
        msgspec.structs.replace(
            each,
            stated_sex=stated_sex.get(name, "unknown"),
            observed_sex=observed_sex(each, x_is_wide=is_wide),
        )
        for name, each in samples.items()
    )
    return QualityControl(
        sum(part.records for part in parts),
        sum(part.transitions for part in parts),
        sum(part.transversions for part in parts),
        judged,
        tuple(pairs.values()),
        x_range,
    )


def _plus(one: SampleQuality, other: SampleQuality) -> SampleQuality:
    sums = {name: getattr(one, name) + getattr(other, name) for name in QUALITY_COUNTS}
    return SampleQuality(one.sample, **sums)


def observed_sex(sample: SampleQuality, *, x_is_wide: bool) -> str:
    """female or male by X and Y; unknown where there is too little of them, or they contradict each other. How many
    calls on X are heterozygous tells where they lie far apart (`x_is_wide`)."""
    told = {_by_x(sample, is_wide=x_is_wide), _by_y(sample)} - {"unknown"}
    return told.pop() if len(told) == 1 else "unknown"


def _by_x(sample: SampleQuality, *, is_wide: bool) -> str:
    if sample.x_called >= LEAST_ON_X and sample.x_haploid >= MALE_HAPLOID * sample.x_called:
        return "male"
    share = sample.x_het_share
    if share is None or not is_wide or sample.x_het + sample.x_hom_alt < LEAST_ON_X:
        return "unknown"
    return "male" if share < MALE_X_HET else "female" if share >= FEMALE_X_HET else "unknown"


def _by_y(sample: SampleQuality) -> str:
    rate = sample.y_call_rate
    if rate is None or sample.y_sites < LEAST_ON_Y:
        return "unknown"
    return "male" if rate > MALE_Y_CALLS else "female" if rate < FEMALE_Y_CALLS else "unknown"


def judge_quality(quality: QualityControl) -> Iterator[Message]:
    """Warnings of what somebody should look at before the genotypes are believed."""
    for each in quality.samples:
        rate = each.call_rate
        if rate is not None and rate < LEAST_CALL_RATE:
            text = f"call rate {rate:.1%}, below {LEAST_CALL_RATE:.0%}"
            yield Message(Level.WARNING, text, place=each.sample)
        if "unknown" not in (each.stated_sex, each.observed_sex) and each.stated_sex != each.observed_sex:
            text = f"stated {each.stated_sex}, yet its X and Y are as of a {each.observed_sex}: samples swapped?"
            yield Message(Level.WARNING, text, place=each.sample)
    for pair in quality.duplicates:
        agreeing = f"{pair.agreeing:,} of {pair.compared:,} common variants"
        text = f"the same genotypes as {pair.second} at {agreeing}: one person twice, or twins?"
        yield Message(Level.WARNING, text, place=pair.first)
