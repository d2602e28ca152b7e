"""Curves and distributions, drawn by matplotlib: risk over coverage, opt-out mass by class, response to a swap.

Each comes with words that say what it shows. Names of models are in the caption alone, never in the drawing.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from harness.optout import risk_coverage_curve
from harness.report import numbers, wording
from harness.report.caserows import Masses, laterality_differences, opt_out_masses
from harness.report.drawing import LEGEND, SERIES, Pen, inline_svg, plot
from harness.report.reader import Estimate, Results, dig, parse_estimate

FloatArray = npt.NDArray[np.float64]
BINS = 30
TAIL = 0.5
"""Percent of the values at each end that the outermost bars hold, so that a few outliers do not flatten the rest."""
POINTS = 200
"""A curve is drawn through at most so many points."""
NARROWEST = 0.02
"""Half of the least range of a distribution of responses, so that a model without any is a spike at 0."""
SHORT = {"own_present": "states a finding", "own_negated": "denies a finding", "random_false": "foreign and false"}


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing with the model that it is of and what it shows, in words."""

    model: str
    series: int
    caption: str
    svg: str


def laterality_figures(results: Results) -> tuple[Drawing, ...]:
    """How the sentences of each model respond to a swap: their distribution, its mean with its interval."""
    return tuple(drawing for place in enumerate(results.models) if (drawing := _laterality(results, *place)))


def opt_out_figures(results: Results) -> tuple[Drawing, ...]:
    """For each model that withholds attention: the masses by class, and risk over coverage."""
    found = []
    for series, model in enumerate(results.models):
        masses = opt_out_masses(results.directory / "cases.parquet", model)
        if masses is not None:
            found.append(_mass_histogram(masses, series, model))
            found += [curve] if (curve := _risk_coverage(results, masses, series, model)) else []
    return tuple(found)


def _laterality(results: Results, series: int, model: str) -> Drawing | None:
    values = laterality_differences(results.directory / "cases.parquet", model)
    lri = parse_estimate(dig(results.summary, "laterality", model, "lri"))
    if not len(values) or lri is None or lri.mean is None:
        return None
    figure, axes = plot()
    reach = max(NARROWEST, float(np.percentile(np.abs(values), 100 - TAIL)))
    _bars(axes, {"": values}, np.linspace(-reach, reach, BINS + 1))
    axes.axvline(0, color=Pen.SOFT.value, linewidth=1, linestyle=(0, (3, 3)))
    _mean_with_interval(axes, lri)
    axes.set_xlabel("preference for the named side lost by the swap")
    above = float((values > 0).mean())
    caption = (
        f"Each sentence's response to a swap. Mean {numbers.with_interval(lri, signed=True)} (solid line, band), "
        f"{100 * above:.0f} % of {numbers.thousands(len(values))} sentences above 0 (dashed)"
    )
    return Drawing(model, series, caption, inline_svg(figure, f"lri-{series}", _unspaced(caption)))


def _mean_with_interval(axes: Axes, estimate: Estimate) -> None:
    if estimate.low is not None and estimate.high is not None:
        axes.axvspan(estimate.low, estimate.high, color=Pen.INK.value, alpha=0.2, linewidth=0)
    if estimate.mean is not None:
        axes.axvline(estimate.mean, color=Pen.INK.value, linewidth=1.6)


def _mass_histogram(masses: Masses, series: int, model: str) -> Drawing:
    figure, axes = plot()
    low, high = np.percentile(np.concatenate(list(masses.by_class.values())), (TAIL, 100 - TAIL))
    edges = np.linspace(low, high if high > low else low + 1e-6, BINS + 1)
    _bars(axes, {SHORT[name]: values for name, values in masses.by_class.items()}, edges)
    axes.set_xlabel("opt-out mass")
    axes.legend(**LEGEND)
    medians = (
        f"{wording.term(wording.OPT_OUT, name).label}: median {numbers.number(float(np.median(values)), 4)}, "
        f"{numbers.count(len(values))}"
        for name, values in masses.by_class.items()
    )
    caption = f"Opt-out mass by what the sentence states. {wording.sentence_case('; '.join(medians))}"
    return Drawing(model, series, caption, inline_svg(figure, f"mass-{series}", _unspaced(caption)))


def _bars(axes: Axes, values: Mapping[str, FloatArray], edges: FloatArray) -> None:
    """Outlined histograms as shares of the values; the outermost bars hold what lies beyond."""
    for (label, found), (pen, dashes) in zip(values.items(), SERIES, strict=False):
        share = np.histogram(np.clip(found, edges[0], edges[-1]), bins=edges)[0] / len(found)
        axes.stairs(share, edges, color=pen.value, alpha=0.18, fill=True, linewidth=0)
        axes.stairs(share, edges, color=pen.value, linewidth=1.6, linestyle=dashes, label=label)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_ylabel("sentences")


def _risk_coverage(results: Results, masses: Masses, series: int, model: str) -> Drawing | None:
    kinds = ("own_present", "random_false")
    if not set(kinds) <= set(masses.risk):
        return None
    order = np.concatenate([masses.by_class[kind] for kind in kinds])
    risk = np.concatenate([masses.risk[kind] for kind in kinds])
    curves = {
        "by opt-out mass": risk_coverage_curve(order, risk),
        "random order": risk_coverage_curve(np.zeros(len(risk)), risk),
        "ideal order": risk_coverage_curve(risk, risk),
    }
    if not len(curves["ideal order"]):
        return None
    figure, axes = plot()
    for (label, curve), (pen, dashes) in zip(curves.items(), SERIES, strict=True):
        axes.plot(*_thinned(curve), color=pen.value, linewidth=1.8, linestyle=dashes, label=label)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel("coverage: sentences answered")
    axes.set_ylabel("risk")
    axes.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    axes.legend(loc="lower right", **LEGEND)
    caption = f"Risk over coverage, sentences answered in ascending opt-out mass. {_areas(results, model)}"
    return Drawing(model, series, caption, inline_svg(figure, f"risk-{series}", _unspaced(caption)))


def _thinned(curve: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Coverage and risk at evenly spread points, the first and the last among them."""
    places = np.unique(np.linspace(0, len(curve) - 1, POINTS).round().astype(int))
    return (places + 1) / len(curve), curve[places]


def _areas(results: Results, model: str) -> str:
    """The areas under the curves, as the summary has them."""
    names = {"area": "Area", "area_in_random_order": "in random order", "area_in_ideal_order": "in ideal order"}
    found = (
        (label, parse_estimate(dig(results.summary, "opt_out", model, "risk_coverage", key)))
        for key, label in names.items()
    )
    return ", ".join(f"{label} {numbers.with_interval(e)}" for label, e in found if e is not None and e.known)


def _unspaced(text: str) -> str:
    """No spaces that some readers stumble over."""
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", "")
