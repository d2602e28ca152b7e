"""The plain backend as the supervisor sees it."""

import os
from pathlib import Path

import pytest

from tests.repository import ROOT
from wronglung.plain.settings import PlainModel, PlainSettings
from wronglung.supervisor.plain import PlainBackend


@pytest.fixture
def instance(tmp_path: Path) -> PlainBackend:
    models = tuple(
        PlainModel(name, name, "1.0", tmp_path / name, tmp_path / name / "model-config.yaml", workers, longest_s=120)
        for name, workers in (("encoder", 1), ("encoder-optout", 2))
    )
    backend = PlainBackend(tmp_path, ROOT, ROOT / "handlers/alignment_handler.py", models, 1, 2, threads=3)
    backend.prepare()
    return backend


def test_is_told_ports_handler_models_and_the_metrics_that_torchserve_is_told(instance: PlainBackend) -> None:
    *python, file = instance.command()
    assert python[1:] == ["-m", "wronglung.plain"]
    told = PlainSettings.read(Path(file))
    assert (told.port, told.metrics_port, tuple(told.models)) == (1, 2, instance.models)
    assert told.handler.is_file()
    assert told.metrics.is_file()


def test_computes_with_as_many_threads_as_a_worker_of_torchserve(instance: PlainBackend) -> None:
    assert instance.environment()["OMP_NUM_THREADS"] == "3"
    assert str(ROOT) in instance.environment()["PYTHONPATH"].split(os.pathsep)


def test_torch_keeps_its_cache_in_the_instances_directory(instance: PlainBackend) -> None:
    assert Path(instance.environment()["TORCHINDUCTOR_CACHE_DIR"]).is_relative_to(instance.directory)


def test_tells_what_each_model_is_at_by_its_first_worker(instance: PlainBackend) -> None:
    assert set(instance.stages().values()) == {"starts a worker"}
    said = "WRONGLUNG STAGE: reads its weights\nWRONGLUNG STAGE: warms up\n"
    (instance.logs / "worker-encoder-0.log").write_text(said)
    assert instance.stages() == {"encoder": "warms up", "encoder-optout": "starts a worker"}


def test_finds_why_a_model_cannot_be_served_in_any_workers_log(instance: PlainBackend) -> None:
    assert instance.setup_failure() is None
    said = (
        "Traceback\nRuntimeError: WRONGLUNG SET-UP FAILED: config.json is not valid:\n  version: missing\nand so on\n"
    )
    (instance.logs / "worker-encoder-optout-1.log").write_text(said)
    assert instance.setup_failure() == "encoder-optout: config.json is not valid:\n  version: missing"
    assert "--- end of worker-encoder-optout-1.log" in instance.last_words()
