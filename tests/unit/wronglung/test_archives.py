"""Archives from a model store, and the table of what is in them."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.repository import ROOT
from tests.serving import random_store
from wronglung import archives
from wronglung.archives import StoreError, build_archives, models_in
from wronglung.model import checkpoint, load_model
from wronglung.model.errors import ModelFilesError
from wronglung.model.random_model import create_random_dual_encoder
from wronglung.served import MODELS_FILE, read_models
from wronglung.serving_settings import BROKEN


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return random_store(tmp_path / "store")


def test_an_archive_holds_the_models_files_the_handler_and_a_manifest(store: Path, tmp_path: Path) -> None:
    build_archives(["encoder"], store, tmp_path / "out", ROOT)
    with zipfile.ZipFile(tmp_path / "out" / "encoder.mar") as archive:
        names = set(archive.namelist())
        manifest = json.loads(archive.read("MAR-INF/MANIFEST.json"))
        assert archive.read("alignment_handler.py") == (ROOT / "handlers" / "alignment_handler.py").read_bytes()
        assert archive.read("weights.safetensors") == (store / "encoder" / "weights.safetensors").read_bytes()
    assert names >= {"config.json", "weights.safetensors", "tokenizer/tokenizer.json", "model-config.yaml"}
    assert manifest["runtime"] == "python"
    assert manifest["model"] == {
        "modelName": "encoder",
        "handler": "alignment_handler.py",
        "modelVersion": "1.0",
        "configFile": "model-config.yaml",
    }


def test_the_handler_is_not_named_after_a_package() -> None:
    """Its folder is put first on the workers' path, where it would hide one."""
    assert archives.HANDLER.stem not in {"wronglung", "handlers", "torch", "transformers", "ts", "numpy"}


def test_the_table_says_of_each_model_what_it_says_of_itself(store: Path, tmp_path: Path) -> None:
    served = build_archives(["encoder-optout", "encoder"], store, tmp_path, ROOT)
    catalogue = read_models(tmp_path / MODELS_FILE)
    assert catalogue.models == sorted(served, key=lambda each: each.name)
    for each in served:
        model = load_model(store / each.name)
        assert (each.name, each.version, each.weights_digest) == (
            model.identity().name,
            model.identity().version,
            model.weights_digest,
        )
        assert each.has_opt_out == model.has_opt_out
        assert (each.grid_rows, each.grid_cols) == model.grid
        assert (each.frame_width, each.frame_height) == model.frame_size
        assert each.max_word_pieces == model.max_word_pieces


def test_batch_workers_and_queue_come_from_the_models_settings(store: Path, tmp_path: Path) -> None:
    (store / "encoder" / "model-config.yaml").write_text(
        "maxWorkers: 3\nbatchSize: 5\njobQueueSize: 7\nresponseTimeout: 60\n"
    )
    (served,) = build_archives(["encoder"], store, tmp_path, ROOT)
    assert (served.workers, served.batch_size, served.queue_size, served.response_s) == (3, 5, 7, 60)


def test_progress_tells_every_byte_of_each_archive(store: Path, tmp_path: Path) -> None:
    left: dict[str, int] = {}

    def watch(what: str, size: int) -> Callable[[int], object]:
        left[what] = size

        def step(count: int) -> None:
            left[what] -= count

        return step

    build_archives(["encoder", "encoder-optout"], store, tmp_path, ROOT, watch)
    assert left == {"archive of encoder": 0, "archive of encoder-optout": 0}


def test_file_names_are_those_of_the_checkpoint() -> None:
    assert (archives.CONFIG_FILE, archives.SERVING_FILE) == (checkpoint.CONFIG_FILE, checkpoint.SERVING_FILE)


def test_an_unknown_model_is_named_with_those_there_are(store: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no model 'encodr' in .*; there are: encoder, encoder-optout"):
        build_archives(["encodr"], store, tmp_path, ROOT)


@pytest.mark.parametrize("again", ["encoder", "../store/encoder"])
def test_a_model_is_named_once(store: Path, tmp_path: Path, again: str) -> None:
    with pytest.raises(StoreError, match="'encoder' is named twice"):
        build_archives(["encoder", again], store, tmp_path, ROOT)


def with_version(folder: Path, version: str) -> None:
    """Write another version into a model's config."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"version": version}))


def test_two_versions_of_a_model_have_an_archive_each_and_one_name(store: Path, tmp_path: Path) -> None:
    shutil.copytree(store / "encoder", store / "encoder@1.1")
    with_version(store / "encoder@1.1", "1.1")
    served = build_archives(["encoder", "encoder@1.1", "encoder-optout"], store, tmp_path / "out", ROOT)
    assert [(each.name, each.version, each.label) for each in served] == [
        ("encoder", "1.0", "encoder@1.0"),
        ("encoder", "1.1", "encoder@1.1"),
        ("encoder-optout", "1.0", "encoder-optout"),
    ]
    assert {path.name for path in (tmp_path / "out").glob("*.mar")} == {f"{each.label}.mar" for each in served}


def test_a_folder_named_after_another_version_than_it_holds_is_refused(store: Path, tmp_path: Path) -> None:
    (store / "encoder").rename(store / "encoder@2.0")
    with pytest.raises(StoreError, match=r"'encoder@2\.0' holds version 1\.0: call it encoder@1\.0"):
        build_archives(["encoder@2.0"], store, tmp_path, ROOT)


def test_an_empty_store_says_how_to_name_another(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="--model-store"):
        models_in(tmp_path)


@pytest.mark.parametrize(
    "settings", ["- a list", "a: [unclosed", None, "batchSize: many"], ids=["list", "broken", "missing", "no number"]
)
def test_settings_that_are_none_are_named(store: Path, tmp_path: Path, settings: str | None) -> None:
    path = store / "encoder" / "model-config.yaml"
    path.unlink()
    if settings is not None:
        path.write_text(settings)
    with pytest.raises(ModelFilesError, match=r"settings for the model|batchSize: "):
        build_archives(["encoder"], store, tmp_path, ROOT)


def test_a_setting_that_our_handler_does_not_know_is_named_before_anything_starts(store: Path, tmp_path: Path) -> None:
    (store / "encoder" / "model-config.yaml").write_text("maxWorkers: 1\nhandler:\n  precison: bf16\n")
    with pytest.raises(ModelFilesError, match=r"(?s)model-config\.yaml, section handler,.*precison"):
        build_archives(["encoder"], store, tmp_path, ROOT)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ("batchsize: 8", "batchsize: "),
        ("responseTimeout: 601", "responseTimeout: "),
        ("maxWorkers: 0", "maxWorkers: "),
        ("minWorkers: 3\nmaxWorkers: 2", "minWorkers is 3, more than maxWorkers"),
        ("maxBatchDelay: 1.5", "maxBatchDelay: "),
        ("deviceType: tpu", "deviceType: "),
        ("startupTimeout: 2026-01-01", "startupTimeout: "),
    ],
)
def test_a_setting_that_makes_no_sense_is_named_before_anything_starts(
    store: Path, tmp_path: Path, settings: str, named: str
) -> None:
    (store / "encoder" / "model-config.yaml").write_text(settings)
    with pytest.raises(ModelFilesError, match=rf"(?s)model-config\.yaml.*{named}"):
        build_archives(["encoder"], store, tmp_path, ROOT)


@pytest.mark.parametrize("key", sorted(BROKEN))
def test_a_setting_that_torchserve_cannot_do_is_named_before_anything_starts(
    store: Path, tmp_path: Path, key: str
) -> None:
    (store / "encoder" / "model-config.yaml").write_text(f"{key}: true\n")
    with pytest.raises(ModelFilesError, match=rf"{key}: .*; leave it out"):
        build_archives(["encoder"], store, tmp_path, ROOT)


def test_the_other_architecture_is_described_likewise(store: Path, tmp_path: Path) -> None:
    create_random_dual_encoder(store / "dual")
    (served,) = build_archives(["dual"], store, tmp_path, ROOT)
    assert (served.has_opt_out, served.grid_rows, served.grid_cols, served.max_word_pieces) == (False, 7, 7, 97)


def test_a_broken_config_is_named(store: Path, tmp_path: Path) -> None:
    (store / "encoder" / "config.json").write_text("{}")
    with pytest.raises(ModelFilesError, match="weights_sha256"):
        build_archives(["encoder"], store, tmp_path, ROOT)
