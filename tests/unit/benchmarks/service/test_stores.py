"""Stores for one measurement can be served."""

from pathlib import Path

from benchmarks.service.stores import copy_model, copy_version, without_caches
from tests.repository import ROOT
from wronglung.archives import SERVING_FILE, describe_models, serving_settings

ENCODER = ROOT / "model_store" / "encoder"


def test_a_copy_in_another_version_has_the_same_weights(tmp_path: Path) -> None:
    names = [copy_model(ENCODER, tmp_path).name, copy_version(ENCODER, tmp_path, "1.1")]
    first, second = describe_models(names, tmp_path)
    assert (first.name, first.version, second.name, second.version) == ("encoder", "1.0", "encoder", "1.1")
    assert first.weights_digest == second.weights_digest


def test_a_copy_without_caches_keeps_its_other_settings(tmp_path: Path) -> None:
    copy = copy_model(ENCODER, tmp_path)
    without_caches(copy)
    before, after = (serving_settings(folder / SERVING_FILE) for folder in (ENCODER, copy))
    assert (after.compute.image_cache_mib, after.compute.sentence_cache_mib) == (0, 0)
    assert after.batch_size == before.batch_size
