# SPDX-License-Identifier: Apache-2.0
"""Quality of a submission's genotypes as drawings, each with a sentence and a table: call rate of each sample, het/hom
against Ti/Tv, and sex by X and Y. All samples are drawn; tables name the first fifty, the oddest first.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from megagenome.portal.axes import dots, framed, number_axis, two_sided_scale
from megagenome.portal.numbers import count, plural
from megagenome.portal.scale import Scale
from megagenome.portal.svg import join
from megagenome.standards.validation_report import QualityControl, SampleQuality

SEX_STYLES = {"female": "turn-0", "male": "turn-2", "unknown": "turn-1"}
"""Classes of dots in the sex check, by the sex that is stated; for the page's legend."""

_STYLE = "turn-0"
_MOST_ROWS = 50
_LOWEST_RATE = 0.95
"""The axis of call rates begins here, or where the lowest is."""


class QualityPlot(NamedTuple):
    """A drawing with its words and its table; `left_out` samples are not in the table."""

    title: str
    said: str
    drawing: Markup
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int


def quality_plots(quality: QualityControl, ident: str = "quality") -> tuple[QualityPlot, ...]:
    """Those of the three for which there is anything to draw. `ident` must be unique on the page."""
    drawn = (draw(quality.samples, ident) for draw in (_call_rates, _ratios, _sexes))
    return tuple(each for each in drawn if each is not None)


def _call_rates(samples: Sequence[SampleQuality], ident: str) -> QualityPlot | None:
    rated = sorted((each for each in samples if each.call_rate is not None), key=lambda each: each.call_rate or 0.0)
    if not rated:
        return None
    rates = np.array([each.call_rate for each in rated])
    title = "Call rate of each sample"
    said = f"{plural(len(rated), 'sample')}; the lowest call rate is {_percent(rates[0])}, of {rated[0].sample}."
    across = Scale(0.0, float(len(rated)), False, (0.0, float(len(rated))))
    up = two_sided_scale(min(_LOWEST_RATE, float(rates[0])), 1.0)
    x = (np.arange(len(rated)) + 0.5) / len(rated)
    field = dots(x, _places(up, rates), _STYLE)
    axes = number_axis("samples, lowest call rate first", across), number_axis("call rate", up)
    rows = [(each.sample, _percent(rate), count(each.missing)) for each, rate in zip(rated, rates, strict=True)]
    return _plot(
        title, said, framed(f"{ident}-calls", title, said, *axes, field), ("sample", "call rate", "missing"), rows
    )


def _ratios(samples: Sequence[SampleQuality], ident: str) -> QualityPlot | None:
    told = [each for each in samples if each.het_hom is not None and each.ti_tv is not None]
    if not told:
        return None
    het_hom, ti_tv = np.array([each.het_hom for each in told]), np.array([each.ti_tv for each in told])
    title = "Heterozygous for each homozygous call, and transitions for each transversion"
    said = (
        f"{plural(len(told), 'sample')}; median het/hom {np.median(het_hom):.2f}, median Ti/Tv {np.median(ti_tv):.2f}."
    )
    across, up = _around(het_hom), _around(ti_tv)
    field = dots(_places(across, het_hom), _places(up, ti_tv), _STYLE)
    axes = number_axis("het/hom", across), number_axis("Ti/Tv", up)
    distance = np.abs(het_hom - np.median(het_hom))
    odd_first = [told[k] for k in np.argsort(-distance, kind="stable").tolist()]
    rows = [(s.sample, count(s.het), count(s.hom_alt), f"{s.het_hom:.2f}", f"{s.ti_tv:.2f}") for s in odd_first]
    drawing = framed(f"{ident}-ratios", title, said, *axes, field)
    return _plot(title, said, drawing, ("sample", "het", "hom alt", "het/hom", "Ti/Tv"), rows)


def _sexes(samples: Sequence[SampleQuality], ident: str) -> QualityPlot | None:
    told = [each for each in samples if each.x_called or each.y_sites]
    if not told:
        return None
    contradicted = [each for each in told if _contradicts(each)]
    named = ": " + ", ".join(each.sample for each in contradicted[:5]) if contradicted else ""
    if len(contradicted) > 5:
        named += f" and {count(len(contradicted) - 5)} more"
    title = "Sex by X and Y outside their pseudoautosomal regions"
    others = count(len(contradicted))
    said = f"{plural(len(told), 'sample')}; X and Y of {others} tell another sex than the people tables{named}."
    unit = Scale(0.0, 1.0, False, (0.0, 0.25, 0.5, 0.75, 1.0))

    def of(sex: str) -> Markup:
        mine = [each for each in told if each.stated_sex == sex]
        x = np.array([each.x_het_share or 0.0 for each in mine])
        y = np.array([each.y_call_rate or 0.0 for each in mine])
        return dots(x, y, SEX_STYLES[sex])

    stated = [sex for sex in SEX_STYLES if any(each.stated_sex == sex for each in told)]
    axes = number_axis("heterozygous on X, of calls with an alternate", unit), number_axis("called on Y", unit)
    drawing = framed(f"{ident}-sex", title, said, *axes, join(map(of, stated)))
    columns = ("sample", "stated", "observed", "het on X", "haploid on X", "called on Y")
    rows = [
        (
            each.sample,
            each.stated_sex,
            each.observed_sex,
            _share(each.x_het_share),
            _share(each.x_haploid / each.x_called if each.x_called else None),
            _share(each.y_call_rate),
        )
        for each in sorted(told, key=_contradicts, reverse=True)
    ]
    return _plot(title, said, drawing, columns, rows)


def _around(values: "np.typing.NDArray[np.float64]") -> Scale:
    low, high = float(values.min()), float(values.max())
    return two_sided_scale(low, high) if high > low else two_sided_scale(low - 0.5, high + 0.5)


def _contradicts(sample: SampleQuality) -> bool:
    return "unknown" not in (sample.stated_sex, sample.observed_sex) and sample.stated_sex != sample.observed_sex


def _plot(
    title: str, said: str, drawing: Markup, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]
) -> QualityPlot:
    return QualityPlot(title, said, drawing, columns, tuple(rows[:_MOST_ROWS]), max(0, len(rows) - _MOST_ROWS))


def _places(scale: Scale, values: Iterable[float]) -> "np.typing.NDArray[np.float64]":
    place: Callable[[float], float] = scale.place
    return np.array([place(float(value)) for value in values])


def _percent(share: float) -> str:
    """With two decimals, never rounded up to all."""
    return f"{min(share, 0.9999) if share < 1 else 1.0:.2%}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
