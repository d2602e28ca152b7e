"""A run of ten times the images: how much longer it takes, and how much more memory.

The harness alone is measured: records and maps are made on the spot, in the harness's own process, so that no server
and no data set held in memory is in the figures. Each run is a process of its own, from its first part to its report.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from harness.case import Box, ImageRecord, Sentence, Triple
from harness.pipeline import run
from harness.runconfig import parse_run_config
from wronglung.alignment import Alignment, ModelIdentity
from wronglung.client import AlignItem
from wronglung.geometry import letterbox

IMAGES, TIMES = 400, 10
WIDTH, HEIGHT, GRID = 320, 256, 19
LUNGS = (Box("right lung", 20, 30, 140, 220), Box("left lung", 180, 30, 300, 220))
FINDINGS = ("opacity", "nodule", "effusion", "atelectasis")


class Made:
    """A data set whose records are made when they are asked for, one image a patient and two sentences an image."""

    def __init__(self, images: int) -> None:
        self.name, self.images = "made", images
        self.digest = hashlib.sha256(f"made {images}".encode()).hexdigest()
        self._png = _png()

    def __len__(self) -> int:
        return self.images

    def __iter__(self) -> Iterator[ImageRecord]:
        return (self._record(i) for i in range(self.images))

    def _record(self, i: int) -> ImageRecord:
        finding = FINDINGS[i % len(FINDINGS)]
        sentences = tuple(
            Sentence(
                f"s{i}-{box.name[0]}",
                f"There is an {finding} of size {i % 50} in the {box.name}.",
                (box,),
                (Triple(box.name, finding, True), Triple(box.name, "abnormal", True)),
            )
            for box in LUNGS
        )
        return ImageRecord(f"image{i}", f"patient{i}", f"study{i}", WIDTH, HEIGHT, LUNGS, sentences, lambda: self._png)


def _png() -> bytes:
    with tempfile.TemporaryFile() as file:
        Image.fromarray(np.zeros((HEIGHT, WIDTH), dtype=np.uint8)).save(file, format="PNG")
        file.seek(0)
        return file.read()


class Answers:
    """A client without a server: a map is drawn by the request's id and the sentence's place."""

    def stream(self, items: Iterable[AlignItem], *, window: int = 16) -> Iterator[tuple[str, Alignment]]:
        """Every item with its answer, in order."""
        for item in items:
            yield item.request_id, _answer(item)


def _answer(item: AlignItem) -> Alignment:
    seed = hashlib.sha256(f"{item.model} {item.request_id}".encode()).digest()
    count = len(item.sentences)
    maps = np.random.default_rng(int.from_bytes(seed[:8])).random((count, GRID, GRID)) + 0.5
    return Alignment(
        maps=(maps / maps.sum(axis=(1, 2), keepdims=True)).astype(np.float32),
        opt_out=np.zeros(count, dtype=np.float32),
        local_similarity=np.zeros(count, dtype=np.float32),
        global_similarity=np.zeros(count, dtype=np.float32),
        words=tuple(tuple(text.split()) for text in item.sentences),
        truncated=np.zeros(count, dtype=bool),
        errors=(None,) * count,
        frame=letterbox(WIDTH, HEIGHT),
        model=ModelIdentity(item.model, "1.0", hashlib.sha256(item.model.encode()).hexdigest()),
    )


def measure(images: int, settings: dict[str, Any]) -> dict[str, float]:
    """CPU seconds and peak memory in MiB of a run in this process, interpreter and libraries included."""
    with tempfile.TemporaryDirectory() as out:
        tree = {"name": "scale", "dataset": {"kind": "phantom"}, "models": ["encoder"], "out": out} | settings
        started = time.process_time()
        run(parse_run_config(tree, "the benchmark"), Made(images), Answers())
        seconds = time.process_time() - started
    return {"seconds": seconds, "mib": peak_mib()}


def peak_mib() -> float:
    """The most memory that this process ever had, in MiB. Not `ru_maxrss`: that remembers the process that started it.

    Raises:
        OSError: the system is not Linux.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024


def measure_apart(images: int, **settings: Any) -> dict[str, float]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.run_at_scale", str(images), json.dumps(settings)]
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Print time and peak memory of both runs and their ratios."""
    small, large = (measure_apart(images) for images in (IMAGES, IMAGES * TIMES))
    print(f"{'images':>8} {'CPU s':>9} {'peak MiB':>9}")
    for images, found in ((IMAGES, small), (IMAGES * TIMES, large)):
        print(f"{images:8} {found['seconds']:9.1f} {found['mib']:9.1f}")
    print(f"{'ratio':>8} {large['seconds'] / small['seconds']:9.2f} {large['mib'] / small['mib']:9.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", type=int)
    parser.add_argument("settings", type=json.loads)
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.images, arguments.settings)))
