"""What is planted in a served model's answers is found by a whole run, from requests to `summary.json`."""

import dataclasses
import hashlib

import numpy as np
import pyarrow.parquet as pq
import pytest

from harness.pipeline import run
from harness.runconfig import parse_run_config
from tests.harness_fakes import GRID, LEFT_LUNG, RIGHT_LUNG, FakeClient, FakeDataset, align, record, sentence

# The right lung lies on columns 0 to 2 of the 7 × 7 cells, the left lung on 4 to 6; both on part of row 1, on rows 2 to
# 4, and on part of row 5: (220 − 30) / 256 of the image's height, from y = 30 × 204 / 256 + 10 on.
TOP, BOTTOM = 30 * 204 / 256 + 10, 220 * 204 / 256 + 10
SHARE = np.array([max(0.0, min(BOTTOM, y + 32) - max(TOP, y)) / 32 for y in range(0, 224, 32)])
SIDES = {"right": slice(0, 3), "left": slice(4, 7)}
TEXT = ["swap_left_right", "random_sentences", "synthetic_sentences"]


def evaluate(tmp_path, answer, records, perturbations, profiles=("exact",)):
    """The summary of a run with one model that answers so, and its rows."""
    tree = {
        "name": "planted",
        "dataset": {"kind": "phantom"},
        "models": ["m"],
        "perturbations": ["none", *perturbations],
        "profiles": list(profiles),
        "resamples": 1000,
        "gallery": {"best": 0, "worst": 0, "ignores_swap": 0, "random": 0},
        "out": tmp_path,
    }
    summary = run(parse_run_config(tree, "test"), FakeDataset(records), FakeClient(answer))
    return summary, pq.read_table(tmp_path / "cases.parquet").to_pylist()


def inside(weights):
    """Of weights (GRID, GRID) what lies in the lungs, so scaled that each side's lung holds 1."""
    found = np.zeros((GRID, GRID))
    for columns in SIDES.values():
        found[:, columns] = (weights * SHARE[:, None])[:, columns]
        found[:, columns] /= (found * SHARE[:, None])[:, columns].sum()
    return found


def one_side(side):
    """U(R): even attention on the lung of one side, which holds 1."""
    even = np.zeros((GRID, GRID))
    even[:, SIDES[side]] = inside(np.ones((GRID, GRID)))[:, SIDES[side]]
    return even


def half_and_half(rng):
    """B, balanced to the last bit: random attention in both lungs, half of it in each."""
    return inside(rng.random((GRID, GRID)) + 0.1) / 2


def balanced_on_average(rng):
    """B, balanced in expectation only: neither side is favoured, but every map leans somewhere."""
    share = rng.beta(2, 2)
    noise = inside(rng.random((GRID, GRID)) + 0.1)
    for side, part in (("right", share), ("left", 1 - share)):
        noise[:, SIDES[side]] *= part
    return noise


def follows_the_words(strength, balanced):
    """A model whose maps are λ·U(R) + (1 − λ)·B, R being the side that the words name."""

    def answer(item):
        answered = align(item)
        maps = []
        for text in item.sentences:
            seed = hashlib.sha256(item.image + text.encode()).digest()
            mixed = (1 - strength) * balanced(np.random.default_rng(int.from_bytes(seed[:8], "big")))
            named = [side for side in SIDES if side in text.lower()]
            mixed += strength * sum(map(one_side, named)) if named else 0
            maps.append(0.95 * mixed / max(mixed.sum(), 1e-9))
        return dataclasses.replace(answered, maps=np.array(maps, dtype=np.float32))

    return answer


def sided(images):
    """Images with a finding on either side, one patient each."""
    return [
        record(
            i,
            sentence(f"s{i}-r", f"Opacity {i} in the right lung.", RIGHT_LUNG),
            sentence(f"s{i}-l", f"Nodule {i} in the left lung.", LEFT_LUNG),
            patient=f"patient{i}",
        )
        for i in range(images)
    ]


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
def test_a_model_that_follows_the_words_by_a_part_has_that_part_as_its_index(tmp_path, strength):
    summary, _ = evaluate(tmp_path, follows_the_words(strength, half_and_half), sided(20), ["swap_left_right"])
    lri = summary["laterality"]["m"]["lri"]
    assert lri["mean"] == pytest.approx(strength, abs=1e-6)
    assert lri["n"] == 40
    assert summary["laterality"]["m"]["preference"]["mean"] == pytest.approx((1 + strength) / 2, abs=1e-6)


@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_the_index_lies_in_its_interval_when_the_maps_are_noisy(tmp_path, strength):
    summary, _ = evaluate(tmp_path, follows_the_words(strength, balanced_on_average), sided(60), ["swap_left_right"])
    low, high = summary["laterality"]["m"]["lri"]["ci95"]
    assert low <= strength <= high
    assert 0.03 < high - low < 0.2
    assert (low > 0) == (strength > 0)


def test_a_model_that_cannot_read_does_not_react_to_words_at_all(tmp_path):
    """Every metric, in both profiles, and with it the Laterality Response Index: 0, not merely small."""

    def text_blind(item):
        answered = align(item)
        count = len(item.sentences)
        first = np.broadcast_to(align(dataclasses.replace(item, sentences=("The same.",))).maps, answered.maps.shape)
        return dataclasses.replace(
            answered, maps=first.copy(), local_similarity=np.full(count, 0.5), global_similarity=np.full(count, 0.5)
        )

    summary, rows = evaluate(tmp_path, text_blind, sided(12), TEXT, ("exact", "paper"))
    checked = 0
    for perturbation in TEXT:
        for profile in ("exact", "paper"):
            for metric, node in summary["deltas"]["m"][perturbation]["all"][profile].items():
                assert (node["mean"], node["ci95"], node["p"]) == (0, [0, 0], 1), (perturbation, profile, metric)
                checked += 1
    assert checked > 50
    lri = summary["laterality"]["m"]["lri"]
    assert (lri["mean"], lri["ci95"]) == (0, [0, 0])
    assert {row["exact_kl"] for row in rows if row["perturbation"] == "swap_left_right"} == {0}


MASS, REST = 0.5, 0.01


def numbered(images):
    """Five findings on each image, numbered through: every fifth of them makes a fifth of all."""
    return [
        record(
            i,
            *(sentence(f"s{n}", f"Finding {n} there.", RIGHT_LUNG, label=f"f{n}") for n in range(5 * i, 5 * i + 5)),
            patient=f"patient{i}",
        )
        for i in range(images)
    ]


def number(text):
    return int(text.split()[1])


def fires(chosen):
    """A model that withholds MASS from the chosen (image number, sentence number), REST from others."""

    def answer(item):
        image = int(item.request_id.removeprefix("image-").split(".")[0])
        mass = [MASS if chosen(image, number(text)) else REST for text in item.sentences]
        return dataclasses.replace(align(item), opt_out=np.array(mass, dtype=np.float32))

    return answer


def test_an_opt_out_that_fires_on_a_fifth_of_the_sentences_is_read_back(tmp_path):
    answer = fires(lambda image, n: n % 5 == 0)
    summary, rows = evaluate(tmp_path, answer, numbered(20), ["random_sentences"])
    own = [row for row in rows if row["perturbation"] == "none"]
    assert {row["sentence_id"] for row in own if row["opt_out"] > 0.1} == {f"s{n}" for n in range(0, 100, 5)}
    expected = pytest.approx(0.2 * MASS + 0.8 * REST)
    assert summary["opt_out"]["m"]["mass"]["own_present"]["mean"] == expected
    assert summary["models"]["m"]["none"]["all"]["exact"]["opt_out_mass"]["mean"] == expected
    auroc = summary["opt_out"]["m"]["auroc"]  # it fires no matter what is true of the image
    assert auroc["ci95"][0] < 0.5 < auroc["ci95"][1]


def test_an_opt_out_that_fires_on_a_known_part_of_the_false_sentences_decides_by_that_part(tmp_path):
    answer = fires(lambda image, n: n // 5 != image and n % 5 == 0)
    summary, rows = evaluate(tmp_path, answer, numbered(40), ["random_sentences"])
    false = [row for row in rows if row["statement"] == "random_false"]
    assert len(false) == 200
    part = np.mean([number(row["text"]) % 5 == 0 for row in false])
    assert 0.1 < part < 0.3
    tree = summary["opt_out"]["m"]
    assert tree["mass"]["random_false"]["mean"] == pytest.approx(part * MASS + (1 - part) * REST)
    assert tree["mass"]["own_present"]["mean"] == pytest.approx(REST)
    assert tree["auroc"]["mean"] == pytest.approx(0.5 + part / 2)  # wins on that part, ties on the rest
    assert tree["auroc"]["ci95"][0] <= 0.5 + 0.2 / 2 <= tree["auroc"]["ci95"][1]
