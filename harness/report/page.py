"""Everything that the template shows, gathered from a run's results. No wording of HTML here."""

from dataclasses import dataclass

from harness.report import comparisons, facts, figures, gallery, headline, heat, plots, wording
from harness.report.exhibits import Room
from harness.report.facts import Fact
from harness.report.figures import Drawing
from harness.report.forest import Forest
from harness.report.headline import Answer
from harness.report.reader import Results, Section
from harness.report.reproduce import run_file
from harness.report.study import Published, published_beside, study_tables
from harness.report.tables import PROFILES, Table, metric_tables
from harness.report.wording import Metric, Term

DELTA_METRICS = ("auroc", "iou_at_10", "pointing", "mass_in_box", "entropy")
CONTROL_METRICS = ("auroc", "precision_at_10", "pointing", "mass_in_box")


@dataclass(frozen=True, slots=True)
class Plots:
    """The first plot is shown, the others are folded away."""

    first: Forest | None
    more: tuple[Forest, ...]


@dataclass(frozen=True, slots=True)
class Study:
    """The study's tables; `published` says where the values of others beside them come from, None without any."""

    headline: Forest | None
    tables: tuple[Table, ...]
    published: Published | None


@dataclass(frozen=True, slots=True)
class OptOut:
    """The opt-out panel; every part may be empty."""

    decision: Forest | None
    mass: Forest | None
    table: Table | None
    figures: tuple[Drawing, ...]

    def __bool__(self) -> bool:
        return bool(self.decision or self.mass or self.table or self.figures)


@dataclass(frozen=True, slots=True)
class Laterality:
    """The panel of left and right; every part may be missing."""

    index: Forest | None
    figures: tuple[Drawing, ...]
    beside: Forest | None
    """The same sentences' accuracy as written, swapped, and of the maps that cannot read or see."""
    table: Table | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The models against each other; both parts are empty for a run of one model."""

    plots: tuple[Forest, ...]
    table: Table | None


@dataclass(frozen=True, slots=True)
class Page:
    """The report's content, top to bottom."""

    title: str
    size: str
    few_patients: bool
    patients: int | None
    models: tuple[str, ...]
    lead: str
    answers: tuple[Answer, ...]
    study: Study
    localisation: tuple[Table, ...]
    localisation_paper: tuple[Table, ...]
    further: tuple[Table, ...]
    metrics: tuple[Metric, ...]
    perturbations: tuple[Term, ...]
    deltas: Plots
    delta_tables: tuple[Table, ...]
    laterality: Laterality
    opt_out: OptOut
    controls: Plots
    advantage: Plots
    comparison: Comparison
    rooms: tuple[Room, ...]
    heat_legend: str
    failures: Table | None
    not_applicable: Table | None
    left_out: Table | None
    lineage: tuple[Fact, ...]
    run_file: str


def make_page(results: Results) -> Page:
    """Gather the report's content."""
    answers = headline.answers(results)
    failures, not_applicable, left_out = facts.missing_tables(results)
    return Page(
        title=results.name,
        size=facts.size_line(results),
        few_patients=results.few_patients,
        patients=results.patients,
        models=results.models,
        lead=headline.lead(answers),
        answers=answers,
        study=_study(results),
        localisation=metric_tables(results, "models", "exact", wording.MAIN_METRICS),
        localisation_paper=metric_tables(results, "models", "paper", wording.MAIN_METRICS),
        further=_in_both_profiles(results, "models", wording.further_metrics(results.metrics), about="further metrics"),
        metrics=tuple(wording.metric(key) for key in _shown_metrics(results)),
        perturbations=tuple(
            wording.term(wording.PERTURBATIONS, key)
            for key in wording.in_order(wording.PERTURBATIONS, results.perturbations)
        ),
        deltas=_plots(*(plots.delta_plot(results, key) for key in DELTA_METRICS)),
        delta_tables=_in_both_profiles(results, "deltas", wording.MAIN_METRICS)
        + _in_both_profiles(results, "deltas", wording.further_metrics(results.metrics), about="further metrics"),
        laterality=Laterality(
            index=plots.laterality_plot(results),
            figures=figures.laterality_figures(results),
            beside=plots.swap_plot(results, wording.PRIMARY_METRIC),
            table=facts.laterality_table(results),
        ),
        opt_out=_opt_out(results),
        controls=_plots(*(plots.control_plot(results, key, "all") for key in CONTROL_METRICS)),
        advantage=_plots(*(plots.advantage_plot(results, key, "all") for key in CONTROL_METRICS)),
        comparison=Comparison(comparisons.comparison_plots(results), comparisons.comparison_table(results)),
        rooms=gallery.rooms(results),
        heat_legend=heat.legend_uri(),
        failures=failures,
        not_applicable=not_applicable,
        left_out=left_out,
        lineage=facts.lineage(results),
        run_file=run_file(results),
    )


def _shown_metrics(results: Results) -> tuple[str, ...]:
    return *wording.MAIN_METRICS, *wording.further_metrics(results.metrics)


def _in_both_profiles(results: Results, section: Section, keys: tuple[str, ...], about: str = "") -> tuple[Table, ...]:
    return tuple(table for profile in PROFILES for table in metric_tables(results, section, profile, keys, about=about))


def _plots(first: Forest | None, *more: Forest | None) -> Plots:
    return Plots(first, tuple(plot for plot in more if plot is not None))


def _study(results: Results) -> Study:
    published = published_beside(results)
    changes = published.changes if published else {}
    return Study(
        headline=plots.delta_plot(results, wording.PRIMARY_METRIC, profile="paper", published=changes),
        tables=study_tables(results, published),
        published=published,
    )


def _opt_out(results: Results) -> OptOut:
    return OptOut(
        decision=plots.opt_out_decision_plot(results),
        mass=plots.opt_out_mass_plot(results),
        table=facts.opt_out_table(results),
        figures=figures.opt_out_figures(results),
    )
