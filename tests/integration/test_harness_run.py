"""`harness run` against the real server: the numbers repeat to the byte, a killed run goes on, real input is read."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy.stats import rankdata

from harness.dataset.phantom import PhantomDataset
from tests.repository import ROOT
from tests.serving import Instance
from tests.shared import shared_path
from wronglung.client import AlignmentClient
from wronglung.geometry import Frame

pytestmark = pytest.mark.integration

HARNESS = [sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())"]
SMALL = ("resamples=200", "subsets=[all, one_lung]", "gallery={best: 1, worst: 1, ignores_swap: 1, random: 1}")
PHANTOM = ("dataset.seed=7", "dataset.patients=12")
FILES = ("summary.json", "cases.parquet", "gallery/index.json")


def command(run_file: str, out: Path, *settings: str, resume: bool = False) -> list[str]:
    chosen = [part for setting in (*SMALL, *settings) for part in ("--set", setting)]
    flags = ["--resume"] if resume else []
    return [*HARNESS, "run", str(ROOT / "harness" / "runs" / run_file), "--out", str(out), *chosen, *flags]


def environment(server: Instance) -> dict[str, str]:
    return {**os.environ, "WRONGLUNG_TARGET": server.target}


def harness(server: Instance, arguments: list[str]) -> str:
    done = subprocess.run(arguments, env=environment(server), capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def finished(server: Instance, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A small run of the demo: its directory and what it printed."""
    out = tmp_path_factory.mktemp("runs") / "first"
    return out, harness(server, command("demo.yaml", out, *PHANTOM, "images_per_part=4"))


def test_a_run_prints_its_table_and_leaves_a_report(finished):
    out, printed = finished
    for word in ("encoder-optout", "swap_left_right", "random_sentences", "oracle", "Laterality Response Index"):
        assert word in printed
    assert (out / "report.html").stat().st_size > 10_000


def test_nothing_fails_on_the_phantom(finished):
    out, _ = finished
    summary = json.loads((out / "summary.json").read_bytes())
    assert summary["failures"] == {}
    assert summary["dataset"]["images"] == len(PhantomDataset(7, patients=12))


def test_the_manifest_names_the_weights_that_answered(finished, server):
    out, _ = finished
    manifest = json.loads((out / "manifest.json").read_bytes())
    with AlignmentClient(server.target) as client:
        served = {model.identity.name: model.identity.weights_digest for model in client.models()}
    assert {name: node["weights_digest"] for name, node in manifest["models"].items()} == served
    assert all(node["deterministic"] for node in manifest["models"].values())


def test_a_run_that_is_killed_and_resumed_ends_with_the_same_bytes(finished, server, tmp_path):
    out, _ = finished
    settings = (*PHANTOM, "images_per_part=4")
    process = subprocess.Popen(
        command("demo.yaml", tmp_path, *settings), env=environment(server), stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 120
        while not list(tmp_path.glob("parts/part-*.parquet")) and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (tmp_path / "manifest.json").exists()
    harness(server, command("demo.yaml", tmp_path, *settings, resume=True))
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes(), name


def test_the_client_gets_the_maps_that_the_harness_scored(finished, server):
    out, _ = finished
    rows = pq.read_table(out / "cases.parquet").slice(0, 3).to_pylist()
    study = next(iter(PhantomDataset(7, patients=12)))
    texts = [row["text"] for row in rows]
    with AlignmentClient(server.target) as client:
        answer = client.align(study.load(), texts, model="encoder")
    assert [row["opt_out"] for row in rows] == pytest.approx(answer.opt_out.tolist())
    assert [row["local_similarity"] for row in rows] == pytest.approx(answer.local_similarity.tolist(), abs=1e-5)


@pytest.fixture(scope="module")
def real(server: Instance, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the real radiographs."""
    folder, out = shared_path("real_cxr"), tmp_path_factory.mktemp("real")
    harness(server, command("real_cxr.yaml", out, f"dataset.root={folder}"))
    return out


def test_real_radiographs_are_evaluated_without_a_failure(real):
    summary = json.loads((real / "summary.json").read_bytes())
    assert (summary["dataset"]["images"], summary["dataset"]["sentences"]) == (30, 39)
    assert summary["failures"] == {}
    for model in ("encoder", "encoder-optout"):
        assert summary["models"][model]["none"]["all"]["exact"]["auroc"]["n"] == 39
        assert summary["models"][model]["none"]["one_lung"]["exact"]["auroc"]["n"] == 32


def test_frames_are_those_of_the_stored_images(real):
    frames = {row["image_id"]: row["frame"] for row in pq.read_table(real / "cases.parquet").to_pylist()}
    for line in (shared_path("real_cxr") / "images.jsonl").read_text().splitlines():
        image = json.loads(line)
        frame = frames[image["image"]]
        assert (frame["image_width"], frame["image_height"]) == (image["width"], image["height"])


def sampled_auroc(attention: np.ndarray, frame: Frame, boxes: list[tuple[float, ...]], step: float = 0.5) -> float:
    """AUROC over points of the image, every `step` frame pixels: each asked for its cell and whether a box holds it."""
    x0, y0, x1, y1 = frame.image_rect
    xs, ys = np.meshgrid(np.arange(x0 + step / 2, x1, step), np.arange(y0 + step / 2, y1, step))
    rows, cols = attention.shape
    values = attention[(ys * rows / frame.height).astype(int), (xs * cols / frame.width).astype(int)].ravel()
    x, y = (xs - frame.offset_x) / frame.scale_x, (ys - frame.offset_y) / frame.scale_y
    inside = np.any([(a <= x) & (x < c) & (b <= y) & (y < d) for a, b, c, d in boxes], axis=0).ravel()
    ranks = rankdata(values)
    positives, negatives = inside.sum(), (~inside).sum()
    return float((ranks[inside].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def test_the_real_numbers_are_right(real):
    maps = np.load(real / "maps.npz")["maps"]
    rows = pq.read_table(real / "cases.parquet").to_pylist()
    checked = [i for i, row in enumerate(rows) if row["status"] == "ok"][::7]
    for i in checked:
        boxes = [(box["x0"], box["y0"], box["x1"], box["y1"]) for box in rows[i]["boxes"]]
        expected = sampled_auroc(maps[i], Frame(**rows[i]["frame"]), boxes)
        assert rows[i]["exact_auroc"] == pytest.approx(expected, abs=4e-3), rows[i]["sentence_id"]
