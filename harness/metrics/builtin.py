"""The metrics that every run reports. Protocol names end in a version: it grows when a definition changes."""

import math

from harness.metrics import auc, contrast, entropy, mass, topk
from harness.metrics.registry import Metric, Protocol
from harness.metrics.scene import Array, Scene


def _lost(scene: Scene) -> Array:
    return scene.lost


_RANKING = (
    Metric(
        name="auroc",
        description="Chance that a point of the label gets more attention than a point outside; null if it covers all.",
        protocols={
            "paper": Protocol("auroc/pixels-224/1", auc.auroc),
            "exact": Protocol("auroc/areas/1", auc.auroc),
        },
    ),
    Metric(
        name="avg_precision",
        description="Area under precision over recall; a map without information scores the label's share of the area.",
        protocols={
            "paper": Protocol("average-precision/stepwise/1", auc.stepwise_average_precision),
            "exact": Protocol("average-precision/ties-in-expectation/1", auc.expected_average_precision),
        },
    ),
)

_TOP_K_TEXTS = {
    "precision": (topk.precision, "Share of the {k} % most attended area that lies under the label."),
    "recall": (topk.recall, "Share of the label under the {k} % most attended area."),
    "f1": (topk.f1, "Harmonic mean of precision and recall at {k} %."),
    "iou": (topk.iou, "Intersection over union of the {k} % most attended area and the label."),
}


def _top_k(name: str, percent: int) -> Metric:
    overlap, text = _TOP_K_TEXTS[name]
    expected = topk.at(percent, topk.by_expectation, overlap)
    published = topk.above_threshold if name == "iou" else topk.at_least_threshold
    suffix = "above-threshold" if name == "iou" else "at-least-threshold"
    return Metric(
        name=f"{name}_at_{percent}",
        description=text.format(k=percent),
        protocols={
            "paper": Protocol(f"{name}/top-{percent}/{suffix}/1", topk.at(percent, published, overlap)),
            "exact": Protocol(f"{name}/top-{percent}/ties-in-expectation/1", expected),
        },
    )


_DISTRIBUTION = (
    Metric(
        name="entropy",
        description="Entropy of the attention in nats, opt-out bin included; ln(cells) for a uniform map.",
        protocols={
            "paper": Protocol("entropy/nats-with-opt-out/1", entropy.entropy),
            "exact": Protocol("entropy/nats-with-opt-out/1", entropy.entropy),
        },
        highest=math.inf,
        direction="none",
        empty_label="defined",
    ),
    Metric(
        name="opt_out_mass",
        description="Attention withheld from the image; depends on the length of the sentence.",
        protocols={
            "paper": Protocol("opt-out-mass/1", entropy.opt_out_mass),
            "exact": Protocol("opt-out-mass/1", entropy.opt_out_mass),
        },
        direction="none",
        empty_label="defined",
    ),
)

_LOCATION = (
    Metric(
        name="pointing",
        description="Label coverage of the most attended cell (the mean over cells that share the maximum).",
        protocols={"exact": Protocol("pointing/coverage-of-float32-maximum/1", mass.pointing)},
    ),
    Metric(
        name="mass_in_box",
        description="Share of the attention on the image that lies under the label.",
        protocols={"exact": Protocol("mass-in-box/1", mass.mass_in_box)},
    ),
    Metric(
        name="soft_iou",
        description="Σ min / Σ max of the map over its maximum and the label coverage.",
        protocols={"exact": Protocol("soft-iou/max-normalised/1", mass.soft_iou)},
    ),
    Metric(
        name="cnr",
        description="Contrast-to-noise ratio, signed: negative when the label gets less attention than the rest.",
        protocols={"exact": Protocol("cnr/signed/1", contrast.cnr)},
        lowest=-math.inf,
        highest=math.inf,
    ),
    Metric(
        name="cnr_abs",
        description="Contrast-to-noise ratio as in the literature: the absolute value, blind to which side wins.",
        protocols={"exact": Protocol("cnr/absolute/1", contrast.cnr_abs)},
        highest=math.inf,
    ),
    Metric(
        name="mean_iou",
        description="IoU of the cells with at least t of the maximum and the label, mean over t = 0.1 … 0.5.",
        protocols={"exact": Protocol("mean-iou/relative-0.1-0.5/1", mass.mean_iou)},
    ),
)

_DIAGNOSTICS = (
    Metric(
        name="tied_area",
        description="Share of the image in cells whose value another cell has too.",
        protocols={"exact": Protocol("tied-area/1", mass.tied_area)},
        direction="none",
        empty_label="defined",
    ),
    Metric(
        name="lost",
        description="Share of the boxes' union outside the model's frame; 1 when all is lost and the rest is null.",
        protocols={"exact": Protocol("lost/1", _lost)},
        direction="none",
        empty_label="defined",
    ),
)

BUILTIN: tuple[Metric, ...] = (
    *_RANKING,
    *(_top_k(name, percent) for name in _TOP_K_TEXTS for percent in topk.PERCENTS),
    *_DISTRIBUTION,
    *_LOCATION,
    *_DIAGNOSTICS,
)
