"""A whole run against a fake server: its files, its numbers, and that nothing else decides them."""

import dataclasses
import json
import shutil
from collections import Counter

import numpy as np
import pyarrow.parquet as pq
import pytest

from harness.collect.exchange import ServerLostError
from harness.collect.parts import RunError
from harness.pipeline import run
from harness.progress import Progress
from harness.runconfig import parse_run_config
from tests.harness_fakes import (
    LEFT_LUNG,
    RIGHT_LUNG,
    DyingClient,
    FakeClient,
    FakeDataset,
    align,
    fake_dataset,
    record,
    sentence,
)

MODELS = ["encoder", "encoder-optout"]
QUICK = {
    "models": ["encoder"],
    "profiles": ["exact"],
    "subsets": ["all"],
    "save_maps": False,
    "gallery": {"best": 1, "worst": 0, "ignores_swap": 0, "random": 0},
}
FILES = ["cases.parquet", "summary.json", "maps.npz", "gallery/index.json", "gallery/0.jpg"]


def config(out, **changes):
    tree = {
        "name": "test",
        "dataset": {"kind": "phantom"},  # says where the data set came from; the tests hand in a fake one
        "models": MODELS,
        "resamples": 100,
        "images_per_part": 3,
        "save_maps": True,
        "window": 4,
        "gallery": {"best": 1, "worst": 1, "ignores_swap": 1, "random": 1},
        "out": out,
    }
    return parse_run_config(tree | changes, "test")


def dataset():
    """Ten images; one sentence fails, one names both sides."""
    odd = record(9, sentence("bad", "Empty.", RIGHT_LUNG), sentence("both", "Left and right opacity.", LEFT_LUNG))
    return FakeDataset([*fake_dataset(9).records, odd])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run: its directory and summary."""
    out = tmp_path_factory.mktemp("runs") / "first"
    return out, run(config(out), dataset(), FakeClient())


def test_a_run_leaves_its_files_and_no_parts(finished):
    out, _ = finished
    assert all((out / name).is_file() for name in [*FILES, "manifest.json", "report.html"])
    assert not (out / "parts").exists()


def test_a_second_run_has_the_same_bytes_whatever_the_window_and_the_order_of_answers(finished, tmp_path):
    out, _ = finished
    run(config(tmp_path, window=1), dataset(), FakeClient())
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes(), name


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(finished, tmp_path):
    out, _ = finished
    with pytest.raises(ServerLostError):
        run(config(tmp_path), dataset(), DyingClient(17))
    assert not (tmp_path / "summary.json").exists()
    damaged, *whole = sorted((tmp_path / "parts").iterdir())
    assert whole
    damaged.write_bytes(b"PAR1 half")
    second = FakeClient()
    run(config(tmp_path), dataset(), second, resume=True)
    assert len({item.request_id.split(".")[0] for item in second.sent}) == 10 - 3 * len(whole)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes(), name


def test_a_limited_run_can_be_resumed_without_the_limit(tmp_path):
    run(config(tmp_path, limit=4, **QUICK), dataset(), FakeClient())
    assert json.loads((tmp_path / "summary.json").read_bytes())["dataset"]["images"] == 4
    run(config(tmp_path, **QUICK), dataset(), FakeClient(), resume=True)
    assert json.loads((tmp_path / "summary.json").read_bytes())["dataset"]["images"] == 10


def test_resuming_a_finished_run_asks_nothing_of_the_server(finished, tmp_path):
    out, summary = finished
    shutil.copytree(out, tmp_path / "run")
    (tmp_path / "run" / "report.html").unlink()
    client = FakeClient()
    again = run(config(tmp_path / "run"), dataset(), client, resume=True)
    assert not client.sent
    assert again == json.loads((out / "summary.json").read_bytes())
    assert (tmp_path / "run" / "report.html").is_file()
    assert summary["name"] == again["name"]


@pytest.mark.parametrize("changes", [{"seed": 1}, {"models": ["other"]}, {"images_per_part": 4}])
def test_another_run_is_never_resumed_into(tmp_path, changes):
    with pytest.raises(ServerLostError):
        run(config(tmp_path, **QUICK), dataset(), DyingClient(8))
    with pytest.raises(RunError, match="without --resume"):
        run(config(tmp_path, **QUICK | changes), dataset(), FakeClient(), resume=True)


def test_another_finished_run_is_never_resumed_into(finished, tmp_path):
    out, _ = finished
    shutil.copytree(out, tmp_path / "run")
    with pytest.raises(RunError, match="another finished run"):
        run(config(tmp_path / "run", seed=1), dataset(), FakeClient(), resume=True)


@pytest.mark.parametrize(("key", "value"), [("resamples", 200), ("save_maps", True), ("gallery", {"best": 2})])
def test_a_finished_run_is_not_passed_off_as_one_with_other_settings(tmp_path, key, value):
    run(config(tmp_path, **QUICK), dataset(), FakeClient())
    with pytest.raises(RunError, match=f"finished with another {key}"):
        run(config(tmp_path, **QUICK | {key: value}), dataset(), FakeClient(), resume=True)
    assert (tmp_path / "manifest.json").is_file()


def test_a_run_that_goes_on_has_not_finished(tmp_path):
    """Killed while it takes in more images, it must not be taken for the smaller run that it was."""
    run(config(tmp_path, limit=4, **QUICK), dataset(), FakeClient())
    with pytest.raises(ServerLostError):
        run(config(tmp_path, **QUICK), dataset(), DyingClient(8), resume=True)
    assert not (tmp_path / "manifest.json").exists()
    assert not (tmp_path / "gallery").exists()
    run(config(tmp_path, limit=4, **QUICK), dataset(), FakeClient(), resume=True)
    assert json.loads((tmp_path / "summary.json").read_bytes())["dataset"]["images"] == 4


def test_weights_that_change_during_a_run_end_it(tmp_path):
    answers = 0

    def answer(item):
        nonlocal answers
        answers += 1
        answered = align(item)
        changed = dataclasses.replace(answered.model, weights_digest="f" * 64)
        return dataclasses.replace(answered, model=changed) if answers > 5 else answered

    with pytest.raises(RunError, match="other weights"):
        run(config(tmp_path, **QUICK), dataset(), FakeClient(answer))


def test_every_case_is_a_row_and_no_failure_is_dropped(finished):
    out, summary = finished
    sentences = 9 * 3 + 2
    assert pq.read_table(out / "cases.parquet").num_rows == sentences * len(MODELS) * 3
    assert summary["failures"] == {model: {"none": {"SENTENCE_EMPTY": 1}} for model in MODELS}
    assert summary["not_applicable"]["encoder"]["swap_left_right"] == {"names no side": 10}
    assert summary["models"]["encoder"]["none"]["all"]["exact"]["auroc"]["n"] == sentences - 1


def test_sentences_that_name_both_sides_are_a_stratum_of_their_own(finished):
    _, summary = finished
    swapped = summary["models"]["encoder"]["swap_left_right"]
    assert swapped["all"]["exact"]["auroc"]["n"] == 18
    assert swapped["both_sides"]["exact"]["auroc"]["n"] == 1
    assert "both_sides" not in summary["models"]["encoder"]["none"]


def test_maps_lie_in_the_order_of_the_cases(finished):
    out, _ = finished
    maps = np.load(out / "maps.npz")["maps"]
    status = np.array(pq.read_table(out / "cases.parquet")["status"].to_pylist())
    assert maps.shape == (len(status), 7, 7)
    np.testing.assert_array_equal(np.isnan(maps).any(axis=(1, 2)), status != "ok")
    np.testing.assert_allclose(maps[status == "ok"].sum(axis=(1, 2)), 0.95, rtol=1e-5)


def test_the_manifest_says_what_was_run_on_what_by_which_weights(finished):
    out, _ = finished
    manifest = json.loads((out / "manifest.json").read_bytes())
    assert manifest["schema_version"] == 1
    assert manifest["dataset"]["sentences"] == 29
    assert set(manifest["models"]) == set(MODELS)
    assert len(manifest["models"]["encoder"]["weights_digest"]) == 64
    assert manifest["models"]["encoder"]["deterministic"] is True
    assert set(manifest["seconds"]) == {"collect", "join", "summarise", "gallery"}
    assert manifest["config"]["models"] == MODELS


def test_only_the_manifest_knows_the_time(finished):
    out, _ = finished
    for name in ("summary.json", "gallery/index.json"):
        text = (out / name).read_text()
        assert not [word for word in ("seconds", "started_at", "finished_at") if word in text]


def test_without_paper_the_run_is_exact_alone(tmp_path):
    summary = run(config(tmp_path, **QUICK), dataset(), FakeClient())
    assert set(summary["models"]["encoder"]["none"]["all"]) == {"exact"}
    assert not (tmp_path / "maps.npz").exists()


def test_without_exact_the_run_is_paper_alone(tmp_path):
    summary = run(config(tmp_path, **QUICK | {"profiles": ["paper"]}), dataset(), FakeClient())
    assert set(summary["models"]["encoder"]["none"]["all"]) == {"paper"}
    assert summary["laterality"] == {"encoder": {}}


def test_a_run_in_which_everything_fails_still_reports(tmp_path):
    failing = FakeDataset([record(i, sentence(f"s{i}", "Empty.", RIGHT_LUNG)) for i in range(4)])
    summary = run(config(tmp_path, **QUICK), failing, FakeClient())
    assert summary["failures"]["encoder"]["none"] == {"SENTENCE_EMPTY": 4}
    assert summary["models"]["encoder"]["none"] == {}
    assert (tmp_path / "report.html").is_file()


def test_progress_is_told_of_every_stage_and_image(tmp_path):
    told = []

    class Listener(Progress):
        def stage(self, name):
            told.append(name)

        def expect(self, total, done=0, unit="image"):
            told.append((total, done, unit))

        def advance(self, count=1):
            told.append(count)

    run(config(tmp_path, **QUICK), dataset(), FakeClient(), progress=Listener())
    collected = ["collect", (10, 0, "image"), *[1] * 10]
    joined = ["join", (4, 0, "part"), *[1] * 4]
    summarised = [
        "summarise",
        (8, 0, "step"),
        *[1] * 8,
    ]  # means and deltas of three arms, controls, and what is over them
    assert told == [*collected, *joined, *summarised, "gallery", "report"]


def test_progress_is_told_of_every_step_of_a_summary_of_several_models(tmp_path):
    expected, done = {}, Counter()

    class Listener(Progress):
        def expect(self, total, done=0, unit="image"):
            expected[unit] = total
            self.unit = unit

        def advance(self, count=1):
            done[self.unit] += count

    run(config(tmp_path, **QUICK | {"models": MODELS}), dataset(), FakeClient(), progress=Listener())
    assert len(MODELS) > 1
    assert done == expected


def test_strata_and_expressions_reach_rows_summary_and_report(tmp_path):
    subsets = ["all", {"right_alone": "side == 'right' and not negated"}]
    summary = run(config(tmp_path, **QUICK | {"subsets": subsets, "strata": ["side"]}), dataset(), FakeClient())
    means = summary["models"]["encoder"]["none"]
    assert list(means) == ["all", "right_alone", "side=left", "side=right", "side=both", "side=none"]
    assert means["right_alone"]["exact"]["auroc"] == means["side=right"]["exact"]["auroc"]
    assert means["side=right"]["exact"]["auroc"]["n"] == 9
    rows = pq.read_table(tmp_path / "cases.parquet").to_pylist()
    for row in rows:  # on the sentence as written, whatever was sent
        assert ("side=left" in row["subsets"]) == row["sentence_id"].endswith("-1")
        assert ("right_alone" in row["subsets"]) == row["sentence_id"].endswith("-0")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "right alone" in text
    assert "side: left alone" in text.lower()


def test_a_family_that_the_data_does_not_have_ends_the_run_before_anything_is_sent(tmp_path):
    client = FakeClient()
    with pytest.raises(RunError, match="no sentence or image is labelled with 'view'"):
        run(config(tmp_path, strata=["view"]), dataset(), client)
    assert not client.sent


def test_other_strata_are_another_run(tmp_path):
    with pytest.raises(ServerLostError):
        run(config(tmp_path), dataset(), DyingClient(17))
    with pytest.raises(RunError, match="parts of a run with another configuration"):
        run(config(tmp_path, strata=["side"]), dataset(), FakeClient(), resume=True)
