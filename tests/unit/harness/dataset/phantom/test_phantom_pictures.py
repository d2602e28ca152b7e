"""What is said must be there to see: findings are sought in the pixels, by leaving one out and comparing."""

from collections import Counter
from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from harness.case import Box
from harness.dataset.phantom import PhantomDataset, PhantomStudy
from harness.dataset.phantom.findings import KINDS, Finding
from harness.dataset.phantom.plan import StudyPlan
from harness.dataset.phantom.render import render
from harness.dataset.phantom.visibility import CONTRAST_FLOOR, contrast_to_noise
from wronglung.geometry import letterbox

PER_KIND = 3


@dataclass(frozen=True)
class Seen:
    """One finding of a study, and the picture with and without it."""

    plan: StudyPlan
    finding: Finding
    picture: np.ndarray
    without: np.ndarray

    @property
    def change(self) -> np.ndarray:
        return self.picture.astype(np.float32) - self.without

    @property
    def centroid(self) -> tuple[float, float]:
        weight = np.abs(self.change)
        weight = np.where(weight >= 0.5 * weight.max(), weight, 0)
        rows, columns = np.indices(weight.shape)
        return float((weight * (columns + 0.5)).sum() / weight.sum()), float(
            (weight * (rows + 0.5)).sum() / weight.sum()
        )

    def box(self, name: str) -> Box:
        return next(box for box in self.plan.boxes if box.name == name)


@pytest.fixture(scope="module")
def seen() -> list[Seen]:
    data, wanted, found = PhantomDataset(seed=3, split="train", patients=150), Counter[str](), []
    for index in range(len(data)):
        plan = data.plan(index)
        for number, finding in enumerate(plan.findings):
            if wanted[finding.kind.key] < PER_KIND:
                wanted[finding.kind.key] += 1
                found.append(Seen(plan, finding, render(plan), render(plan, frozenset({number}))))
    return found


def model_frame(pixels: np.ndarray) -> np.ndarray:
    """The picture at the resolution at which models see it."""
    frame = letterbox(pixels.shape[1], pixels.shape[0])
    size = (frame.resized_width, frame.resized_height)
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)


def test_every_kind_of_finding_occurs(seen: list[Seen]) -> None:
    assert len(KINDS) >= 8
    assert Counter(one.finding.kind.key for one in seen) == dict.fromkeys(KINDS, PER_KIND)


def test_every_finding_stands_out_at_the_models_resolution(seen: list[Seen]) -> None:
    for one in seen:
        picture, without = model_frame(one.picture), model_frame(one.without)
        assert contrast_to_noise(picture - without, without) >= CONTRAST_FLOOR, one.finding


def test_a_sided_finding_is_seen_in_the_lung_of_its_side(seen: list[Seen]) -> None:
    sided = [one for one in seen if one.finding.side]
    assert {one.finding.side for one in sided} == {"left", "right"}
    for one in sided:
        box, (x, _) = one.box(f"{one.finding.side} lung"), one.centroid
        assert box.x0 <= x <= box.x1, one.finding


def test_a_focal_finding_is_seen_in_its_zone(seen: list[Seen]) -> None:
    for one in (one for one in seen if one.finding.kind.spread == "focal"):
        box, (x, y) = one.box(one.finding.regions[0]), one.centroid
        slack = 0.15 * (box.y1 - box.y0)
        assert box.x0 - slack <= x <= box.x1 + slack, one.finding
        assert box.y0 - slack <= y <= box.y1 + slack, one.finding


def test_the_patients_right_lies_at_the_images_left(seen: list[Seen]) -> None:
    for one in seen:
        spine = one.box("spine")
        middle = 0.5 * (spine.x0 + spine.x1)
        assert one.box("right lung").x0 < middle < one.box("left lung").x1
        if one.finding.side == "right":
            assert one.centroid[0] < middle
        elif one.finding.side == "left":
            assert one.centroid[0] > middle


def test_air_makes_the_picture_darker_and_fluid_brighter(seen: list[Seen]) -> None:
    for one in seen:
        strongest = one.change.ravel()[np.argmax(np.abs(one.change))]
        assert strongest < 0 if one.finding.kind.key == "pneumothorax" else strongest > 0, one.finding


def test_leaving_out_nothing_changes_nothing(seen: list[Seen]) -> None:
    assert np.array_equal(render(seen[0].plan, frozenset({99})), seen[0].picture)


def test_the_heart_lies_mostly_at_the_patients_left(phantom_studies: list[PhantomStudy]) -> None:
    def left_share(study: PhantomStudy) -> float:
        boxes = {box.name: box for box in study.record.regions}
        spine = 0.5 * (boxes["spine"].x0 + boxes["spine"].x1)
        heart = boxes["cardiac silhouette"]
        return (heart.x1 - spine) / (heart.x1 - heart.x0)

    assert np.mean([left_share(study) for study in phantom_studies]) > 0.6


def test_lungs_are_dark_beside_a_bright_mediastinum(phantom_test_set: PhantomDataset) -> None:
    healthy = (index for index in range(60) if not phantom_test_set.plan(index).findings)
    for index, _ in zip(healthy, range(5), strict=False):
        pixels = phantom_test_set.study(index).unmarked
        boxes = {box.name: box for box in phantom_test_set.plan(index).boxes}
        for side in ("left", "right"):
            assert (
                mean_within(pixels, boxes[f"{side} mid lung zone"])
                < mean_within(pixels, boxes["cardiac silhouette"]) - 20
            )


def mean_within(pixels: np.ndarray, box: Box) -> float:
    """Mean of the inner half of a box."""
    x0, y0, x1, y1 = box.xyxy
    dx, dy = 0.25 * (x1 - x0), 0.25 * (y1 - y0)
    return float(pixels[int(y0 + dy) : int(y1 - dy), int(x0 + dx) : int(x1 - dx)].mean())
