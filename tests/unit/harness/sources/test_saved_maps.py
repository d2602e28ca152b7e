"""Our own layout: what a run wrote is read back as it was, and so is what another program writes in it."""

import json
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.pipeline import run
from harness.runconfig import parse_run_config
from harness.settings import ConfigError
from harness.sources.config import SavedMapsConfig
from harness.sources.saved import SavedMaps
from tests.harness_fakes import FakeClient, fake_dataset, fake_map, png
from tests.source_files import shipment

TEXTS = ["A.", "B.", "C."]
MAPS = np.random.default_rng(0).random((3, 4, 5)).astype(np.float32) / 20


def saved(folder, **settings):
    return SavedMaps("m", SavedMapsConfig(kind="saved", path=folder, **settings))


def write(folder, maps=MAPS, **columns):
    """The smallest such folder: image, text and the maps."""
    table = {"image_id": ["image0"] * 3, "text": TEXTS} | columns
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table(table), folder / "cases.parquet")
    np.savez_compressed(folder / "maps.npz", maps=maps)
    return folder


def test_image_text_and_maps_are_enough(tmp_path):
    readings = saved(write(tmp_path)).answer(shipment("C.", "A."))
    np.testing.assert_array_equal([reading.map for reading in readings], MAPS[[2, 0]])
    assert readings[0].opt_out == pytest.approx(1 - MAPS[2].sum())
    assert readings[0].words is None
    assert saved(tmp_path).answer(shipment("D."))[0].code == "NO_MAP"


def test_maps_may_lie_in_several_files(tmp_path):
    write(tmp_path)
    (tmp_path / "maps.npz").unlink()
    (tmp_path / "maps").mkdir()
    for number, part in enumerate((MAPS[:2], MAPS[:0], MAPS[2:])):
        np.savez(tmp_path / "maps" / f"{number:06d}.npz", maps=part)
    readings = saved(tmp_path).answer(shipment(*TEXTS))
    np.testing.assert_array_equal([reading.map for reading in readings], MAPS)


def test_what_the_table_tells_is_read(tmp_path):
    readings = saved(
        write(
            tmp_path,
            opt_out=[0.25, None, 1.5],
            local_similarity=[1.0, None, 2.0],
            words=pa.array([3, None, 1], pa.int32()),
            grid_rows=pa.array([2, 2, 2], pa.int32()),
            grid_cols=pa.array([3, 3, 3], pa.int32()),
        )
    ).answer(shipment(*TEXTS))
    assert (readings[0].opt_out, readings[0].local_similarity, readings[0].words) == (0.25, 1.0, 3)
    np.testing.assert_array_equal(readings[0].map, MAPS[0, :2, :3])
    assert np.isnan([readings[1].opt_out, readings[1].local_similarity]).all()
    assert readings[2].code == "MAP_INVALID"


def test_all_maps_of_a_model_have_the_grid_of_its_first(tmp_path):
    """A run refuses a model that answers on several grids; one odd row must not end it."""
    columns = {"model": ["other", "m", "m"], "grid_rows": pa.array([4, 2, 3]), "grid_cols": pa.array([5, 3, 3])}
    second, third = saved(write(tmp_path, **columns)).answer(shipment("B.", "C."))
    np.testing.assert_array_equal(second.map, MAPS[1, :2, :3])
    assert third.code == "MAP_INVALID"
    assert "row 2: a grid of (3, 3), others here have (2, 3)" in third.message


def test_only_answered_rows_of_the_model_are_read(tmp_path):
    write(tmp_path, model=["m", "m", "n"], status=["ok", "failed", "ok"])
    assert [hasattr(r, "map") for r in saved(tmp_path).answer(shipment(*TEXTS))] == [True, False, False]
    assert [hasattr(r, "map") for r in saved(tmp_path, model="n").answer(shipment(*TEXTS))] == [False, False, True]
    with pytest.raises(ConfigError, match=r"no maps of 'o', but of \['m', 'n'\]"):
        saved(tmp_path, model="o")


def test_a_frame_of_an_image_of_another_size_is_named(tmp_path):
    frame = {"image_width": 5, "image_height": 5, "resized_width": 5, "resized_height": 5}
    whole = frame | {"offset_x": 0, "offset_y": 0, "width": 5, "height": 5}
    readings = saved(write(tmp_path, frame=[whole, frame | {"resized_width": 0}, None])).answer(shipment(*TEXTS))
    assert [getattr(reading, "code", "ok") for reading in readings] == ["MAP_INVALID", "MAP_INVALID", "ok"]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda d: (d / "cases.parquet").unlink(), "cannot read"),
        (lambda d: (d / "cases.parquet").write_bytes(b"PAR1"), "cannot read"),
        (lambda d: (d / "maps.npz").unlink(), "neither maps.npz nor maps"),
        (lambda d: (d / "maps.npz").write_bytes(b"PK"), "no array 'maps'"),
        (lambda d: np.savez(d / "maps.npz", other=MAPS), "no array 'maps'"),
        (lambda d: np.savez(d / "maps.npz", maps=MAPS.astype(float)), "float32"),
        (lambda d: np.savez(d / "maps.npz", maps=MAPS[0]), "float32"),
        (lambda d: np.savez(d / "maps.npz", maps=np.array([None])), "float32"),
        (lambda d: np.savez(d / "maps.npz", maps=MAPS[:2]), "not one run's"),
        (lambda d: write(d, image_id=[1, 2, 3]), "'image_id' has type int64"),
        (lambda d: pq.write_table(pa.table({"text": TEXTS}), d / "cases.parquet"), "lacks the column 'image_id'"),
    ],
)
def test_a_folder_that_is_no_such_folder_is_refused_by_name(tmp_path, spoil, words):
    spoil(write(tmp_path))
    with pytest.raises(ConfigError, match=words):
        saved(tmp_path)


def test_an_array_that_says_more_than_it_holds_is_refused(tmp_path):
    """A header that asks for terabytes is seen before anything is read."""
    write(tmp_path)
    with zipfile.ZipFile(tmp_path / "maps.npz", "w") as archive, archive.open("maps.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, {"descr": "<f4", "fortran_order": False, "shape": (3, 9**5, 9)})
    with pytest.raises(ConfigError, match="takes other than the 0 bytes"):
        saved(tmp_path)


def test_maps_that_are_damaged_are_counted_failures(tmp_path):
    write(tmp_path)
    np.savez(tmp_path / "maps.npz", maps=np.full((3, 64, 64), 0.0001, dtype=np.float32))
    data = bytearray((tmp_path / "maps.npz").read_bytes())
    data[40_000] ^= 1
    (tmp_path / "maps.npz").write_bytes(data)
    assert saved(tmp_path).answer(shipment("A."))[0].code == "MAP_UNREADABLE"


@pytest.mark.parametrize("how", [True, "sharded"])
def test_a_run_scored_again_from_its_saved_maps_has_the_same_numbers(tmp_path, how):
    settings = {
        "name": "first",
        "dataset": {"kind": "phantom"},
        "models": ["m"],
        "resamples": 100,
        "images_per_part": 2,
        "save_maps": how,
        "out": tmp_path / "first",
    }
    dataset = fake_dataset(5)
    first = run(parse_run_config(settings, "test"), dataset, FakeClient())
    source = saved(tmp_path / "first")
    assert source.answer(shipment("There is a nodule in the left lung."))[0].map.tolist() == (
        fake_map("m", png(0), "There is a nodule in the left lung.").tolist()
    )
    again = settings | {"name": "again", "out": tmp_path / "again", "maps_from": {"m": {"kind": "saved", "path": ""}}}
    second = run(parse_run_config(again, "test"), dataset, None, sources={"m": source})
    for section in ("models", "deltas", "controls", "advantage", "laterality", "opt_out", "failures"):
        assert json.dumps(second[section]) == json.dumps(first[section]), section


def test_maps_of_mirrored_images_are_left_out(tmp_path):
    source = saved(write(tmp_path, perturbation=["none", "mirror_image", "swap_left_right"]))
    assert source.findings.left_out == {"mirrored": 1}
    assert len(source) == 2
