# SPDX-License-Identifier: Apache-2.0
"""Drawings of a submission's quality control: a dot for each sample, so that the odd one is seen before it is read."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from megagenome.portal.axes import Floats, dots, framed, number_axis, two_sided_scale
from megagenome.portal.numbers import plural
from megagenome.portal.scale import Scale
from megagenome.standards.validation_report import QualityControl, SampleQuality

Measure = Callable[[SampleQuality], float | None]


class QualityPlot(NamedTuple):
    """A drawing, what it shows, and what each kind of mark means: its style and its words."""

    drawing: Markup
    caption: str
    legend: tuple[tuple[str, str], ...] = ()


_SEXES = (("female", "turn-0"), ("male", "sex-male"), ("unknown", "turn-1"))


def quality_plots(quality: QualityControl) -> list[QualityPlot]:
    """The plots of which the genotypes have the numbers: call rate, ratios, sex."""
    samples = quality.samples
    found = [
        _call_rates(samples),
        _scatter(
            samples,
            "ratios",
            ("Ti/Tv", lambda each: each.ti_tv),
            ("het/hom", lambda each: each.het_hom),
            "Transitions by transversions, and heterozygous by homozygous calls, of each sample",
            "Samples of one kind lie together; one apart was treated, or is, otherwise.",
        ),
        _scatter(
            samples,
            "sex-check",
            ("share of X calls that are heterozygous", lambda each: each.x_het_share),
            ("share of Y called", lambda each: each.y_call_rate),
            "Heterozygous calls on X and calls on Y of each sample, by the stated sex",
            "Stated females belong to the lower right, stated males to the upper left.",
            by_sex=True,
        ),
    ]
    return [plot for plot in found if plot is not None]


def _call_rates(samples: Sequence[SampleQuality]) -> QualityPlot | None:
    rates = np.array(sorted(each.call_rate for each in samples if each.call_rate is not None), np.float64)
    if not rates.size:
        return None
    across = two_sided_scale(0, float(rates.size))
    up = two_sided_scale(min(float(rates[0]), 0.9), 1.0)
    ranks = (np.arange(rates.size, dtype=np.float64) + 0.5) / np.float64(across.high)
    marks = dots(ranks, _places(rates, up), "turn-0")
    title = f"Call rates of {plural(rates.size, 'sample')}, lowest first"
    drawn = framed(
        "call-rates",
        title,
        f"From {rates[0]:.1%} to {rates[-1]:.1%}.",
        number_axis("samples, lowest first", across),
        number_axis("call rate", up),
        marks,
        240,
    )
    return QualityPlot(drawn, f"{title}: {rates[0]:.1%} to {rates[-1]:.1%}.")


def _scatter(
    samples: Sequence[SampleQuality],
    ident: str,
    across: tuple[str, Measure],
    up: tuple[str, Measure],
    title: str,
    says: str,
    *,
    by_sex: bool = False,
) -> QualityPlot | None:
    told = [(each, across[1](each), up[1](each)) for each in samples]
    known = [(each.stated_sex, x, y) for each, x, y in told if x is not None and y is not None]
    if not known:
        return None
    x = np.array([each[1] for each in known], np.float64)
    y = np.array([each[2] for each in known], np.float64)
    scales = [two_sided_scale(float(values.min()), float(values.max())) for values in (x, y)]
    places = [_places(values, scale) for values, scale in zip((x, y), scales, strict=True)]
    sexes = np.array([each[0] for each in known])
    groups = _SEXES if by_sex else (("", "turn-0"),)
    marks, legend = [], []
    for sex, style in groups:
        here = (sexes == sex) if by_sex else np.ones(len(known), np.bool_)
        if here.any():
            marks.append(dots(places[0][here], places[1][here], style))
            if by_sex:
                legend.append((style, f"stated {sex} ({int(here.sum()):,})"))
    axes = number_axis(across[0], scales[0]), number_axis(up[0], scales[1])
    drawn = framed(ident, title, says, *axes, Markup("").join(marks), 280)
    return QualityPlot(drawn, f"{title}. {says}", tuple(legend))


def _places(values: Floats, scale: Scale) -> Floats:
    return np.array([scale.place(float(value)) for value in values], np.float64)
