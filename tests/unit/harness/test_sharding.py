"""A run that was collected in shards and merged is the run, to the byte; what does not belong together is refused."""

import dataclasses
import json
import shutil

import pytest

from harness.collect.exchange import ServerLostError
from harness.collect.parts import RunError
from harness.collect.shards import Shard, owner_of
from harness.finished_shards import check_shards, config_of, find_shards
from harness.pipeline import run
from harness.results import write_json
from harness.runconfig import parse_run_config
from harness.sharding import merge, run_shard
from tests.harness_fakes import (
    LEFT_LUNG,
    RIGHT_LUNG,
    DyingClient,
    FakeClient,
    FakeDataset,
    align,
    fake_dataset,
    record,
    sentence,
)

PERTURBATIONS = ["none", "swap_left_right", "random_sentences", "shuffle_in_report", "random_bboxes", "mirror_both"]
FILES = ["cases.parquet", "summary.json", "maps.npz"]
COUNT = 3


def config(out, **changes):
    tree = {
        "name": "test",
        "dataset": {"kind": "phantom"},
        "models": ["encoder", "encoder-optout"],
        "perturbations": PERTURBATIONS,
        "subsets": ["all", "one_lung", "most_diverse_report_bboxes"],
        "profiles": ["exact"],
        "resamples": 100,
        "images_per_part": 3,
        "save_maps": True,
        "window": 4,
        "gallery": {"best": 1, "worst": 1, "ignores_swap": 1, "random": 1},
        "out": out,
    }
    return parse_run_config(tree | changes, "test")


def dataset():
    """Eleven images; one sentence fails, one names both sides."""
    odd = record(10, sentence("bad", "Empty.", RIGHT_LUNG), sentence("both", "Left and right opacity.", LEFT_LUNG))
    return FakeDataset([*fake_dataset(10).records, odd])


def pictures(out):
    """The files of the gallery."""
    return sorted(str(path.relative_to(out)) for path in (out / "gallery").iterdir())


def collect(out, count=COUNT, data=None, client=None, **changes):
    """Every shard of a run; the folder that holds them."""
    for index in range(count):
        run_shard(config(out, **changes), data or dataset(), client or FakeClient(), Shard(count, index))
    return out / "shards"


def merge_all(sources, out, data=None):
    shards = find_shards(sources)
    return merge(config_of(shards, out), data or dataset(), shards)


@pytest.fixture(scope="module")
def undivided(tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "undivided"
    run(config(out), dataset(), FakeClient())
    return out


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """The folder of three finished shards."""
    return collect(tmp_path_factory.mktemp("runs") / "divided")


@pytest.fixture
def shards(collected, tmp_path):
    """A copy of them, to be spoilt."""
    return shutil.copytree(collected, tmp_path / "shards")


@pytest.mark.parametrize("count", [1, COUNT, 16])
def test_merged_shards_are_the_undivided_run_to_the_byte(undivided, tmp_path, count):
    folder = collect(tmp_path / "run", count)
    summary = merge_all([folder], tmp_path / "run")
    for name in [*FILES, *pictures(undivided)]:
        assert (tmp_path / "run" / name).read_bytes() == (undivided / name).read_bytes(), name
    assert pictures(tmp_path / "run") == pictures(undivided)
    assert summary["dataset"]["images"] == 11
    assert (tmp_path / "run" / "report.html").is_file()
    assert not (tmp_path / "run" / "parts").exists()


def test_the_order_of_the_folders_does_not_matter(collected, undivided, tmp_path):
    merge_all([collected / f"{i}-of-{COUNT}" for i in (2, 0, 1)], tmp_path / "run")
    assert (tmp_path / "run" / "summary.json").read_bytes() == (undivided / "summary.json").read_bytes()


def test_the_manifest_is_that_of_the_run_and_counts_its_shards(collected, undivided, tmp_path):
    merge_all([collected], tmp_path / "run")
    merged, whole = (json.loads((out / "manifest.json").read_bytes()) for out in (tmp_path / "run", undivided))
    assert merged["shards"] == COUNT
    for key in ("fingerprint", "dataset", "models", "seeds", "requests_sent_again"):
        assert merged[key] == whole[key], key


def test_a_merged_run_is_a_finished_run(collected, undivided, tmp_path):
    merge_all([collected], tmp_path / "run")
    client = FakeClient()
    run(config(tmp_path / "run"), dataset(), client, resume=True)
    assert not client.sent


def test_each_image_is_asked_by_its_own_shard_alone(tmp_path):
    for index in range(COUNT):
        client = FakeClient()
        run_shard(config(tmp_path), dataset(), client, Shard(COUNT, index))
        images = {int(item.request_id.split(".")[0].removeprefix("image-")) for item in client.sent}
        assert images == {i for i in range(11) if owner_of(f"image{i}", COUNT) == index}


def test_a_limit_counts_the_images_of_the_run(tmp_path):
    folder = collect(tmp_path / "run", limit=5)
    run(config(tmp_path / "whole", limit=5), dataset(), FakeClient())
    merge_all([folder], tmp_path / "run")
    assert (tmp_path / "run" / "summary.json").read_bytes() == (tmp_path / "whole" / "summary.json").read_bytes()


def test_a_killed_shard_goes_on_and_is_the_same(collected, tmp_path):
    largest = max(
        range(COUNT), key=lambda i: json.loads((collected / f"{i}-of-3" / "shard.json").read_bytes())["images"]
    )
    shard = Shard(COUNT, largest)
    with pytest.raises(ServerLostError):
        run_shard(config(tmp_path, window=1), dataset(), DyingClient(9), shard)
    folder = tmp_path / "shards" / shard.folder
    kept = sorted(file.name for file in (folder / "parts").iterdir())
    assert kept
    assert not (folder / "shard.json").exists()
    client = FakeClient()
    run_shard(config(tmp_path), dataset(), client, shard, resume=True)
    parts = sorted((collected / shard.folder / "parts").iterdir())
    assert [(folder / "parts" / part.name).read_bytes() for part in parts] == [part.read_bytes() for part in parts]
    asked = {int(item.request_id.split(".")[0].removeprefix("image-")) // 3 for item in client.sent}
    assert not asked & {int(name[5:11]) for name in kept}


def test_a_shard_that_has_not_finished_is_named(shards):
    (shards / "1-of-3" / "shard.json").unlink()
    with pytest.raises(RunError, match="1-of-3 has not finished"):
        find_shards([shards])


def test_a_missing_shard_is_named(shards):
    shutil.rmtree(shards / "1-of-3")
    with pytest.raises(RunError, match="of 3 shards 1/3 is missing"):
        check_shards(find_shards([shards]))


def test_a_shard_that_is_there_twice_is_named(shards, collected):
    with pytest.raises(RunError, match=r"shard 2/3 is there twice: in .*2-of-3 and in .*2-of-3"):
        check_shards(find_shards([shards, collected / "2-of-3"]))


def test_a_folder_without_shards_is_named(tmp_path):
    with pytest.raises(RunError, match="there is no shard in"):
        find_shards([tmp_path])


def test_shards_of_another_division_are_refused(shards, tmp_path):
    run_shard(config(tmp_path / "b"), dataset(), FakeClient(), Shard(4, 3))
    with pytest.raises(RunError, match=r"shard 3/4 in .* is one of 4, shard .*/3 in .* one of 3"):
        check_shards(find_shards([shards, tmp_path / "b" / "shards"]))


@pytest.mark.parametrize(("key", "value"), [("seed", 1), ("resamples", 200), ("models", ["encoder"]), ("limit", 11)])
def test_a_shard_with_other_settings_is_refused(shards, tmp_path, key, value):
    run_shard(config(tmp_path / "b", **{key: value}), dataset(), FakeClient(), Shard(COUNT, 2))
    shutil.rmtree(shards / "2-of-3")
    with pytest.raises(RunError, match=f"shard 2/3 in .* has another {key} than shard 0/3"):
        check_shards(find_shards([shards, tmp_path / "b" / "shards"]))


def test_settings_that_decide_no_number_may_differ(shards, tmp_path):
    run_shard(config(tmp_path / "b", window=2, target="elsewhere:1"), dataset(), FakeClient(), Shard(COUNT, 2))
    shutil.rmtree(shards / "2-of-3")
    check_shards(find_shards([shards, tmp_path / "b" / "shards"]))


def test_a_shard_of_another_data_set_is_refused(shards, tmp_path):
    run_shard(config(tmp_path / "b"), fake_dataset(11), FakeClient(), Shard(COUNT, 2))
    shutil.rmtree(shards / "2-of-3")
    with pytest.raises(RunError, match=r"shard 2/3 in .* is of another data set than shard 0/3"):
        check_shards(find_shards([shards, tmp_path / "b" / "shards"]))


def test_a_data_set_that_has_changed_since_is_refused(shards, tmp_path):
    with pytest.raises(RunError, match="the data set has changed since shard 0/3"):
        merge_all([shards], tmp_path / "run", fake_dataset(11))


def test_shards_that_other_weights_answered_are_refused(shards, tmp_path):
    def answer(item):
        answered = align(item)
        return dataclasses.replace(answered, model=dataclasses.replace(answered.model, weights_digest="f" * 64))

    run_shard(config(tmp_path / "b"), dataset(), FakeClient(answer), Shard(COUNT, 2))
    shutil.rmtree(shards / "2-of-3")
    with pytest.raises(RunError, match=r"shard 2/3 in .* was answered by other weights or settings of model 'encoder'"):
        check_shards(find_shards([shards, tmp_path / "b" / "shards"]))


def test_shards_that_other_code_made_are_refused(shards, tmp_path, monkeypatch):
    monkeypatch.setattr("harness.collect.parts.code_digest", lambda: "e" * 64)
    with pytest.raises(RunError, match=r"shard 0/3 in .* was made by another version of the code than this"):
        merge_all([shards], tmp_path / "run")
    run_shard(config(tmp_path / "b"), dataset(), FakeClient(), Shard(COUNT, 2))
    shutil.rmtree(shards / "2-of-3")
    with pytest.raises(RunError, match=r"shard 2/3 in .* was made by another version of the code than shard 0/3"):
        check_shards(find_shards([shards, tmp_path / "b" / "shards"]))


def test_a_damaged_part_is_named(shards, tmp_path):
    part = sorted((shards / "0-of-3" / "parts").iterdir())[0]
    data = bytearray(part.read_bytes())
    data[len(data) // 3 : len(data) // 3 + 64] = bytes(64)
    part.write_bytes(data)
    with pytest.raises(RunError, match=f"{part.name} of shard 0/3 in .* is missing or damaged"):
        merge_all([shards], tmp_path / "run")


def test_a_part_of_another_shard_is_named(shards, tmp_path):
    numbers = {i: {part.name for part in (shards / f"{i}-of-3" / "parts").iterdir()} for i in range(COUNT)}
    name = sorted(numbers[0] & numbers[1])[0]
    shutil.copy(shards / "0-of-3" / "parts" / name, shards / "1-of-3" / "parts" / name)
    with pytest.raises(RunError, match=f"{name} of shard 1/3 in .* is no part of that shard"):
        merge_all([shards], tmp_path / "run")


def test_a_damaged_note_is_named(shards):
    write_json(shards / "0-of-3" / "shard.json", {"shard": "five"})
    with pytest.raises(RunError, match=r"shard\.json is damaged"):
        find_shards([shards])


def test_a_shard_is_never_overwritten_by_the_merged_run(shards):
    with pytest.raises(RunError, match="would be overwritten"):
        merge_all([shards], shards / "0-of-3")
    assert (shards / "0-of-3" / "shard.json").is_file()
