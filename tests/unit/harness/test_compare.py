"""What changed from one run to another."""

import dataclasses
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from harness.compare import compare
from harness.finished import FinishedRun
from harness.settings import ConfigError
from tests.harness_fakes import FakeClient, fake_dataset, identity
from tests.two_runs import evaluate, two_runs


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs on the same sentences; the second server is worse, and its data set lacks two images."""
    return two_runs(tmp_path_factory.mktemp("compare"))


def mean(run, sentences):
    rows = pq.read_table(run.root / "cases.parquet").to_pylist()
    return np.mean([r["exact_auroc"] for r in rows if r["perturbation"] == "none" and r["sentence_id"] in sentences])


def line_of(text, *words):
    return next(line for line in text.splitlines() if all(word in line for word in words))


def test_the_change_is_over_the_sentences_that_both_runs_have(runs):
    before, after = runs
    shared = {f"s{i}-{k}" for i in range(6) for k in range(3)}
    line = line_of(compare(before, after), "none", "all", "exact_auroc")
    assert f"{mean(before, shared):.4f}  {mean(after, shared):.4f}" in line
    assert line.split()[-1] == "18"


def test_it_says_which_weights_are_compared_and_that_the_data_differ(runs):
    digest = identity("m").weights_digest[:12]
    text = compare(*runs)
    assert text.startswith(f"m: weights 1.0 ({digest}) → 1.0 ({digest})\nthe data sets differ")
    assert "differ" not in compare(runs[0], runs[0])


def test_a_run_compared_with_itself_has_not_changed(runs):
    before, _ = runs
    changes = compare(before, before).splitlines()[4:]
    assert len(changes) > 10
    for line in changes:
        assert "+0.0000 [+0.0000, +0.0000]" in line


def test_the_laterality_index_and_the_opt_out_decision_are_compared_too(runs):
    before, after = (run.summary for run in runs)
    text = compare(runs[0], runs[0])
    for name, node in (
        ("Laterality Response Index", before["laterality"]["m"]["lri"]),
        ("opt-out auroc", before["opt_out"]["m"]["auroc"]),
        ("opt-out risk_coverage.area", before["opt_out"]["m"]["risk_coverage"]["area"]),
    ):
        assert f"{node['mean']:.4f}  {node['mean']:.4f}" in line_of(text, name)
    changed = line_of(compare(*runs), "Laterality Response Index")
    assert f"{after['laterality']['m']['lri']['mean']:.4f}" in changed


def test_a_sentence_whose_words_changed_between_the_runs_is_not_compared(runs, tmp_path):
    records = list(fake_dataset(6).records)
    other = dataclasses.replace(records[0].sentences[1], text="There is a mass in the left lung.")
    first = records[0]
    records[0] = dataclasses.replace(first, sentences=(first.sentences[0], other, first.sentences[2]))
    changed = evaluate(tmp_path, FakeClient(), records)
    assert line_of(compare(runs[0], changed), "none", "all", "exact_auroc").split()[-1] == "17"


def test_a_run_of_an_earlier_version_has_no_decision_to_compare(runs, tmp_path):
    shutil.copytree(runs[0].root, tmp_path / "earlier")
    cases = pq.read_table(tmp_path / "earlier" / "cases.parquet").drop_columns(["statement"])
    pq.write_table(cases, tmp_path / "earlier" / "cases.parquet")
    text = compare(FinishedRun(tmp_path / "earlier"), runs[0])
    assert "Laterality Response Index" in text
    assert "opt-out" not in text


def test_failures_are_counted_by_model_perturbation_and_code(runs, tmp_path):
    records = list(fake_dataset(6).records)
    records[0] = dataclasses.replace(
        records[0], sentences=(dataclasses.replace(records[0].sentences[0], text="Empty."),)
    )
    text = compare(runs[0], evaluate(tmp_path, FakeClient(), records))
    assert "failed  m  none  SENTENCE_EMPTY  0 before, 1 after" in text


def test_a_folder_that_no_run_finished_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"lacks cases\.parquet and summary\.json and manifest\.json"):
        FinishedRun(tmp_path)
