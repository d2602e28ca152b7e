"""Ratings are checked at the border: what cannot be joined or is out of range is left out, counted and told."""

import pytest

from harness.ratings import RatingsConfig, read_ratings
from harness.settings import ConfigError
from tests.harness_fakes import fake_dataset

HEADS = "dicom_sent_id,dicom_id,sent_id,checkpoint_name,prompt,has_good_recall,has_good_precision,is_intuitive,"
HEADS += "is_custom_prompt,no_attn_score\n"
LEFT = "There is a nodule in the left lung."


def row(sentence="s0-1", image="image0", model="m", prompt=LEFT, ratings="5,4,3", custom="False"):
    return f'{sentence},{image},1,{model},"{prompt}",{ratings},{custom},0.02\n'


def read(path, *rows, heads=HEADS, **settings):
    path.write_text(heads + "".join(rows), encoding="utf-8")
    return read_ratings(RatingsConfig(path=path, **settings), fake_dataset(4), ["m", "n"])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ratings.csv"


def test_a_rating_is_joined_by_sentence_id(path):
    found = read(path, row())
    assert found.of == {
        ("m", "has_good_precision"): {"s0-1": 4.0},
        ("m", "has_good_recall"): {"s0-1": 5.0},
        ("m", "is_intuitive"): {"s0-1": 3.0},
    }
    assert (found.rows, found.findings.left_out) == (1, {})


def test_without_a_known_id_it_is_joined_by_image_and_text(path):
    found = read(path, row(sentence="dicom_image2_sent_1", image="image2.dcm", prompt=f" {LEFT} "))
    assert found.of["m", "is_intuitive"] == {"s2-1": 3.0}


def test_several_raters_count_as_their_mean_in_one_file_or_several(path, tmp_path):
    one = read(path, row(ratings="5,4,3"), row(ratings="1,,1"))
    assert one.of["m", "is_intuitive"] == {"s0-1": 2.0}
    assert one.of["m", "has_good_precision"] == {"s0-1": 4.0}
    assert one.findings.warnings == {"rated_again": 1}
    (tmp_path / "b.csv").write_text(HEADS + row(ratings="1,,1"), encoding="utf-8")
    path.write_text(HEADS + row(ratings="5,4,3"), encoding="utf-8")
    both = read_ratings(RatingsConfig(path=tmp_path), fake_dataset(4), ["m", "n"])
    assert both.of == one.of
    assert both.rows == 2


def test_a_checkpoint_can_be_translated(path):
    assert ("n", "is_intuitive") in read(path, row(model="last.ckpt"), models={"last.ckpt": "n"}).of
    with pytest.raises(ConfigError, match="names 'o', which is none of models"):
        read(path, row(), models={"last.ckpt": "o"})


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (row(ratings="0,4,3"), "bad_rating"),
        (row(ratings="5,6,3"), "bad_rating"),
        (row(ratings="5,4.5,3"), "bad_rating"),
        (row(ratings="5,4,nan"), "bad_rating"),
        (row(ratings="good,4,3"), "bad_rating"),
        (row(ratings=",,"), "no_rating"),
        (row(model="o"), "unknown_checkpoint"),
        (row(sentence="x", prompt="Never said."), "unknown_sentence"),
        (row(sentence="x", image="image99"), "unknown_sentence"),
        (row(prompt="There is a nodule in the right lung."), "other_text"),
        (row(image="image1"), "other_text"),
        (row(custom="True"), "custom_prompt"),
        (row(custom="perhaps"), "bad_flag"),
    ],
)
def test_a_row_that_cannot_be_used_is_left_out_and_counted(path, line, kind):
    found = read(path, row(ratings="1,1,1"), line)
    assert found.findings.left_out == {kind: 1}
    assert "ratings.csv line 3" in found.findings.examples[kind][0]
    assert found.of["m", "is_intuitive"] == {"s0-1": 1.0}


def test_one_question_is_enough(path):
    found = read(path, "s0-1,image0,m,There is a nodule in the left lung.,2\n", heads=HEADS_SHORT)
    assert found.of == {("m", "is_intuitive"): {"s0-1": 2.0}}


HEADS_SHORT = "dicom_sent_id,dicom_id,checkpoint_name,prompt,is_intuitive\n"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, r"cannot read .*ratings\.csv: No such file"),
        (b"dicom_id,prompt\n", "lacks the column 'dicom_sent_id'"),
        (HEADS_SHORT.replace(",is_intuitive", "").encode(), "none of the columns has_good_recall"),
        (HEADS_SHORT.encode() + b"\xff\n", "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(path, content, words):
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        read_ratings(RatingsConfig(path=path), fake_dataset(1), ["m"])


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"holds no \*\.csv"):
        read_ratings(RatingsConfig(path=tmp_path), fake_dataset(1), ["m"])
