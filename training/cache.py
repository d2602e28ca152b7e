"""Studies are developed once and kept on disk: pictures as one array of bytes, reports as lines of JSON.

Both are written picture by picture into a folder of another name, which takes its own once it is whole. So memory holds
a few pictures, however many there are, and what is found under the name is complete.
"""

import copy
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import IO, Any

import numpy as np
from tqdm import tqdm

from harness.dataset.base import Findings
from harness.dataset.phantom import PhantomDataset
from harness.settings import ConfigError
from training.pictures import Darkroom, Developed, Undeveloped
from training.sources import Chosen, Source
from training.studies import StoredStudies, StudySet, study_to_json

FORMAT = 2
"""Raised whenever what is kept of a study changes."""
_PICTURES, _REPORTS, _FINDINGS = "squares.npy", "studies.jsonl", "findings.txt"
_AHEAD = 8

Result = list[Developed] | Undeveloped
Develop = Callable[[Any], Result]


def load_studies(
    source: Source,
    darkroom: Darkroom,
    cache: Path,
    *,
    workers: int | None = None,
    tell: Callable[[str], object] | None = None,
) -> StudySet:
    """Develop a data set, or read what an earlier call left in the cache.

    Args:
        source: the data set.
        darkroom: how its pictures are developed.
        cache: folder that all data sets share.
        workers: processes; as many as there are processors by default.
        tell: gets lines that say what there is, and what cannot be used; by default they go to stderr.

    Raises:
        ConfigError: not one study can be used.
    """
    key = hashlib.sha256(f"{FORMAT} {darkroom} {source.identity}".encode()).hexdigest()
    folder = cache / f"{key[:16]}-{darkroom.side}"
    if not folder.exists():
        with _whole_or_absent(folder) as unfinished:
            _develop_all(source, darkroom, unfinished, workers or len(os.sched_getaffinity(0)))
    (tell or sys.stderr.write)((folder / _FINDINGS).read_text(encoding="utf-8"))
    return StudySet(StoredStudies(folder / _REPORTS), np.load(folder / _PICTURES, mmap_mode="r"))


@contextmanager
def _whole_or_absent(folder: Path) -> Iterator[Path]:
    """A folder that takes its name once the block ended well, unless another process was faster."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield unfinished
        if not folder.exists():
            unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _develop_all(source: Source, darkroom: Darkroom, folder: Path, workers: int) -> None:
    dataset = source.dataset
    findings = copy.deepcopy(getattr(dataset, "findings", None)) or Findings()
    is_phantom = isinstance(dataset, PhantomDataset)
    develop: Develop = partial(darkroom.phantom, dataset) if is_phantom else darkroom.record  # type: ignore[arg-type]
    items: Iterable[Any] = range(len(dataset)) if is_phantom else dataset
    total = None if isinstance(dataset, Chosen) else len(dataset)
    bar = tqdm(_in_order(develop, items, workers), f"developing {dataset.name}", total, unit="study")
    with (folder / _PICTURES).open("wb") as pictures, (folder / _REPORTS).open("w", encoding="utf-8") as reports:
        count = _write(bar, darkroom.side, findings, pictures, reports)
    lines = [f"{dataset.name}: {count} pictures", *findings.lines()]
    if not count:
        fix = ": see what is left out, or change data.validation_share" if isinstance(dataset, Chosen) else ""
        told = f"data set {dataset.name} holds no study that can be learned from{fix}"
        raise ConfigError("\n".join([told, *lines[1:]]))
    (folder / _FINDINGS).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _write(results: Iterable[Result], side: int, findings: Findings, pictures: IO[bytes], reports: IO[str]) -> int:
    """Write pictures and reports one by one; returns how many."""
    count = 0
    _write_header(pictures, 0, side)
    for result in results:
        if isinstance(result, Undeveloped):
            findings.leave_out(result.kind, result.where, result.message)
            continue
        for study, square in result:
            pictures.write(square.tobytes())
            reports.write(json.dumps(study_to_json(study)) + "\n")
            count += 1
    pictures.seek(0)
    _write_header(pictures, count, side)
    return count


def _write_header(file: IO[bytes], count: int, side: int) -> None:
    """NumPy's header leaves room for its first number to grow."""
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, side, side)}
    np.lib.format.write_array_header_1_0(file, header)


_develop: Develop
"""What this worker does to each item; sent once, not with every item."""


def _set_up(develop: Develop) -> None:
    global _develop
    _develop = develop


def _do(item: Any) -> Result:
    return _develop(item)


def _in_order(develop: Develop, items: Iterable[Any], workers: int) -> Iterator[Result]:
    """The results in the items' order; only a few items are taken ahead."""
    waiting: deque[Future[Result]] = deque()
    with ProcessPoolExecutor(workers, get_context("spawn"), _set_up, (develop,)) as pool:
        for item in items:
            waiting.append(pool.submit(_do, item))
            if len(waiting) > _AHEAD * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
