"""Which estimates each plot shows, and against which reference lines."""

from harness.report import wording
from harness.report.forest import Forest, Mark, forest
from harness.report.reader import Estimate, Results, dig, mapping, parse_estimate

CONTROLS_BELOW = ("text_blind", "image_blind")


def delta_plot(results: Results, metric_key: str) -> Forest | None:
    """Change of a metric per perturbation and model, each on the subset where the study reads it."""
    metric = wording.metric(metric_key)
    marks = []
    for arm in wording.in_order(wording.PERTURBATIONS, results.perturbations):
        subset = wording.favoured_subset(arm, results.subsets)
        group = f"{wording.term(wording.PERTURBATIONS, arm).label} ({wording.term(wording.SUBSETS, subset).label})"
        for series, model in enumerate(results.models):
            estimate = results.estimate("deltas", model, arm, subset, wording.DEFAULT_PROFILE, metric_key)
            if estimate is not None:
                marks.append(Mark(model, series, estimate, group))
    return forest(
        f"Change in {metric.label} when the sentence, the boxes or the image are changed",
        f"change in {metric.label}",
        marks,
        references=((0.0, "no change"),),
        digits=metric.digits,
        signed=True,
    )


def control_plot(results: Results, metric_key: str, subset: str) -> Forest | None:
    """Models between their controls: the oracle above, the blind maps and the uniform one below; None without any."""
    if not results.summary.get("controls"):
        return None
    metric = wording.metric(metric_key)
    where = (subset, wording.DEFAULT_PROFILE, metric_key)
    oracle = results.control("oracle", "", *where)
    marks = [_shared(results, "oracle", where), *_model_marks(results, where)]
    marks += [_shared(results, control, where) for control in ("centre_prior", "uniform")]
    references = [(0.5, "chance")] if metric_key == wording.PRIMARY_METRIC else []
    if oracle is not None and oracle.mean is not None:
        references.append((oracle.mean, "ceiling"))
    caption = f"{metric.label}, {wording.term(wording.SUBSETS, subset).label}: models and controls"
    drawn = [mark for mark in marks if mark is not None]
    return forest(caption, metric.label, drawn, references=references, digits=metric.digits)


def _shared(results: Results, control: str, where: tuple[str, str, str]) -> Mark | None:
    estimate = results.control(control, "", *where)
    label = wording.term(wording.CONTROLS, control).label
    return None if estimate is None else Mark(label, -1, estimate, "Without a model")


def _model_marks(results: Results, where: tuple[str, str, str]) -> list[Mark]:
    marks = []
    for series, model in enumerate(results.models):
        own = results.estimate("models", model, wording.BASELINE, *where)
        candidates: list[tuple[str, Estimate | None, int]] = [(model, own, series)]
        candidates += [
            (wording.term(wording.CONTROLS, c).label, results.control(c, model, *where), -1) for c in CONTROLS_BELOW
        ]
        marks += [Mark(label, place, e, model) for label, e, place in candidates if e is not None]
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


def opt_out_plot(results: Results) -> Forest | None:
    """How well the opt-out mass tells foreign sentences from the image's own."""
    marks = []
    for series, model in enumerate(results.models):
        for key, node in mapping(dig(results.summary, "opt_out", model)).items():
            estimate = parse_estimate(node)
            if estimate is not None and "auroc" in key:
                marks.append(Mark(model, series, estimate, key.replace("_", " ")))
    return forest("Opt-out mass as a decision", "AUROC", marks, references=((0.5, "chance"),))
