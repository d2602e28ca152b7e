"""Whatever the files of Chest ImaGenome hold, they are read, left out in part, or refused: nothing else is raised."""

import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.dataset.base import DatasetError, validate
from harness.dataset.checks import Unusable
from harness.dataset.chest_imagenome.gold import BOXES, SCALING, STATEMENTS
from harness.dataset.chest_imagenome.silver import SCENES
from harness.dataset.chest_imagenome.splits import AVOID, SPLITS
from harness.dataset.chest_imagenome.statements import read_attribute, read_corners
from harness.dataset.export.chest_imagenome import ROOT
from tests.imagenome_copies import read_gold, read_silver

TABLES = (STATEMENTS, BOXES, SCALING, SPLITS / "train.csv", SPLITS / "test.csv", SPLITS / AVOID)
pieces = st.one_of(
    st.binary(max_size=12),
    st.sampled_from([b'"', b"\0", b"\t", b"\n", b",", b"\r", b"[", b"NaN", b"9" * 400, b"[" * 5000, b"\xed\xa0\x80"]),
)


@pytest.fixture(scope="module")
def spoiled(whole, tmp_path_factory):
    return shutil.copytree(whole, tmp_path_factory.mktemp("garbage") / "copy")


def spoil(path, share, length, piece):
    """Put a piece of garbage into a file in place of some bytes; returns what was there."""
    data = path.read_bytes()
    at = int(share * len(data))
    path.write_bytes(data[:at] + piece + data[at + length :])
    return data


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_garbage_in_a_file_raises_nothing_but_what_names_it(spoiled, data):
    scenes = sorted((spoiled / ROOT / SCENES).iterdir())
    path = data.draw(st.sampled_from([*(spoiled / ROOT / table for table in TABLES), scenes[0], scenes[-1]]))
    before = spoil(path, data.draw(st.floats(0, 1)), data.draw(st.integers(0, 60)), data.draw(pieces))
    try:
        for read in (read_gold, read_silver):
            check(read, spoiled)
    finally:
        path.write_bytes(before)


def check(read, folder):
    """What is given can be used."""
    try:
        dataset = read(folder)
    except DatasetError:
        return
    assert validate(dataset).found.images == len(dataset)
    for record in dataset:
        for box in (*record.regions, *(box for sentence in record.sentences for box in sentence.boxes)):
            assert 0 <= box.x0 < box.x1 <= record.width
            assert 0 <= box.y0 < box.y1 <= record.height


@given(st.lists(st.floats(-1e8, 1e8).map(lambda x: round(x, 3)) | st.integers(-(10**8), 10**8), min_size=4, max_size=4))
def test_corners_are_read_as_python_and_json_write_them(values):
    assert read_corners(str(values)) == tuple(values) or any("e" in str(value) for value in values)


@pytest.mark.parametrize(
    "text", ["", "[]", "[1, 2, 3]", "[1, 2, 3, 4, 5]", "1, 2, 3, 4", "[1, 2, 3, inf]", "[[1], 2, 3, 4]", "[1, 2, 3, ٤]"]
)
def test_other_corners_are_refused(text):
    with pytest.raises(Unusable) as caught:
        read_corners(text)
    assert caught.value.kind == "bad_coordinates"


def test_attributes_have_three_parts():
    assert read_attribute("anatomicalfinding|no|pneumothorax") == ("pneumothorax", False)
    assert read_attribute("nlp|yes|abnormal") == ("abnormal", True)
    for text in ("", "nlp|yes", "nlp|yes|", "nlp|yes|a|b", "nlp|Yes|a"):
        with pytest.raises(Unusable):
            read_attribute(text)
