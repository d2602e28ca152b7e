"""Which estimates each plot shows, and against which reference lines."""

from harness.report import wording
from harness.report.forest import Forest, Mark, forest
from harness.report.reader import Estimate, Results, dig, mapping, parse_estimate
from harness.report.study.published import VARIANTS, Values

NOTHING: Values = {}
SWAP = "swap_left_right"
BLIND = ("text_blind", "image_blind", "image_blind_same_meaning")


def delta_plot(
    results: Results, metric_key: str, *, profile: str = wording.DEFAULT_PROFILE, published: Values = NOTHING
) -> Forest | None:
    """Change of a metric per perturbation and model, each on the subset where the study reads it, with the study's own
    beside, if given."""
    metric = wording.metric(metric_key)
    marks = []
    for arm in wording.in_order(wording.PERTURBATIONS, results.perturbations):
        subset = wording.favoured_subset(arm, results.subsets)
        group = f"{wording.term(wording.PERTURBATIONS, arm).label} ({wording.term(wording.SUBSETS, subset).label})"
        for series, model in enumerate(results.models):
            estimate = results.estimate("deltas", model, arm, subset, profile, metric_key)
            if estimate is not None:
                marks.append(Mark(model, series, estimate, group))
        marks += _published_marks(published, (arm, subset, metric_key), group)
    return forest(
        f"Change in {metric.label} when the sentence, the boxes or the image are changed{_in(profile)}",
        f"change in {metric.label}",
        marks,
        references=((0.0, "no change"),),
        digits=metric.digits,
        signed=True,
    )


def _in(profile: str) -> str:
    return "" if profile == wording.DEFAULT_PROFILE else f", {profile} profile"


def _published_marks(published: Values, where: tuple[str, str, str], group: str) -> list[Mark]:
    arm, subset, metric_key = where
    asked = arm.removesuffix("_paper")
    found = ((v, published.get((v, asked, subset, metric_key))) for v in VARIANTS)
    return [
        Mark(f"{VARIANTS[variant]}, published", -1, Estimate(points / 100, None, None, 0), group)
        for variant, points in found
        if points is not None
    ]


def control_plot(results: Results, metric_key: str, subset: str) -> Forest | None:
    """Models between their controls; None without any."""
    if not results.summary.get("controls"):
        return None
    metric = wording.metric(metric_key)
    where = (subset, wording.DEFAULT_PROFILE, metric_key)
    references = [(0.5, "chance")] if metric_key == wording.PRIMARY_METRIC else []
    oracle = results.shared_control("oracle", *where)
    if oracle is not None and oracle.mean is not None and wording.has_ceiling(metric_key):
        references.append((oracle.mean, "ceiling"))
    return forest(
        f"{metric.label}, {wording.term(wording.SUBSETS, subset).label}: models and controls",
        metric.label,
        [*_shared_controls(results, where), *_models_with_controls(results, where)],
        references=references,
        digits=metric.digits,
    )


def _shared_controls(results: Results, where: tuple[str, str, str]) -> list[Mark]:
    found = ((term, results.shared_control(control, *where)) for control, term in wording.CONTROLS.items())
    return [Mark(term.label, -1, estimate, "Without a model") for term, estimate in found if estimate is not None]


def _models_with_controls(results: Results, where: tuple[str, str, str]) -> list[Mark]:
    marks = []
    for series, model in enumerate(results.models):
        found = [(model, series, results.estimate("models", model, wording.BASELINE, *where))]
        for control, term in wording.CONTROLS.items():
            found.append((term.label, -1, results.own_control(control, model, *where)))
        marks += [Mark(label, place, e, model) for label, place, e in found if e is not None]
    return marks


def laterality_plot(results: Results) -> Forest | None:
    """The Laterality Response Index per model, 0 = left and right ignored, 1 = followed."""
    found = (
        (series, model, parse_estimate(dig(results.summary, "laterality", model, "lri")))
        for series, model in enumerate(results.models)
    )
    marks = [Mark(model, series, estimate) for series, model, estimate in found if estimate is not None]
    return forest(
        "Laterality Response Index",
        "LRI",
        marks,
        references=((0.0, "ignored"), (1.0, "followed")),
        signed=True,
    )


def swap_plot(results: Results, metric_key: str) -> Forest | None:
    """A metric on the sentences where a swap can matter: as written, swapped, and of each model's blind maps."""
    metric = wording.metric(metric_key)
    subset = wording.favoured_subset(SWAP, results.subsets)
    where = (subset, wording.DEFAULT_PROFILE, metric_key)
    marks = []
    for series, model in enumerate(results.models):
        arms = {arm: results.estimate("models", model, arm, *where) for arm in (wording.BASELINE, SWAP)}
        if arms[SWAP] is None:
            continue
        found = [(wording.term(wording.PERTURBATIONS, arm).label, series, estimate) for arm, estimate in arms.items()]
        for control in BLIND:
            found.append((wording.CONTROLS[control].label, -1, results.own_control(control, model, *where)))
        marks += [Mark(label, place, e, model) for label, place, e in found if e is not None]
    return forest(
        f"{metric.label}, {wording.term(wording.SUBSETS, subset).label}: as written, swapped, and blind maps",
        metric.label,
        marks,
        references=((0.5, "chance"),) if metric_key == wording.PRIMARY_METRIC else (),
        digits=metric.digits,
    )


def advantage_plot(results: Results, metric_key: str, subset: str) -> Forest | None:
    """What each model adds to what a control reaches, on the sentences that both have."""
    metric = wording.metric(metric_key)
    marks = []
    for control in wording.CONTROLS:
        for series, model in enumerate(results.models):
            path = (control, subset, wording.DEFAULT_PROFILE, metric_key)
            estimate = results.estimate("advantage", model, *path)
            if estimate is not None and control != "oracle":
                marks.append(Mark(model, series, estimate, f"above {wording.term(wording.CONTROLS, control).label}"))
    return forest(
        f"{metric.label} above the controls, {wording.term(wording.SUBSETS, subset).label}",
        f"{metric.label} gained",
        marks,
        references=((0.0, "no better"),),
        digits=metric.digits,
        signed=True,
    )


def opt_out_decision_plot(results: Results) -> Forest | None:
    """How well the opt-out mass tells false foreign sentences from the image's own."""
    caption = "Opt-out mass as a decision: does it tell false sentences from true ones?"
    return _opt_out_plot(results, (), caption, "AUROC", ((0.5, "chance"),), 3)


def opt_out_mass_plot(results: Results) -> Forest | None:
    """The mean opt-out mass by what the sentence says of the image."""
    return _opt_out_plot(results, ("mass",), "Opt-out mass by kind of sentence", "opt-out mass", ((0.0, "none"),), 4)


def _opt_out_plot(
    results: Results,
    path: tuple[str, ...],
    caption: str,
    axis: str,
    references: tuple[tuple[float, str], ...],
    digits: int,
) -> Forest | None:
    marks = []
    for series, model in enumerate(results.models):
        for key, node in mapping(dig(results.summary, "opt_out", model, *path)).items():
            estimate = parse_estimate(node)
            if estimate is not None:
                marks.append(Mark(model, series, estimate, wording.term(wording.OPT_OUT, key).label))
    return forest(caption, axis, marks, references=references, digits=digits)
