"""Which image belongs to which shard."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.collect.parts import layout_of
from harness.collect.shards import WHOLE, Shard, owner_of, owners
from harness.runconfig import parse_run_config
from tests.harness_fakes import fake_dataset, record


@given(st.text(), st.integers(1, 1000))
def test_an_image_belongs_to_the_shard_that_the_documented_hash_names(image_id, count):
    digest = hashlib.sha256(image_id.encode("utf-8")).hexdigest()
    assert owner_of(image_id, count) == int(digest[:16], 16) % count


def test_the_hash_is_the_same_for_ever():
    assert [owner_of(f"image{i}", 4) for i in range(8)] == [2, 2, 3, 1, 2, 1, 0, 3]


def test_shards_depend_on_ids_alone_and_are_about_equal():
    ids = [record(i) for i in range(2000)]
    found = owners(ids, 4)
    np.testing.assert_array_equal(found[::-1], owners(ids[::-1], 4))
    assert np.bincount(found).min() > 400


@pytest.mark.parametrize("text", ["4/4", "-1/4", "1", "1/0", "a/b", "1/4/2", ""])
def test_no_other_shard_can_be_named(text):
    with pytest.raises(ValueError, match="shard"):
        Shard.parse(text)


def test_a_shard_reads_as_it_is_written():
    assert str(Shard.parse("2/16")) == "2/16"
    assert Shard.parse("0/1") == WHOLE
    assert Shard.parse("2/16").folder == "2-of-16"


@given(
    images=st.integers(1, 40), limit=st.none() | st.integers(1, 50), per_part=st.integers(1, 7), count=st.integers(1, 5)
)
def test_the_parts_of_all_shards_make_up_those_of_the_run(images, limit, per_part, count):
    settings = {"limit": limit, "images_per_part": per_part}
    tree = {"name": "t", "dataset": {"kind": "phantom"}, "models": ["m"], "out": "o"} | settings
    config, dataset = parse_run_config(tree, "test"), fake_dataset(images)
    whole = layout_of(config, dataset)
    layouts = [layout_of(config, dataset, Shard(count, index)) for index in range(count)]
    assert whole.images == min(images, limit or images)
    np.testing.assert_array_equal(np.sum([layout.mine for layout in layouts], axis=0), whole.mine)
    for number in whole.numbers:
        assert sum(layout.size(number) for layout in layouts) == whole.size(number) > 0
        assert all(layout.span(number) == whole.span(number) for layout in layouts)
    assert all(layout.size(number) for layout in layouts for number in layout.numbers)
