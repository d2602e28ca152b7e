"""What changed from one run to another, and the gate."""

import dataclasses

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from harness.compare import Condition, compare, load_gate
from harness.pipeline import run
from harness.runconfig import parse_run_config
from harness.settings import ConfigError
from tests.harness_fakes import FakeClient, align, fake_dataset, identity
from wronglung.errors import SentenceEmpty


def blurred(item):
    """A worse server: half of every map is uniform."""
    answered = align(item)
    flat = 0.95 / answered.maps[0].size
    return dataclasses.replace(answered, maps=((answered.maps[:, ::-1, ::-1] + flat) / 2).astype(np.float32))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs on the same sentences; the second server is worse, and its data set lacks two images."""
    root = tmp_path_factory.mktemp("compare")
    for name, images, answer in (("before", 8, align), ("after", 6, blurred)):
        tree = {
            "name": name,
            "dataset": {"kind": "phantom"},
            "models": ["m"],
            "perturbations": ["none", "swap_left_right"],
            "profiles": ["exact"],
            "resamples": 100,
            "gallery": {"best": 0, "worst": 0, "ignores_swap": 0, "random": 0},
            "out": root / name,
        }
        run(parse_run_config(tree, "t"), fake_dataset(images), FakeClient(answer))
    return root / "before", root / "after"


def mean(folder, sentences):
    rows = pq.read_table(folder / "cases.parquet").to_pylist()
    return np.mean([r["exact_auroc"] for r in rows if r["perturbation"] == "none" and r["sentence_id"] in sentences])


def test_the_change_is_over_the_sentences_that_both_runs_have(runs):
    before, after = runs
    text, broken = compare(before, after)
    shared = {f"s{i}-{k}" for i in range(6) for k in range(3)}
    line = next(line for line in text.splitlines() if "none" in line and "all" in line and "exact_auroc" in line)
    assert f"{mean(before, shared):.4f}  {mean(after, shared):.4f}" in line
    assert line.split()[-1] == "18"
    assert not broken


def test_it_says_which_weights_are_compared_and_that_the_data_differ(runs):
    digest = identity("m").weights_digest[:12]
    text, _ = compare(*runs)
    assert text.startswith(f"m: weights 1.0 ({digest}) → 1.0 ({digest})\nthe data sets differ")
    assert "differ" not in compare(runs[0], runs[0])[0]


def test_a_run_compared_with_itself_has_not_changed(runs):
    before, _ = runs
    text, broken = compare(before, before, [Condition(model="m", metric="exact_auroc", smallest_change=0.0)])
    assert "+0.0000 [+0.0000, +0.0000]" in text
    assert "gate holds: 1 conditions" in text
    assert not broken


@pytest.mark.parametrize(
    ("condition", "broken", "words"),
    [
        ({"smallest_change": -0.01}, True, "allowed is -0.0100"),
        ({"smallest_change": -1.0}, False, "gate holds"),
        ({"lowest": 0.99}, True, "at least 0.9900 is asked"),
        ({"lowest": 0.01, "smallest_change": -1.0}, False, "gate holds"),
        ({"lowest": 0.0, "subset": "no such subset"}, True, "no sentence in common"),
        ({"lowest": 0.0, "metric": "exact_nonsense"}, True, "no sentence in common"),
        ({"lowest": 0.0, "model": "gone"}, True, "no sentence in common"),
    ],
)
def test_a_gate_holds_or_breaks(runs, condition, broken, words):
    text, is_broken = compare(*runs, [Condition(**{"model": "m", "metric": "exact_auroc"} | condition)])
    assert is_broken is broken
    assert words in text
    assert ("GATE BROKEN" in text) is broken


def test_a_gate_breaks_when_what_was_answered_fails(runs, tmp_path):
    """The sentences that are left have the same mean as before."""

    def failing(item):
        answered = align(item)
        bad = [text.startswith("The lungs") for text in item.sentences]
        errors = tuple(SentenceEmpty("nothing is left of it") if b else None for b in bad)
        return dataclasses.replace(answered, errors=errors)

    tree = {"name": "t", "dataset": {"kind": "phantom"}, "models": ["m"], "perturbations": ["none"], "resamples": 100}
    run(parse_run_config(tree | {"out": tmp_path}, "t"), fake_dataset(8), FakeClient(failing))
    gate = [Condition(model="m", metric="exact_auroc", smallest_change=0.0)]
    text, broken = compare(runs[0], tmp_path, gate)
    assert broken
    assert "8 sentence(s) that were answered before failed" in text
    assert "changed by" not in text
    one_lung = [Condition(model="m", metric="exact_auroc", subset="one_lung", smallest_change=0.0)]
    assert not compare(runs[0], tmp_path, one_lung)[1]


def test_a_gate_is_read_from_yaml(tmp_path):
    path = tmp_path / "gate.yaml"
    path.write_text(yaml.safe_dump([{"model": "m", "metric": "exact_auroc", "lowest": 0.5}]))
    assert load_gate(path) == (Condition(model="m", metric="exact_auroc", lowest=0.5),)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("- {model: m, metric: exact_auroc}", "needs smallest_change, lowest or both"),
        ("- {model: m, metric: x, lowest: 1.0, colour: red}", "colour"),
        ("model: m", "list"),
        ("- [", "no list of conditions"),
    ],
)
def test_a_wrong_gate_is_explained(tmp_path, content, words):
    path = tmp_path / "gate.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=words):
        load_gate(path)


def test_a_missing_gate_or_run_is_named(tmp_path, runs):
    with pytest.raises(ConfigError, match="cannot read the gate file"):
        load_gate(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match=r"lacks cases\.parquet"):
        compare(runs[0], tmp_path)
