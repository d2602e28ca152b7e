import numpy as np
import pytest

from harness.case import ImageRecord
from harness.dataset.phantom.regions import REGION_NAMES, lung_of, mirrored


def boxes_of(record: ImageRecord) -> dict[str, tuple[float, float, float, float]]:
    return {box.name: box.xyxy for box in record.regions}


def area(box: tuple[float, float, float, float]) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    """Share of a that lies in b."""
    return area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3]))) / area(a)


def test_the_names_are_chest_imagenomes() -> None:
    sided = ("lung", "upper lung zone", "mid lung zone", "lower lung zone", "apical zone", "hilar structures")
    sided += ("costophrenic angle", "hemidiaphragm", "clavicle")
    midline = ("mediastinum", "upper mediastinum", "cardiac silhouette", "aortic arch", "trachea", "carina", "spine")
    assert set(REGION_NAMES) == {f"{side} {part}" for side in ("left", "right") for part in sided} | {
        *midline,
        "abdomen",
    }


def test_boxes_lie_in_the_image_and_are_named_once(phantom_records: list[ImageRecord]) -> None:
    for record in phantom_records:
        assert len(boxes_of(record)) == len(record.regions)
        for x0, y0, x1, y1 in boxes_of(record).values():
            assert 0 <= x0 < x1 <= record.width
            assert 0 <= y0 < y1 <= record.height


def test_nearly_every_image_shows_nearly_every_region(phantom_records: list[ImageRecord]) -> None:
    shown = {name: np.mean([name in boxes_of(record) for record in phantom_records]) for name in REGION_NAMES}
    assert all(shown[f"{side} {part}"] == 1 for side in ("left", "right") for part in ("lung", "costophrenic angle"))
    assert min(shown.values()) > 0.8


def test_zones_lie_in_their_lung_from_top_to_bottom(phantom_records: list[ImageRecord]) -> None:
    for record in phantom_records[:80]:
        boxes = boxes_of(record)
        for side in ("left", "right"):
            zones = [boxes[f"{side} {zone} lung zone"] for zone in ("upper", "mid", "lower")]
            assert all(overlap(zone, boxes[f"{side} lung"]) > 0.99 for zone in zones)
            assert zones[0][1] < zones[1][1] < zones[2][1]
            assert overlap(boxes[f"{side} apical zone"], zones[0]) > 0.99


def test_the_lungs_lie_at_their_radiological_sides(phantom_records: list[ImageRecord]) -> None:
    for record in phantom_records:
        boxes = boxes_of(record)
        assert sum(boxes["right lung"][::2]) < sum(boxes["left lung"][::2])


@pytest.mark.parametrize("name", REGION_NAMES)
def test_mirroring_a_name_twice_gives_it_back(name: str) -> None:
    assert mirrored(name) in REGION_NAMES
    assert mirrored(mirrored(name)) == name
    assert (mirrored(name) != name) == name.startswith(("left ", "right "))


def test_a_zone_belongs_to_its_lung_and_the_heart_to_none() -> None:
    assert lung_of("left mid lung zone") == lung_of("left costophrenic angle") == "left lung"
    assert lung_of("left lung") is lung_of("left clavicle") is lung_of("cardiac silhouette") is None
