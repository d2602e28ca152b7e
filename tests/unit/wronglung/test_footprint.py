"""The estimate of what a model takes, held against what was measured."""

import os
from pathlib import Path

import pytest

from wronglung.commands import doctor
from wronglung.footprint import MIB, PASS_MIB, PROGRAM_MIB, SERVER_MIB, Footprint, footprint
from wronglung.model.checkpoint import CONFIG_FILE
from wronglung.model.errors import ModelFilesError
from wronglung.model.random_model import create_random_model

FULL_SIZE = 534_632_360
"""Bytes of ResNet-50 and BERT-base."""
NO_CACHES = "handler: {image_cache_mib: 0, sentence_cache_mib: 0}\n"


def model(directory: Path, weights: int, settings: str = "maxWorkers: 1\n") -> Path:
    """A model's folder with as many bytes of weights, all of them a hole."""
    create_random_model(directory, opt_out=False)
    (directory / "model-config.yaml").write_text(settings)
    os.truncate(directory / "weights.safetensors", weights)
    return directory


def test_a_worker_holds_the_program_its_weights_its_caches_and_a_pass(tmp_path: Path) -> None:
    assert footprint(model(tmp_path, 500 * MIB)).memory == PROGRAM_MIB + 1.2 * 500 + 128 + 64 + PASS_MIB


def test_every_worker_holds_everything(tmp_path: Path) -> None:
    one = footprint(model(tmp_path, 100 * MIB))
    three = footprint(model(tmp_path, 100 * MIB, "maxWorkers: 3\n"))
    assert three == Footprint(memory=3 * one.memory, disk=one.disk)


def test_caches_count_as_far_as_they_may_grow(tmp_path: Path) -> None:
    without = footprint(model(tmp_path, MIB, NO_CACHES))
    more = footprint(model(tmp_path, MIB, "handler: {image_cache_mib: 1000, sentence_cache_mib: 500}\n"))
    assert more.memory - without.memory == 1500


def test_the_archive_and_what_is_unpacked_from_it_lie_on_the_disk(tmp_path: Path) -> None:
    assert footprint(model(tmp_path, 500 * MIB)).disk == 1000


def test_what_a_full_size_model_was_measured_to_take_while_it_is_read_is_covered(tmp_path: Path) -> None:
    estimate = footprint(model(tmp_path, FULL_SIZE, NO_CACHES)).memory - PASS_MIB
    assert 1.0 <= estimate * MIB / 1_022e6 < 1.1


def test_settings_that_are_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError, match="maxWorkers"):
        footprint(model(tmp_path, MIB, "maxWorkers: many\n"))


def findings(store: Path) -> dict[str, doctor.Finding]:
    return {each.subject: each for each in doctor.examine("127.0.0.1", 0, store)}


def test_the_doctor_says_what_each_model_needs(tmp_path: Path) -> None:
    model(tmp_path / "small", MIB, NO_CACHES)
    model(tmp_path / "large", 100 * MIB, NO_CACHES)
    small, large = PROGRAM_MIB + PASS_MIB + 1, PROGRAM_MIB + PASS_MIB + 120
    detail = findings(tmp_path)["memory"].detail
    assert f"about {SERVER_MIB + small + large} needed: the server {SERVER_MIB}, large {large}, small {small}" in detail


def test_the_doctor_finds_too_little_memory_and_too_little_disk(tmp_path: Path) -> None:
    huge = model(tmp_path / "huge", 1 << 43)  # no more than a name: its digest would take hours
    with pytest.raises(OSError, match=r"needed: the server \d+, huge \d+\. .*--models"):
        doctor._memory([huge])
    with pytest.raises(OSError, match=r"needed: .*TMPDIR"):
        doctor._disk([huge])


def test_the_doctor_names_settings_that_are_none(tmp_path: Path) -> None:
    (model(tmp_path / "encoder", MIB) / "model-config.yaml").write_text("- a list")
    assert (tmp_path / "encoder" / CONFIG_FILE).is_file()
    assert findings(tmp_path)["memory"].state == "fail"
