# SPDX-License-Identifier: Apache-2.0
"""Kaplan-Meier curves and the log-rank test over several sites, from counts in bins of time: those of the pooled data
where times are whole bins. Who is last seen in a bin counts as at risk in it."""

import numpy as np
import numpy.typing as npt

from megagenome.kernel.errors import Invalid
from megagenome.network.studies.model import Z95, Ask, Combine, Quantity, StudyResult, Table, too_few
from megagenome.standards.study import Survival

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

_HORIZONS = np.append(0, 2 ** np.arange(31))
_MOST_BINS = 200_000


def survival(method: Survival, least: int = 0) -> Combine:
    """`curves`: of each group a row at each time at which somebody had the event: how many were at risk just before,
    the share that survives it, and its 95 % interval (on the scale of log(-log)). `groups`: people, events and median.
    The summary has the log-rank test between the groups. About times that fewer than `least` people reach nothing is
    asked: their last sign of life counts as before."""
    sums = yield Ask(
        "horizons",
        {"horizons": _HORIZONS},
        (Quantity("seen", (len(_HORIZONS),), 0), Quantity("people", (), 0)),
    )
    if not int(sums["people"]):
        raise Invalid("of nobody of the study are time and event known")
    bins = int(_HORIZONS[np.flatnonzero(sums["seen"] >= max(least, 1))[-1:]].sum() * 2 or 1)
    if bins > _MOST_BINS:
        raise Invalid(f"times span {bins:,} bins, at most {_MOST_BINS:,} are counted: make them wider")
    labels = [each.label for each in method.groups] or ["all"]
    counts = (yield Ask("counts", {"bins": np.array(bins)}, (Quantity("counts", (len(labels), bins, 2), 0),)))["counts"]
    events, censored = counts[:, :, 0], counts[:, :, 1]
    if len(labels) > 1 and (events + censored).sum(axis=1).min() < least:
        raise too_few(least, "a group")
    at_risk = (events + censored)[:, ::-1].cumsum(axis=1)[:, ::-1]
    curves, groups = _curves(labels, events, censored, at_risk, method.width)
    summary: dict[str, float | int | str] = {"people": int(counts.sum()), "events": int(events.sum())}
    notes = [f"{label}: nobody is in this group." for label, n in zip(labels, at_risk[:, 0], strict=True) if not n]
    if least:
        notes.append(f"Times from {bins * method.width:g} on, which fewer than {least} people reach, count as that.")
    if len(labels) > 1:
        chi_square, degrees = log_rank(events, at_risk)
        if degrees:
            summary |= {"log_rank_chi_square": chi_square, "degrees": degrees, "p": _upper(chi_square, degrees)}
        else:
            notes.append("The groups cannot be compared: at no time of an event were people of two of them at risk.")
    return StudyResult({"curves": curves, "groups": groups}, summary, tuple(notes))


def log_rank(events: Counts, at_risk: Counts) -> tuple[float, int]:
    """Chi-square and degrees of freedom of int64 [groups, times]; (0, 0) where nothing can be compared. (Mantel 1966;
    Klein and Moeschberger, Survival Analysis, 7.3)"""
    d, n = events.sum(axis=0), at_risk.sum(axis=0)
    some = (d > 0) & (n > 1)
    own, risk, d, n = events[:, some], at_risk[:, some], d[some], n[some]
    share = risk / n
    excess = (own - share * d).sum(axis=1)
    weight = d * (n - d) / (n - 1)
    variance = np.diag((share * weight).sum(axis=1)) - (share * weight) @ share.T
    values, vectors = np.linalg.eigh(variance)
    kept = values > 1e-9 * max(float(values.max(initial=0.0)), 1e-12)
    if not kept.any():
        return 0.0, 0
    return float(((vectors.T @ excess)[kept] ** 2 / values[kept]).sum()), int(kept.sum())


def _curves(labels: list[str], events: Counts, censored: Counts, at_risk: Counts, width: float) -> tuple[Table, Table]:
    rows: list[tuple[str, npt.NDArray[np.int64], Floats, Floats, Floats]] = []
    medians = []
    for k, label in enumerate(labels):
        times = np.flatnonzero(events[k])
        d, n = events[k, times], at_risk[k, times]
        alive = np.cumprod(1 - d / n)
        low, high = _interval(alive, d, n)
        rows.append((label, times, alive, low, high))
        below = np.flatnonzero(alive <= 0.5 + 1e-12)
        medians.append(float(times[below[0]] * width) if below.size else float("nan"))
    of = np.repeat(np.arange(len(labels)), [len(times) for _, times, *_ in rows])
    at = np.concatenate([times for _, times, *_ in rows])
    curves = Table(
        {
            "group": [labels[k] for k in of.tolist()],
            "time": at * width,
            "at_risk": at_risk[of, at],
            "events": events[of, at],
            "survival": np.concatenate([row[2] for row in rows]),
            "low": np.concatenate([row[3] for row in rows]),
            "high": np.concatenate([row[4] for row in rows]),
        }
    )
    groups = Table(
        {
            "group": labels,
            "people": (events + censored).sum(axis=1),
            "events": events.sum(axis=1),
            "median": np.array(medians),
        }
    )
    return curves, groups


def _interval(alive: Floats, d: Counts, n: Counts) -> tuple[Floats, Floats]:
    """95 %, by Greenwood's variance on the scale of log(-log); where nobody is left, both ends are 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(d / (n * (n - d)))
        spread = Z95 * np.sqrt(variance) / np.abs(np.log(alive))
        low, high = alive ** np.exp(spread), alive ** np.exp(-spread)
    left = alive > 0
    return np.where(left, low, 0.0), np.where(left, high, 0.0)


def _upper(chi_square: float, degrees: int) -> float:
    from scipy.special import chdtrc  # only a study should wait for it

    return float(chdtrc(degrees, chi_square))
