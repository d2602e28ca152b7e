"""Files of maps that change between two sittings of one run are noticed, as other weights of a served model are."""

import numpy as np
import pytest

from harness.collect.parts import RunError
from harness.collect.shards import Shard
from harness.finished_shards import find_shards
from harness.pipeline import run
from harness.results import RunDirectory
from harness.runconfig import parse_run_config
from harness.sharding import merge, run_shard
from harness.sources.catalogue import open_sources
from tests.harness_fakes import fake_dataset
from tests.source_files import write_study

DATASET = fake_dataset(4)


@pytest.fixture
def config(tmp_path):
    write_study(tmp_path / "maps", "m", list(DATASET))
    tree = {
        "name": "t",
        "dataset": {"kind": "phantom"},
        "models": ["m"],
        "maps_from": {"m": {"kind": "study", "path": tmp_path / "maps"}},
        "perturbations": ["none"],
        "profiles": ["exact"],
        "resamples": 100,
        "images_per_part": 2,
        "gallery": {"best": 0, "worst": 0, "ignores_swap": 0, "random": 0},
        "out": tmp_path / "out",
    }
    return parse_run_config(tree, "test")


def go(config, **options):
    return run(config, DATASET, None, sources=open_sources(config.maps_from), **options)


def change_a_map(config):
    file = min((config.maps_from["m"].path / "attn").iterdir())
    np.save(file, np.full((4, 5), 0.04, dtype=np.float32))


def test_a_finished_run_is_not_passed_off_as_one_of_other_maps(config):
    summary = go(config)
    assert go(config, resume=True)["models"] == summary["models"]
    change_a_map(config)
    with pytest.raises(RunError, match="or this one with other maps"):
        go(config, resume=True)


def test_parts_of_other_maps_are_not_mixed_in_even_if_none_was_found(config):
    """A part whose maps are all missing says nothing of whose they are."""
    for file in (config.maps_from["m"].path / "attn").iterdir():
        file.rename(file.with_suffix(".away"))
    run_shard(config, DATASET, None, Shard(1, 0), sources=open_sources(config.maps_from))
    (RunDirectory(config.out).shards / "0-of-1" / "parts").rename(config.out / "parts")
    for file in (config.maps_from["m"].path / "attn").iterdir():
        file.rename(file.with_suffix(".npy"))
    with pytest.raises(RunError, match="maps made elsewhere: run without --resume"):
        go(config, resume=True)


def test_shards_of_maps_that_have_changed_since_are_not_merged(config):
    for index in range(2):
        run_shard(config, DATASET, None, Shard(2, index), sources=open_sources(config.maps_from))
    shards = find_shards([RunDirectory(config.out).shards])
    assert merge(config, DATASET, shards, sources=open_sources(config.maps_from))["failures"] == {}
    change_a_map(config)
    with pytest.raises(RunError, match="the maps of 'm' have changed since shard 0/2"):
        merge(config, DATASET, shards, sources=open_sources(config.maps_from))
