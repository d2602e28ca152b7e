"""The gallery: maps lie where the frame says, in units that can be compared, and only files of the run are shown."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from harness.mask import encode
from harness.report import heat, render
from harness.report.exhibits import Exhibit
from harness.report.gallery import rooms
from harness.report.reader import ResultsError, read_results
from tests.report_fixture import Plan, build_results
from wronglung.geometry import letterbox


def exhibit(directory: Path, plan: Plan | None = None) -> Exhibit:
    return rooms(read_results(build_results(directory, plan)))[0].exhibits[0]


def edit_entry(directory: Path, **changes: Any) -> None:
    path = directory / "gallery" / "index.json"
    entries = json.loads(path.read_text())
    entries[0].update(changes)
    path.write_text(json.dumps(entries))


@pytest.mark.parametrize("size", [(640, 512), (300, 900), (1000, 250), (224, 224)])
def test_every_cell_is_drawn_over_its_own_pixels(tmp_path: Path, size: tuple[int, int]) -> None:
    shown = exhibit(tmp_path, Plan(image_size=size))
    overlay = shown.panels[0].overlays[0]
    cell_width, cell_height = overlay.width / 19, overlay.height / 19
    frame = letterbox(*size)
    for row, col in [(0, 0), (3, 11), (18, 18)]:
        drawn = (
            overlay.x + col * cell_width,
            overlay.y + row * cell_height,
            overlay.x + (col + 1) * cell_width,
            overlay.y + (row + 1) * cell_height,
        )
        np.testing.assert_allclose(drawn, frame.cell(row, col, 19, 19), atol=0.01)


def test_boxes_stay_in_original_pixels(tmp_path: Path) -> None:
    box = exhibit(tmp_path, Plan(image_size=(1000, 500))).boxes[0]
    assert (box.name, box.x, box.y) == ("left lung", 550.0, 100.0)
    np.testing.assert_allclose((box.width, box.height), (280.0, 300.0))


def test_a_mask_is_drawn_by_its_border(tmp_path: Path) -> None:
    mask = {"rows": 2, "cols": 2, "counts": encode(np.array([[True, False], [True, True]])).counts}
    directory = build_results(tmp_path)
    edit_entry(directory, boxes=[{"name": "nodule", "box_xyxy": [10, 20, 50, 60], "mask": mask}])
    (box,) = rooms(read_results(directory))[0].exhibits[0].boxes
    assert "M10.0 20.0h20.0" in box.path
    page = render(directory).read_text(encoding="utf-8")
    assert f'<path class="box" d="{box.path}"><title>nodule</title></path>' in page


def test_the_strongest_cell_of_the_picture_is_that_of_the_map() -> None:
    grid = np.full((5, 7), 0.2)
    grid[3, 1] = 0.9
    data = base64.b64decode(heat.heat_uri(grid, 0.2, 0.9).partition(",")[2])
    pixels = np.asarray(Image.open(io.BytesIO(data)))
    assert pixels.shape == (5, 7, 4)
    assert np.unravel_index(pixels[..., 3].argmax(), (5, 7)) == (3, 1)
    assert pixels[0, 0, 3] == 0


def test_stronger_attention_is_lighter_and_more_opaque() -> None:
    ramp = heat.colour(np.linspace(0, 1, 50)).astype(float)
    luminance = ramp[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > 0).all()
    assert (np.diff(ramp[:, 3]) >= 0).all()


def test_maps_of_one_model_on_one_image_share_a_scale(tmp_path: Path) -> None:
    build_results(tmp_path)
    grid = {"model": "encoder", "rows": 1, "cols": 2}
    arms = [
        {**grid, "perturbation": "none", "text": "left", "map": [0.9, 0.1]},
        {**grid, "perturbation": "swap_left_right", "text": "right", "map": [0.6, 0.4]},
    ]
    edit_entry(tmp_path, arms=arms)
    panel = rooms(read_results(tmp_path))[0].exhibits[0].panels[0]
    assert panel.scale == ("0.20 ×", "1.80 ×")
    assert [overlay.peak for overlay in panel.overlays] == ["1.80 ×", "1.20 ×"]


def test_a_nearly_flat_map_looks_flat(tmp_path: Path) -> None:
    build_results(tmp_path)
    arm = {"model": "encoder", "perturbation": "none", "text": "left", "rows": 1, "cols": 2, "map": [0.49, 0.51]}
    edit_entry(tmp_path, arms=[arm])
    panel = rooms(read_results(tmp_path))[0].exhibits[0].panels[0]
    assert panel.scale == ("0.98 ×", "1.48 ×")
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(panel.overlays[0].picture.partition(",")[2]))))
    assert pixels[..., 3].max() < 40


def test_rooms_come_in_a_fixed_order(tmp_path: Path) -> None:
    plan = Plan(exhibits=("random", "ignores_swap", "worst", "best", "worst", "something_new"))
    labels = [(room.label, len(room.exhibits)) for room in rooms(read_results(build_results(tmp_path, plan)))]
    assert labels == [("Best", 1), ("Worst", 2), ("Ignores a swap", 1), ("Random", 1), ("something new", 1)]


@pytest.mark.parametrize("name", ["../manifest.json", "nothing.png", "/etc/hostname", ""])
def test_only_pictures_of_the_gallery_are_taken_in(tmp_path: Path, name: str) -> None:
    build_results(tmp_path)
    edit_entry(tmp_path, image=name)
    with pytest.raises(ResultsError, match="which is no file of"):
        rooms(read_results(tmp_path))


def test_a_file_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    build_results(tmp_path)
    (tmp_path / "gallery" / "0.png").write_bytes(b"<svg onload='x'/>")
    with pytest.raises(ResultsError, match="neither PNG nor JPEG"):
        rooms(read_results(tmp_path))


@pytest.mark.parametrize("changes", [{"frame": {}}, {"boxes": [{"name": "x"}]}, {"image_size": [3]}, {"arms": None}])
def test_a_malformed_entry_is_named(tmp_path: Path, changes: dict[str, Any]) -> None:
    build_results(tmp_path)
    edit_entry(tmp_path, **changes)
    with pytest.raises(ResultsError, match=r"entry 0 of gallery/index\.json"):
        rooms(read_results(tmp_path))


def test_many_boxes_are_counted_and_the_first_few_named(tmp_path: Path) -> None:
    build_results(tmp_path)
    edit_entry(tmp_path, boxes=[{"name": f"rib {i // 2}", "box_xyxy": [i, i, i + 9, i + 9]} for i in range(40)])
    shown = rooms(read_results(tmp_path))[0].exhibits[0]
    assert shown.named == tuple(f"rib {i}" for i in range(6))
    assert shown.unnamed == 40 - 12
    assert shown.crowded
    assert len(shown.boxes) == 40


def test_the_share_of_the_named_side_follows_the_sentence_that_was_sent(tmp_path: Path) -> None:
    build_results(tmp_path)
    grid = {"model": "encoder", "rows": 1, "cols": 2, "map": [0.6, 0.4], "preference": 0.8}
    arms = [{**grid, "perturbation": arm, "text": "left"} for arm in ("none", "swap_left_right")]
    edit_entry(tmp_path, arms=arms)
    overlays = rooms(read_results(tmp_path))[0].exhibits[0].panels[0].overlays
    assert [overlay.facts for overlay in overlays] == [
        ("named side 80\N{NO-BREAK SPACE}%",),
        ("named side 20\N{NO-BREAK SPACE}%",),
    ]
