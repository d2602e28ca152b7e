"""The pictures of a report: chosen by rule, drawn small, in original pixels."""

import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from harness.case import Box
from harness.gallery import LONGER_SIDES, PICTURE_BYTES, small_jpeg
from harness.mask import encode
from harness.pipeline import run
from harness.runconfig import parse_run_config
from tests.harness_fakes import LEFT_LUNG, FakeClient, FakeDataset, fake_dataset, fake_map, png, record, sentence

COUNTS = {"best": 2, "worst": 3, "ignores_swap": 1, "random": 2}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The entries of a gallery with its folder and rows."""
    out = tmp_path_factory.mktemp("gallery")
    tree = {
        "name": "t",
        "dataset": {"kind": "phantom"},
        "models": ["m", "n"],
        "resamples": 100,
        "profiles": ["exact"],
        "gallery": COUNTS,
        "out": out,
    }
    run(parse_run_config(tree, "t"), fake_dataset(6), FakeClient())
    return (
        json.loads((out / "gallery" / "index.json").read_bytes()),
        out,
        pq.read_table(out / "cases.parquet").to_pylist(),
    )


def test_there_are_as_many_of_each_kind_as_asked_for_and_one_of_an_image(made):
    entries, _, _ = made
    for kind, count in COUNTS.items():
        images = [entry["image_id"] for entry in entries if entry["kind"] == kind]
        assert len(images) == len(set(images)) == count


def by_mean(rows, perturbation, metric):
    found = {}
    for row in rows:
        if row["perturbation"] == perturbation and row[metric] is not None:
            found.setdefault(row["sentence_id"], []).append(row[metric])
    return {sentence: np.mean(values) for sentence, values in found.items()}


def test_best_and_worst_are_by_mean_auroc_over_the_models(made):
    entries, _, rows = made
    auroc = by_mean(rows, "none", "exact_auroc")
    first = {kind: next(e["sentence_id"] for e in entries if e["kind"] == kind) for kind in ("best", "worst")}
    assert first == {"best": max(auroc, key=auroc.get), "worst": min(auroc, key=auroc.get)}


def test_a_swap_is_ignored_most_where_the_attention_stays_on_the_side_that_is_no_longer_named(made):
    entries, _, rows = made
    stays = by_mean(rows, "swap_left_right", "exact_preference")
    (entry,) = (e for e in entries if e["kind"] == "ignores_swap")
    assert entry["sentence_id"] == max(stays, key=stays.get)
    assert [(arm["model"], arm["perturbation"]) for arm in entry["arms"]] == [
        (model, perturbation) for model in ("m", "n") for perturbation in ("none", "swap_left_right")
    ]
    found = [arm["preference"] for arm in entry["arms"] if arm["perturbation"] == "swap_left_right"]
    assert np.mean(found) == pytest.approx(stays[entry["sentence_id"]])


def test_without_the_exact_profile_it_is_where_the_map_moves_least(tmp_path):
    tree = {"name": "t", "dataset": {"kind": "phantom"}, "models": ["m"], "resamples": 100, "gallery": COUNTS}
    run(parse_run_config(tree | {"profiles": ["paper"], "out": tmp_path}, "t"), fake_dataset(6), FakeClient())
    change = by_mean(pq.read_table(tmp_path / "cases.parquet").to_pylist(), "swap_left_right", "paper_kl")
    entries = json.loads((tmp_path / "gallery" / "index.json").read_bytes())
    (entry,) = (e for e in entries if e["kind"] == "ignores_swap")
    assert entry["sentence_id"] == min(change, key=change.get)
    assert {arm["preference"] for arm in entry["arms"]} == {None}


def test_an_entry_holds_the_maps_as_they_were_answered(made):
    entries, folder, _ = made
    for entry in entries:
        study = record(int(entry["image_id"].removeprefix("image")))
        sentence = next(s for s in study.sentences if s.sentence_id == entry["sentence_id"])
        assert entry["boxes"] == [{"name": b.name, "box_xyxy": list(b.xyxy)} for b in sentence.boxes]
        assert entry["image_size"] == [study.width, study.height]
        assert (folder / "gallery" / entry["image"]).is_file()
        for arm in entry["arms"]:
            expected = fake_map(arm["model"], study.load(), arm["text"])
            np.testing.assert_array_equal(np.array(arm["map"], np.float32).reshape(arm["rows"], arm["cols"]), expected)


@pytest.mark.parametrize("profiles", [["exact", "paper"], ["paper", "exact"]])
def test_the_order_of_the_profiles_chooses_no_other_pictures(made, tmp_path, profiles):
    entries, _, _ = made
    tree = {"name": "t", "dataset": {"kind": "phantom"}, "models": ["m", "n"], "resamples": 100, "gallery": COUNTS}
    run(parse_run_config(tree | {"profiles": profiles, "out": tmp_path}, "t"), fake_dataset(6), FakeClient())
    assert json.loads((tmp_path / "gallery" / "index.json").read_bytes()) == entries


def opened(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def smooth(width, height):
    """A picture that compresses well."""
    rows, cols = np.mgrid[0:height, 0:width]
    return encoded((127 + 60 * np.sin(cols / 40) + 60 * np.cos(rows / 55)).astype(np.uint8))


def encoded(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def test_a_small_image_keeps_its_pixels_but_for_the_losses_of_jpeg():
    shown, given = opened(small_jpeg(smooth(320, 256))).astype(int), opened(smooth(320, 256))
    assert shown.shape == given.shape
    assert np.abs(shown - given).max() <= 4


@pytest.mark.parametrize(("width", "height"), [(1400, 700), (300, 2000)])
def test_a_large_image_keeps_its_shape(width, height):
    small = opened(small_jpeg(smooth(width, height)))
    assert max(small.shape) == LONGER_SIDES[0]
    assert small.shape[1] / small.shape[0] == pytest.approx(width / height, rel=0.02)


def test_the_noisiest_picture_keeps_within_its_bytes():
    noise = small_jpeg(png(1, 1400, 1200))
    assert len(noise) <= PICTURE_BYTES
    assert max(opened(noise).shape) in LONGER_SIDES[1:]


def test_the_same_picture_gives_the_same_bytes():
    assert small_jpeg(smooth(900, 700)) == small_jpeg(smooth(900, 700))


def test_sixteen_bits_become_eight():
    small = opened(small_jpeg(encoded(np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16))))
    assert small.dtype == np.uint8
    assert small[0, 0] <= 3
    assert small[-1, -1] >= 252


def test_a_mask_goes_through_a_whole_run_and_is_drawn(tmp_path):
    """Every perturbation that moves boxes moves masks; the report draws their border."""
    mask = encode(np.tri(190, 120, dtype=bool))
    masked = Box("effusion", 20, 30, 140, 220, mask)
    records = [
        record(i, sentence(f"m{i}", f"Right effusion {i}.", masked), sentence(f"b{i}", "Left mass.", LEFT_LUNG))
        for i in range(4)
    ]
    tree = {
        "name": "t",
        "dataset": {"kind": "phantom"},
        "models": ["m"],
        "perturbations": ["none", "swap_left_right", "shuffle_in_report", "random_bboxes", "mirror_both"],
        "subsets": ["all", "most_diverse_report_bboxes"],
        "resamples": 100,
        "out": tmp_path,
    }
    run(parse_run_config(tree, "t"), FakeDataset(records), FakeClient())
    rows = pq.read_table(tmp_path / "cases.parquet").to_pylist()
    masks = {(row["perturbation"], row["sentence_id"]): row["boxes"][0]["mask"] for row in rows}
    kept = {"rows": mask.rows, "cols": mask.cols, "counts": mask.counts}
    assert masks["none", "m0"] == masks["shuffle_in_report", "b0"] == kept
    assert masks["none", "b0"] is None
    assert masks["mirror_both", "m0"]["counts"] == mask.mirrored().counts
    assert any(mask for (perturbation, _), mask in masks.items() if perturbation == "random_bboxes")
    assert all(row["exact_auroc"] is not None and row["paper_auroc"] is not None for row in rows)
    assert '<path class="box" d="M20.0 30.0' in (tmp_path / "report.html").read_text(encoding="utf-8")
