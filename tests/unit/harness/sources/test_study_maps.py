"""The study's layout is read without trust: what is broken is named, and never becomes a map."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from harness.settings import ConfigError
from harness.sources.config import RegionsConfig, StretchConfig, StudyMapsConfig
from harness.sources.study import StudyMaps
from tests.harness_fakes import HEIGHT, WIDTH
from tests.source_files import HEADS, shipment, write_table
from wronglung.geometry import letterbox

GRID = np.full((19, 19), 0.9 / 361, dtype=np.float32)


def study(folder, **settings):
    return StudyMaps("m", StudyMapsConfig(kind="study", path=folder, **settings))


@pytest.fixture
def folder(tmp_path):
    """Two sentences of one image; the map of the first is whole, that of the second is up to the test."""
    write_table(tmp_path, [("a", "image0", 0, "First.", "[]"), ("b", "image0", 1, "Second.", "[]")])
    np.save(tmp_path / "attn" / "a.npy", GRID)
    return tmp_path


def test_a_map_is_found_by_image_and_text_and_lies_in_the_declared_frame(folder):
    (reading,) = study(folder).answer(shipment("First."))
    np.testing.assert_array_equal(reading.map, GRID)
    assert reading.opt_out == pytest.approx(0.1, abs=1e-6)
    assert reading.frame == letterbox(WIDTH, HEIGHT, longer_side=256, crop=224)
    assert (reading.words, reading.truncated) == (None, None)
    assert np.isnan([reading.local_similarity, reading.global_similarity]).all()
    (stretched,) = study(folder, frame=StretchConfig(fit="stretch", size=100)).answer(shipment("First."))
    assert stretched.frame.image_rect == (0, 0, 100, 100)


def test_spaces_and_the_ending_dcm_do_not_matter(tmp_path):
    write_table(tmp_path, [("a", "image0.dcm", 0, "Small  left\neffusion.", "[]")])
    np.save(tmp_path / "attn" / "a.npy", GRID)
    assert not hasattr(study(tmp_path).answer(shipment("Small left effusion."))[0], "code")


def test_a_text_that_nobody_made_a_map_of_is_a_counted_failure(folder):
    failures = study(folder).answer(shipment("Third.", "First.", image="image1"))
    assert [failure.code for failure in failures] == ["NO_MAP", "NO_MAP"]


@pytest.mark.parametrize(
    ("convention", "expected"), [("remainder", pytest.approx(0.1, abs=1e-6)), ("none", 0.0), ("not_known", None)]
)
def test_the_opt_out_mass_is_what_the_run_file_declares(folder, convention, expected):
    (reading,) = study(folder, opt_out=convention).answer(shipment("First."))
    assert np.isnan(reading.opt_out) if expected is None else reading.opt_out == expected


def test_similarities_are_read_where_the_table_has_them(tmp_path):
    rows = [("a", "i", 0, "A.", "[]", "1.5", "0.25"), ("b", "i", 1, "B.", "[]", "", "many")]
    write_table(tmp_path, rows, (*HEADS, "local_sims", "global_sims"))
    for name in "ab":
        np.save(tmp_path / "attn" / f"{name}.npy", GRID)
    source = study(tmp_path)
    a, b = source.answer(shipment("A.", "B.", image="i"))
    assert (a.local_similarity, a.global_similarity) == (1.5, 0.25)
    assert np.isnan([b.local_similarity, b.global_similarity]).all()
    assert source.findings.warnings == {"similarity_unreadable": 1}


def broken_files():
    """Name, what is written in place of the second map, code, words of the message."""
    yield "missing", None, "MAP_MISSING", "no such file"
    yield "text", b"0.1 0.2", "MAP_UNREADABLE", "no array"
    yield "empty", b"", "MAP_UNREADABLE", "no array"
    yield "pickle", pickle.dumps(GRID), "MAP_UNREADABLE", "no array"
    yield "objects", np.array([[None, 1]], dtype=object), "MAP_UNREADABLE", "no array"
    yield "words", np.array([["a", "b"]]), "MAP_INVALID", "numbers"
    yield "flat", GRID.ravel(), "MAP_INVALID", "grid"
    yield "other grid", np.ones((7, 7)) / 49, "MAP_INVALID", "others here have"
    yield "not finite", np.where(np.eye(19) > 0, np.nan, GRID), "MAP_INVALID", "finite"
    yield "negative", -GRID, "MAP_INVALID", "at least 0"
    yield "zeros", 0 * GRID, "MAP_INVALID", "all values are 0"
    yield "no distribution", GRID * 3, "MAP_INVALID", "set opt_out"
    yield "huge", np.zeros((1025, 1024), dtype=np.uint8), "MAP_INVALID", "at most"
    yield "complex", GRID * 1j, "MAP_INVALID", "numbers"


@pytest.mark.parametrize(
    ("content", "code", "words"), [b[1:] for b in broken_files()], ids=[b[0] for b in broken_files()]
)
def test_a_broken_file_is_named_and_counted_and_disturbs_no_other(folder, content, code, words):
    path = folder / "attn" / "b.npy"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.save(path, content, allow_pickle=True)
    good, bad = study(folder).answer(shipment("First.", "Second."))
    np.testing.assert_array_equal(good.map, GRID)
    assert bad.code == code
    assert words in bad.message
    assert "b.npy" in bad.message


def test_a_file_that_is_shorter_than_it_says_is_unreadable(folder):
    np.save(folder / "attn" / "b.npy", GRID)
    path = folder / "attn" / "b.npy"
    path.write_bytes(path.read_bytes()[:-40])
    assert study(folder).answer(shipment("Second."))[0].code == "MAP_UNREADABLE"


def test_an_archive_in_place_of_an_array_is_unreadable(folder):
    with (folder / "attn" / "b.npy").open("wb") as file:
        np.savez(file, GRID)
    assert study(folder).answer(shipment("Second."))[0].code == "MAP_UNREADABLE"


def test_rows_that_cannot_be_used_are_left_out_and_counted(tmp_path):
    rows = [
        ("../../etc/passwd", "i", 0, "Escapes.", ""),
        ("", "i", 0, "Nameless.", ""),
        ("c", "i", 0, " ", ""),
        ("d", "i", 0, "Kept.", ""),
        ("e", "i", 0, "Kept.", ""),
        ("f",),
    ]
    write_table(tmp_path, rows)
    source = study(tmp_path)
    assert len(source) == 1
    assert source.findings.left_out == {"row_unusable": 4, "sentence_repeated": 1}
    assert "line 2" in source.findings.examples["row_unusable"][0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot read"),
        (b"dicom_id,sentence\n", "lacks the column 'dicom_sent_id'"),
        (b"dicom_sent_id,dicom_id,sentence\n", "no row that can be used"),
        (b"dicom_sent_id,dicom_id,sentence\na,b,\xff\n", "not UTF-8"),
        (b"dicom_sent_id,dicom_id,sentence\na,b," + b"x" * 200_000, "no CSV"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_by_name(tmp_path, content, words):
    if content is not None:
        (tmp_path / "sentences.csv").write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        study(tmp_path)


def test_the_digest_changes_with_the_table_and_with_every_map(folder):
    digests = [study(folder).identity.weights_digest]
    np.save(folder / "attn" / "b.npy", GRID)
    digests.append(study(folder).identity.weights_digest)
    (folder / "sentences.csv").write_bytes(Path(folder / "sentences.csv").read_bytes() + b"c,image0,2,Third.,[]\n")
    digests.append(study(folder).identity.weights_digest)
    assert len(set(digests)) == 3
    assert study(folder).identity.weights_digest == digests[-1]


def test_weights_of_detected_boxes_become_a_map(tmp_path):
    write_table(tmp_path, [("a", "image0", 0, "A.", "[]", "[[0, 0, 111, 223], [0, 0, 9, 9]]")], (*HEADS, "attn_bboxes"))
    np.save(tmp_path / "attn" / "a.npy", np.array([0.2, 0.6]))
    (reading,) = study(tmp_path, regions=RegionsConfig(cells=2)).answer(shipment("A."))
    np.testing.assert_allclose(reading.map, [[0.4, 0], [0.4, 0]])
    assert reading.opt_out == pytest.approx(0.2)
    (fine,) = study(tmp_path).answer(shipment("A."))
    assert fine.map.shape == (224, 224)
    assert fine.map[5, 5] == pytest.approx(3 * fine.map[50, 50])
    assert not fine.map[:, 112:].any()
    assert fine.map.sum(dtype=np.float64) == pytest.approx(0.8)


@pytest.mark.parametrize("boxes", ["", "boxes", "[1, 2]", "[[0, 0, 1]]", "[[0, 0, 1, 1.5]]", "[[0,0,1,1],[0,0,2,2]]"])
def test_weights_without_as_many_boxes_are_named(tmp_path, boxes):
    write_table(tmp_path, [("a", "image0", 0, "A.", "[]", boxes)], (*HEADS, "attn_bboxes"))
    np.save(tmp_path / "attn" / "a.npy", np.array([0.2]))
    (failure,) = study(tmp_path).answer(shipment("A."))
    assert failure.code == "MAP_INVALID"
    assert "attn_bboxes" in failure.message
