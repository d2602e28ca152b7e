"""Nothing but the picture tells where a finding is: not its name, not the letters, not the centre of the image."""

import math
from collections import Counter

import numpy as np
import pytest
from scipy.stats import chi2_contingency, rankdata

from harness.case import ImageRecord, Sentence
from harness.dataset.phantom import PhantomDataset
from harness.dataset.phantom.anatomy import sample_anatomy
from harness.dataset.phantom.findings import KINDS, Finding, sample_findings
from harness.dataset.phantom.plan import StudyPlan
from wronglung.geometry import letterbox

GRID = 38


@pytest.fixture(scope="module")
def drawn() -> list[tuple[Finding, ...]]:
    rng = np.random.default_rng(0)
    return [sample_findings(sample_anatomy(rng), rng)[0] for _ in range(4000)]


@pytest.fixture(scope="module")
def plans() -> list[StudyPlan]:
    data = PhantomDataset(seed=11, split="train", patients=500)
    return [data.plan(index) for index in range(len(data))]


def within_chance(count: int, total: int, share: float) -> bool:
    """Whether a count lies within four standard deviations of its expectation."""
    return abs(count - total * share) <= 4 * math.sqrt(total * share * (1 - share))


@pytest.mark.parametrize("key", [key for key, kind in KINDS.items() if kind.spread != "heart"])
def test_sides_are_balanced_for_every_kind(key: str, drawn: list[tuple[Finding, ...]]) -> None:
    sides = Counter(f.side for findings in drawn for f in findings if f.kind.key == key)
    assert sides.total() > 200
    assert within_chance(sides["left"], sides.total(), 0.5), sides


@pytest.mark.parametrize("key", [key for key, kind in KINDS.items() if kind.spread == "focal"])
def test_zones_are_balanced_for_every_focal_kind(key: str, drawn: list[tuple[Finding, ...]]) -> None:
    zones = Counter(f.regions[0].split(" ", 1)[1] for findings in drawn for f in findings if f.kind.key == key)
    assert len(zones) == 3
    assert all(within_chance(count, zones.total(), 1 / 3) for count in zones.values()), zones


def test_no_two_findings_share_a_zone(drawn: list[tuple[Finding, ...]]) -> None:
    for findings in drawn:
        zones = [zone for finding in findings for zone in finding.zones]
        assert len(set(zones)) == len(zones)


def test_normal_studies_and_studies_with_several_findings_exist(drawn: list[tuple[Finding, ...]]) -> None:
    counts = Counter(len(findings) for findings in drawn)
    assert counts[0] > 0.15 * len(drawn)
    assert sum(counts[n] for n in counts if n >= 2) > 0.3 * len(drawn)


@pytest.mark.parametrize("what", ["left", "right", "normal"])
@pytest.mark.parametrize("mark", ["letter L", "letter R", "devices"])
def test_letters_and_devices_are_independent_of_findings(what: str, mark: str, plans: list[StudyPlan]) -> None:
    def has_mark(plan: StudyPlan) -> bool:
        return bool(plan.devices) if mark == "devices" else any(m.text == mark[-1] for m in plan.markers)

    def has_finding(plan: StudyPlan) -> bool:
        return not plan.findings if what == "normal" else any(f.side == what for f in plan.findings)

    table = np.zeros((2, 2))
    for plan in plans:
        table[int(has_mark(plan)), int(has_finding(plan))] += 1
    assert table.min() > 20
    assert chi2_contingency(table).pvalue > 0.001


def test_position_scale_rotation_and_shape_vary_by_ten_percent_and_more(plans: list[StudyPlan]) -> None:
    def spread(values: list[float]) -> float:
        """Distance between the 5th and the 95th percentile."""
        low, high = np.percentile(values, [5, 95])
        return float(high - low)

    lungs = [(plan, next(box for box in plan.boxes if box.name == "left lung")) for plan in plans]
    assert spread([(b.x0 + b.x1) / (2 * p.view.width) for p, b in lungs]) > 0.1
    assert spread([(b.y0 + b.y1) / (2 * p.view.height) for p, b in lungs]) > 0.1
    assert spread([np.log((b.x1 - b.x0) / p.view.width) for p, b in lungs]) > 0.1
    assert spread([np.log((b.y1 - b.y0) / (b.x1 - b.x0)) for p, b in lungs]) > 0.1
    assert spread([np.rad2deg(np.arctan2(p.view.matrix[1][0], p.view.matrix[0][0])) for p in plans]) > 9
    assert spread([np.log(plan.anatomy.heart.b) for plan in plans]) > 0.1
    assert spread([np.log(plan.view.width / plan.view.height) for plan in plans]) > 0.1


def test_the_acquisition_varies(plans: list[StudyPlan]) -> None:
    longer = [max(plan.view.width, plan.view.height) for plan in plans]
    assert min(longer) >= 320
    assert max(longer) <= 512
    assert len(set(longer)) > 50
    assert {m.text for plan in plans for m in plan.markers} >= {"L", "R", "PA", "AP"}
    assert {d.kind for plan in plans for d in plan.devices} >= {"pacemaker", "endotracheal tube", "monitoring lead"}
    assert 0.3 < np.mean([any(plan.exposure.collimation) for plan in plans]) < 0.9
    assert len({plan.exposure.gamma for plan in plans}) == len(plans)


def test_a_centre_prior_is_no_good_guide(phantom_records: list[ImageRecord]) -> None:
    labels, domains, patients = [], [], []
    for record in phantom_records[:200]:
        for sentence in record.sentences:
            labels.append(rasterised(record, sentence))
            domains.append(frame_mask([letterbox(record.width, record.height).image_rect]))
            patients.append(record.patient_id)
    total, count = np.sum(labels, axis=0, dtype=float), len(labels)
    own = {patient: np.array([p == patient for p in patients]) for patient in set(patients)}
    mean_of_others = {p: (total - np.array(labels)[mask].sum(axis=0)) / (count - mask.sum()) for p, mask in own.items()}
    scores = [auroc(mean_of_others[p][d], m[d]) for p, m, d in zip(patients, labels, domains, strict=True)]
    assert np.nanmean(scores) < 0.75


def rasterised(record: ImageRecord, sentence: Sentence) -> np.ndarray:
    frame = letterbox(record.width, record.height)
    return frame_mask([frame.to_frame(box.xyxy) for box in sentence.boxes])


def frame_mask(rectangles: list[tuple[float, float, float, float]]) -> np.ndarray:
    """The union of rectangles of the 224-pixel frame on a coarser grid."""
    mask = np.zeros((GRID, GRID), dtype=bool)
    for rectangle in rectangles:
        x0, y0, x1, y1 = (round(min(max(value, 0), 224) * GRID / 224) for value in rectangle)
        mask[y0:y1, x0:x1] = True
    return mask


def auroc(scores: np.ndarray, truth: np.ndarray) -> float:
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return math.nan
    ranks = rankdata(scores)
    return float((ranks[truth].sum() - positives * (positives + 1) / 2) / (positives * negatives))
