"""A synthetic results directory: what `harness run` writes, made up, so that the report can be tested without a run."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from wronglung.geometry import Frame, letterbox

METRICS = {
    "auroc": 0.72,
    "avg_precision": 0.41,
    "precision_at_5": 0.55,
    "precision_at_10": 0.50,
    "precision_at_20": 0.44,
    "precision_at_30": 0.39,
    "iou_at_5": 0.11,
    "iou_at_10": 0.18,
    "iou_at_20": 0.24,
    "iou_at_30": 0.27,
    "entropy": 5.71,
    "opt_out_mass": 0.0031,
}
EXACT_ONLY = {"my_own_metric": 0.7, "pointing": 0.51, "mass_in_box": 0.29, "soft_iou": 0.2, "lost": 0.01}
AGAINST_RANDOM = {"kl": 0.0431, "match_local": 0.702, "match_global": 0.829}
DROP = {"none": 0.0, "swap_left_right": -0.09, "random_sentences": -0.13, "shuffle_in_report": -0.05}
SUBSET_SIZES = {"all": 1240, "abnormal": 610, "one_lung": 384}
CONTROLS = {"oracle": 0.96, "centre_prior": 0.62, "uniform": 0.5}
BLIND = {"text_blind": 0.66, "image_blind": 0.61, "image_blind_same_meaning": 0.6}


@dataclass(frozen=True)
class Plan:
    """What the directory holds. `models` gives each model's response to the words: 1 follows, 0 ignores."""

    models: Mapping[str, float] = field(default_factory=lambda: {"encoder": 0.6, "encoder-optout": 0.05})
    perturbations: Sequence[str] = ("none", "swap_left_right", "random_sentences")
    subsets: Sequence[str] = ("all", "abnormal", "one_lung")
    profiles: Sequence[str] = ("exact", "paper")
    patients: int = 100
    image_id: str = "phantom-test"
    sentence: str = "There is a small left pleural effusion with adjacent atelectasis."
    image_size: tuple[int, int] = (640, 512)
    exhibits: Sequence[str] = ("best", "worst", "ignores_swap", "random")
    failures: Mapping[str, Any] = field(default_factory=dict)
    laterality: bool = True
    controls: bool = True
    cases: bool = True
    kind: str = "phantom"
    sentences: int = SUBSET_SIZES["all"]


def estimate(mean: float, half: float, n: int, patients: int) -> dict[str, Any]:
    """An estimate as summary.json holds it."""
    return {
        "mean": mean,
        "ci95": [mean - half, mean + half],
        "n": n,
        "patients": patients,
        "few_patients": patients < 20,
    }


def build_results(directory: Path, plan: Plan | None = None) -> Path:
    """Write a results directory and return it."""
    plan = plan or Plan()
    directory.mkdir(parents=True, exist_ok=True)
    _write(directory / "manifest.json", _manifest(directory.name, plan))
    _write(directory / "summary.json", summary(plan))
    if plan.exhibits:
        _write_gallery(directory / "gallery", plan)
    if plan.cases:
        _write_cases(directory / "cases.parquet", plan)
    return directory


def edit_json(path: Path, **changes: Any) -> None:
    """Change some keys of a JSON object on disk."""
    _write(path, {**json.loads(path.read_text()), **changes})


def _write(path: Path, tree: Any) -> None:
    path.write_text(json.dumps(tree, sort_keys=True))


def _manifest(name: str, plan: Plan) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "name": name,
        "git_commit": "0123456789abcdef0123456789abcdef01234567",
        "config": {
            "name": name,
            "seed": 0,
            "resamples": 10_000,
            "models": list(plan.models),
            "dataset": {"kind": plan.kind},
            "limit": None,
        },
        "dataset": {
            "name": "phantom:test",
            "digest": "ab" * 32,
            "images": plan.patients * 2,
            "patients": plan.patients,
            "sentences": plan.sentences,
            "boxes": 3000,
            "left_out": {"box_outside_image": 3},
            "warnings": {},
            "examples": {"box_outside_image": ["image 12, sentence 3: left lung reaches x = 700 of 640"]},
        },
        "models": {m: {"version": "1.0", "weights_digest": "cd" * 32, "deterministic": True} for m in plan.models},
        "seeds": {"perturbations": 0, "statistics": 0},
        "versions": {"wronglung": "0.1.0", "python": "3.11.9", "numpy": "2.4.6"},
    }


def summary(plan: Plan) -> dict[str, Any]:
    """`summary.json`."""
    tree: dict[str, Any] = {
        "schema_version": 1,
        "models": {m: _arms(plan, response, deltas=False) for m, response in plan.models.items()},
        "deltas": {m: _arms(plan, response, deltas=True) for m, response in plan.models.items()},
        "failures": dict(plan.failures),
        "not_applicable": {m: {"swap_left_right": {"names no side": 412}} for m in plan.models},
    }
    if plan.controls:
        tree["controls"] = _controls(plan)
        tree["advantage"] = {m: _advantage(plan, response) for m, response in plan.models.items()}
    if len(plan.models) > 1:
        tree["comparisons"] = _comparisons(plan)
    if plan.laterality:
        tree["laterality"] = {m: _laterality(plan, response) for m, response in plan.models.items()}
    if opt_out := {m: _opt_out(plan) for m in plan.models if m.endswith("optout")}:
        tree["opt_out"] = opt_out
    return tree


def _arms(plan: Plan, response: float, *, deltas: bool) -> dict[str, Any]:
    arms = [arm for arm in plan.perturbations if not (deltas and arm == "none")]
    return {
        arm: {
            subset: {p: _metrics(plan, response, arm, subset, p, deltas) for p in plan.profiles}
            for subset in plan.subsets
        }
        for arm in arms
    }


def _metrics(plan: Plan, response: float, arm: str, subset: str, profile: str, deltas: bool) -> dict[str, Any]:
    values = METRICS | (EXACT_ONLY if profile == "exact" else {})
    values |= AGAINST_RANDOM if arm == "random_sentences" else {}
    n = SUBSET_SIZES.get(subset, 100)
    tree = {}
    for key, base in values.items():
        drop = DROP.get(arm, -0.02) * response * base
        half = 0.05 * base / (n / 300) ** 0.5
        node = estimate(drop if deltas else base + drop, half if not deltas else half / 2, n, plan.patients)
        if deltas:
            shown = abs(drop) > half / 2
            node |= {"p": 0.0001 if shown else 0.43, "q": 0.0004 if shown else 0.61, "mde": half}
        tree[key] = node
    return tree


def _controls(plan: Plan) -> dict[str, Any]:
    def at(mean: float) -> dict[str, Any]:
        return {
            s: {
                p: {k: estimate(mean * v, 0.01 * v, 1240, plan.patients) for k, v in SCALE.items()}
                for p in plan.profiles
            }
            for s in plan.subsets
        }

    shared = {name: at(value) for name, value in CONTROLS.items()}
    return shared | {name: {model: at(value) for model in plan.models} for name, value in BLIND.items()}


SCALE = {"auroc": 1.0, "precision_at_10": 0.7, "pointing": 0.75, "mass_in_box": 0.6}


def _laterality(plan: Plan, response: float) -> dict[str, Any]:
    return {
        "lri": estimate(0.4 * response, 0.03, 384, plan.patients),
        "mirror_consistency": estimate(0.81, 0.02, 384, plan.patients),
    }


def _advantage(plan: Plan, response: float) -> dict[str, Any]:
    def over(value: float) -> dict[str, Any]:
        gain = 0.15 * response + 0.1 * (METRICS["auroc"] - value)
        node = estimate(gain, 0.03, 900, plan.patients) | {"p": 0.01, "q": 0.02 if gain > 0.03 else 0.6, "mde": 0.04}
        return {subset: {profile: {"auroc": node} for profile in plan.profiles} for subset in plan.subsets}

    return {name: over(value) for name, value in (CONTROLS | BLIND).items()}


def _comparisons(plan: Plan) -> dict[str, Any]:
    """Each model less those before it; a difference of the responses beyond 0.1 has a q below 0.05."""
    names = list(plan.models)
    return {
        second: {first: _compared(plan, plan.models[second] - plan.models[first]) for first in names[:place]}
        for place, second in enumerate(names)
        if place
    }


def _compared(plan: Plan, difference: float) -> dict[str, Any]:
    def less(factor: float, n: int) -> dict[str, Any]:
        tested = {"p": 0.01, "q": 0.02 if abs(difference) > 0.1 else 0.6, "mde": 0.04}
        return estimate(factor * difference, 0.02, n, plan.patients) | tested

    factors = {"auroc": 0.1, "entropy": -0.5, "pointing": 0.2}
    tree: dict[str, Any] = {
        "metrics": {
            arm: {
                subset: {
                    profile: {
                        key: less(factor, SUBSET_SIZES.get(subset, 100))
                        for key, factor in factors.items()
                        if profile == "exact" or key not in EXACT_ONLY
                    }
                    for profile in plan.profiles
                }
                for subset in plan.subsets
            }
            for arm in plan.perturbations
        }
    }
    return tree | ({"laterality": {"lri": less(0.4, 384)}} if plan.laterality else {})


def _opt_out(plan: Plan) -> dict[str, Any]:
    def point(value: float) -> dict[str, Any]:
        return estimate(value, 0.02, 800, plan.patients)

    masses = {"own_present": 0.0028, "own_negated": 0.0031, "random_false": 0.0044}
    return {
        "mass": {kind: estimate(value, 0.0003, 300, plan.patients) for kind, value in masses.items()},
        "auroc": point(0.63),
        "auroc_length_matched": point(0.61),
        "auroc_of_word_count": point(0.51),
        "auroc_of_negated": point(0.58),
        "risk_coverage": {"area": point(0.5), "area_in_random_order": point(0.6), "area_in_ideal_order": point(0.3)},
    }


def radiograph(width: int, height: int, seed: int = 0) -> Image.Image:
    """Two dark lungs on a bright chest: enough to see where a map lies."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    u, v = x / width - 0.5, y / height - 0.5
    chest = 190 * np.exp(-(((u / 0.48) ** 2 + (v / 0.62) ** 2) ** 3))
    for centre in (-0.19, 0.19):
        chest -= 120 * np.exp(-((((u - centre) / 0.14) ** 2 + ((v + 0.03) / 0.32) ** 2) ** 2))
    noise = np.random.default_rng(seed).normal(0, 6, chest.shape)
    return Image.fromarray(np.clip(chest + noise, 0, 255).astype(np.uint8))


def _write_gallery(folder: Path, plan: Plan) -> None:
    folder.mkdir(exist_ok=True)
    entries = []
    for i, kind in enumerate(plan.exhibits):
        width, height = plan.image_size
        ratio = min(1.0, 512 / max(width, height))
        buffer = io.BytesIO()
        radiograph(round(width * ratio), round(height * ratio), i).save(buffer, format="PNG")
        (folder / f"{i}.png").write_bytes(buffer.getvalue())
        entries.append(gallery_entry(plan, kind, i))
    (folder / "index.json").write_text(json.dumps(entries))


def gallery_entry(plan: Plan, kind: str, i: int) -> dict[str, Any]:
    """One entry of gallery/index.json."""
    width, height = plan.image_size
    frame = letterbox(width, height)
    return {
        "kind": kind,
        "image": f"{i}.png",
        "image_size": [width, height],
        "frame": asdict(frame),
        "image_id": f"{plan.image_id}-{i:05d}",
        "sentence_id": f"{plan.image_id}-{i:05d}-s0",
        "sentence": plan.sentence,
        "boxes": [{"name": "left lung", "box_xyxy": [width * 0.55, height * 0.2, width * 0.83, height * 0.8]}],
        "arms": [arm for model in plan.models for arm in _gallery_arms(plan, model, frame)],
    }


def _gallery_arms(plan: Plan, model: str, frame: Frame) -> list[dict[str, Any]]:
    swapped = plan.sentence.replace("left", "right")
    texts = {"none": plan.sentence, "swap_left_right": swapped}
    return [
        {
            "model": model,
            "perturbation": arm,
            "text": text,
            "rows": 19,
            "cols": 19,
            "map": _blob(0.7 if arm == "none" else 0.7 - 0.4 * plan.models[model]).tolist(),
            "opt_out_mass": 0.0042 if model.endswith("optout") else 0.0,
            "auroc": 0.81 if arm == "none" else 0.66,
        }
        for arm, text in texts.items()
        if arm in plan.perturbations
    ]


def _blob(centre: float) -> Any:
    row, col = np.mgrid[0:19, 0:19] / 18
    heat = 0.5 + np.exp(-(((col - centre) / 0.18) ** 2 + ((row - 0.6) / 0.22) ** 2))
    return (heat / heat.sum()).ravel()


def _write_cases(path: Path, plan: Plan) -> None:
    """120 sentences of each model and arm, every third of which names both sides."""
    rng = np.random.default_rng(0)
    rows = [(m, a, i) for m in plan.models for a in plan.perturbations for i in range(120)]
    shift = {"none": 0.2, "swap_left_right": -0.2}
    table = {
        "model": [m for m, _, _ in rows],
        "perturbation": [a for _, a, _ in rows],
        "sentence_id": [f"s{i}" for _, _, i in rows],
        "image_id": [f"image{i // 3}" for _, _, i in rows],
        "stratum": ["both_sides" if i % 3 == 2 and a == "swap_left_right" else "" for _, a, i in rows],
        "status": ["failed" if i == 0 else "ok" for _, _, i in rows],
        "error_code": ["SENTENCE_EMPTY" if i == 0 else "" for _, _, i in rows],
        "error": ["nothing is left of it: say more" if i == 0 else "" for _, _, i in rows],
        "statement": [_statement(a, i) for _, a, i in rows],
        "opt_out": [_mass(m, a, rng) for m, a, _ in rows],
        "exact_pointing": [None if i % 10 == 9 else float(i % 2) for _, _, i in rows],
        "exact_preference": [0.5 + plan.models[m] * shift.get(a, 0.0) + 0.02 * rng.normal() for m, a, _ in rows],
    }
    pq.write_table(pa.table(table), path)


def _statement(arm: str, i: int) -> str:
    own = "own_negated" if i % 4 == 3 else "own_present"
    return {"none": own, "random_sentences": "random_false" if i % 5 else ""}.get(arm, "")


def _mass(model: str, arm: str, rng: np.random.Generator) -> float:
    return float(rng.gamma(6 if arm == "random_sentences" else 4, 0.0008)) if model.endswith("optout") else 0.0
