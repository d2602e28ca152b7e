"""Ratings in a run: a planted agreement is found, and the files decide what a finished run is."""

import json

import numpy as np
import pytest

from harness.collect.parts import RunError
from harness.pipeline import run
from harness.runconfig import parse_run_config
from harness.settings import ConfigError
from harness.summary.cases import CaseTable, answered
from harness.summary.table import result_table
from tests.harness_fakes import FakeClient, fake_dataset

HEADS = "dicom_sent_id,dicom_id,checkpoint_name,prompt,has_good_recall,is_intuitive\n"


def config(tmp_path, name="run", **changes):
    tree = {
        "name": "rated",
        "dataset": {"kind": "phantom"},
        "models": ["m", "n"],
        "perturbations": ["none", "random_sentences"],
        "resamples": 100,
        "out": tmp_path / name,
    }
    return parse_run_config(tree | changes, "test")


def write_ratings(path, out, model="m"):
    """`is_intuitive` follows the rank of exact AUROC; `has_good_recall` is the same for all; the last sentence of each
    image is not rated."""
    cases = CaseTable.read(out / "cases.parquet")
    rows = [row for row in answered(cases, model, "none") if not cases.sentence_ids[row].endswith("-2")]
    values = cases.numbers("exact_auroc")[rows]
    stars = 1 + np.argsort(np.argsort(values)) * 5 // len(rows)
    lines = [
        f'{cases.sentence_ids[row]},{cases.values("image_id")[row]},{model},"{cases.values("text")[row]}",3,{star}\n'
        for row, star in zip(rows, stars, strict=True)
    ]
    path.write_text(HEADS + "".join(lines), encoding="utf-8")
    return stars, values


@pytest.fixture(scope="module")
def rated(tmp_path_factory):
    """A run with ratings of one model: folder, configuration, summary, what was planted."""
    folder = tmp_path_factory.mktemp("rated")
    run(config(folder, "first"), fake_dataset(24), FakeClient())
    planted = write_ratings(folder / "ratings.csv", folder / "first")
    settings = config(folder, ratings={"path": folder / "ratings.csv"})
    return folder, settings, run(settings, fake_dataset(24), FakeClient()), planted


def test_a_rating_that_follows_a_metric_correlates_with_it_as_numpy_says(rated):
    _, _, summary, (stars, values) = rated
    node = summary["ratings"]["m"]["is_intuitive"]
    assert node["exact"]["auroc"]["mean"] == pytest.approx(np.corrcoef(stars, values)[0, 1], abs=1e-9)
    assert node["exact"]["auroc"]["ci95"][0] > 0.8
    assert node["exact"]["auroc"]["n"] == node["rating"]["mean"]["n"] == 48
    assert node["rating"]["mean"]["mean"] == pytest.approx(stars.mean())


def test_every_metric_has_a_correlation_those_against_random_sentences_too(rated):
    _, _, summary, _ = rated
    node = summary["ratings"]["m"]["is_intuitive"]
    expected = set(summary["models"]["m"]["none"]["all"]["exact"])
    assert expected | {"kl", "match_local", "match_global"} == set(node["exact"])
    assert set(node["paper"]) == set(summary["models"]["m"]["none"]["all"]["paper"]) | {
        "kl",
        "match_local",
        "match_global",
    }


def test_a_rating_that_does_not_vary_has_no_correlation_and_a_model_without_ratings_no_section(rated):
    folder, _, summary, _ = rated
    written = json.loads((folder / "run" / "summary.json").read_bytes())["ratings"]
    assert written["m"]["has_good_recall"]["exact"]["auroc"] == {
        "mean": None,
        "ci95": [None, None],
        "n": 48,
        "patients": 12,
    }
    assert set(summary["ratings"]) == {"m"}


def test_the_printed_table_shows_them(rated):
    _, _, summary, _ = rated
    lines = [line.split() for line in result_table(summary).splitlines() if "is_intuitive" in line]
    assert lines[0][:2] == ["m", "is_intuitive"]
    assert lines[0][-1] == "48"
    assert "+0." in lines[0][5]


def test_a_run_without_ratings_has_no_section(tmp_path):
    assert "ratings" not in run(config(tmp_path), fake_dataset(3), FakeClient())


def test_ratings_that_cannot_be_read_stop_a_run_before_anything_is_sent(tmp_path):
    client = FakeClient()
    with pytest.raises(ConfigError, match=r"cannot read .*none\.csv"):
        run(config(tmp_path, ratings={"path": tmp_path / "none.csv"}), fake_dataset(3), client)
    assert not client.sent


def test_a_finished_run_is_not_passed_off_as_one_with_other_ratings(rated):
    folder, settings, summary, _ = rated
    assert run(settings, fake_dataset(24), FakeClient(), resume=True)["ratings"].keys() == summary["ratings"].keys()
    (folder / "ratings.csv").write_text((folder / "ratings.csv").read_text() + "x,y,m,z,1,1\n")
    with pytest.raises(RunError, match="finished with another file of ratings"):
        run(settings, fake_dataset(24), FakeClient(), resume=True)
