"""What a map is worth: every metric in closed form over the grid, in two profiles.

    scoring.py    score(maps, boxes, …): start here
    registry.py   Metric, Protocol: what a metric declares, and how to add your own
    builtin.py    the metrics that ship, with range, direction, rule for empty labels and protocol names
    scene.py      what a metric sees: N maps, each cell's area and label area
    coverage.py   exact areas of a union of boxes in each cell
    ranking.py    cells in descending order, ties together
    auc.py topk.py mass.py contrast.py entropy.py    the formulas
    label.py      boxes of the original image → boxes of the frame, for both profiles
    pairs.py      numbers about two maps or two similarities: KL, matching

Profile `paper` is the procedure of arXiv 2210.06565 (label and map as 224 × 224 pixels, thresholds by its rules);
profile `exact` computes areas on real-valued boxes, leaves the padding out and takes ties in expectation.
"""

from harness.metrics.builtin import BUILTIN
from harness.metrics.registry import PROFILES, Metric, MetricError, Profile, Protocol, load_metric, register, registered
from harness.metrics.scene import Scene
from harness.metrics.scoring import score

register(*BUILTIN)

__all__ = [
    "PROFILES",
    "Metric",
    "MetricError",
    "Profile",
    "Protocol",
    "Scene",
    "load_metric",
    "register",
    "registered",
    "score",
]
