"""What an in-process caller can rely on."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from wronglung.alignment import Alignment
from wronglung.errors import SentenceEmpty
from wronglung.geometry import letterbox
from wronglung.model import AlignmentModel, load_model

LEFT, RIGHT = "There is a left pleural effusion.", "The right lung is clear."


def picture(seed: int, height: int = 90, width: int = 120) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)


def assert_same(a: Alignment, b: Alignment) -> None:
    for name in ("maps", "opt_out", "local_similarity", "global_similarity"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))


def test_maps_and_opt_out_sum_to_one(model: AlignmentModel) -> None:
    result = model.align([picture(0)], [[LEFT, RIGHT]])[0]
    assert result.maps.shape == (2, *model.grid) == (2, 19, 19)
    assert result.maps.dtype == np.float32
    assert (result.maps >= 0).all()
    np.testing.assert_allclose(result.maps.sum((1, 2)) + result.opt_out, 1, atol=1e-6)
    assert (result.opt_out > 0).all() == model.has_opt_out


def test_the_mean_of_the_word_maps_is_the_map(model: AlignmentModel) -> None:
    result = model.align([picture(0)], [[LEFT, RIGHT]], word_maps=True)[0]
    assert result.word_maps is not None
    for word_maps, sentence_map, words in zip(result.word_maps, result.maps, result.words, strict=True):
        assert len(word_maps) == len(words)
        np.testing.assert_allclose(word_maps.mean(0), sentence_map, atol=1e-7)
    assert result.words[0] == ("[CLS]", "there", "is", "a", "left", "pleural", "effusion")
    assert model.align([picture(0)], [[LEFT]])[0].word_maps is None


def test_the_frame_says_where_the_grid_lies(model: AlignmentModel) -> None:
    result = model.align([picture(0, height=300, width=100)], [[LEFT]])[0]
    assert result.frame == letterbox(100, 300)
    assert (result.frame.width, result.frame.height) == model.frame_size


def test_no_float_depends_on_what_else_is_in_the_call(model: AlignmentModel) -> None:
    alone = model.align([picture(1)], [[LEFT]])[0]
    together = model.align([picture(2), picture(1), picture(3)], [[RIGHT], [RIGHT, LEFT, RIGHT], [LEFT]])
    np.testing.assert_array_equal(together[1].maps[1], alone.maps[0])
    np.testing.assert_array_equal(together[1].maps[0], together[1].maps[2])
    assert together[1].local_similarity[1] == alone.local_similarity[0]
    assert together[1].global_similarity[1] == alone.global_similarity[0]
    assert alone.deterministic


def test_batches_agree_with_single_items_up_to_rounding(model_directory: Path) -> None:
    exact, batched = load_model(model_directory), load_model(model_directory, deterministic=False)
    images, sentences = [picture(4), picture(5)], [[LEFT, RIGHT], ["No nodule.", RIGHT]]
    for a, b in zip(exact.align(images, sentences), batched.align(images, sentences), strict=True):
        np.testing.assert_allclose(a.maps, b.maps, atol=1e-6)
        np.testing.assert_allclose(a.local_similarity, b.local_similarity, atol=1e-5)
        assert not b.deterministic


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_no_float_depends_on_the_number_of_threads(model_directory: Path, threads: int) -> None:
    program = (
        "import sys, numpy as np; from wronglung.model import load_model\n"
        "pixels = np.random.default_rng(0).integers(0, 256, (90, 120), dtype=np.uint8)\n"
        "result = load_model(sys.argv[1]).align([pixels], [sys.argv[2:]])[0]\n"
        "sys.stdout.write(result.maps.tobytes().hex())"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    command = [sys.executable, "-c", program, str(model_directory), LEFT, RIGHT]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    expected = load_model(model_directory).align([picture(0)], [[LEFT, RIGHT]])[0].maps
    assert done.stdout == expected.tobytes().hex()


def test_the_callers_thread_count_is_left_as_it_was(model: AlignmentModel) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        model.align([picture(0)], [[LEFT]])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_sentence_that_cleans_to_nothing_fails_alone(model: AlignmentModel) -> None:
    result = model.align([picture(0)], [[LEFT, "…", RIGHT]], word_maps=True)[0]
    assert isinstance(result.errors[1], SentenceEmpty)
    assert result.errors[0] is None
    assert result.errors[2] is None
    assert np.isnan(result.maps[1]).all()
    assert np.isnan([result.opt_out[1], result.local_similarity[1], result.global_similarity[1]]).all()
    assert result.words[1] == ()
    assert result.word_maps is not None
    assert result.word_maps[1].shape == (0, *model.grid)
    assert_same(model.align([picture(0)], [[LEFT]])[0], model.align([picture(0)], [[LEFT]])[0])


def test_too_long_a_sentence_is_cut_and_says_so(model: AlignmentModel) -> None:
    result = model.align([picture(0)], [["left " * 200, LEFT]])[0]
    assert result.truncated.tolist() == [True, False]
    assert len(result.words[0]) == model.max_word_pieces - 1


def test_sixteen_bits_mean_the_full_range(model: AlignmentModel) -> None:
    eight = picture(6)
    sixteen = eight.astype(np.uint16) * 257
    a, b = model.align([eight, sixteen], [[LEFT], [LEFT]])
    np.testing.assert_allclose(a.maps, b.maps, atol=1e-4)


def test_an_image_without_sentences_and_a_call_without_images(model: AlignmentModel) -> None:
    assert model.align([], []) == []
    assert model.align([picture(0)], [[]])[0].maps.shape == (0, *model.grid)


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((4, 4, 3), np.uint8), r"shape \(4, 4, 3\)"),
        (np.zeros((0, 4), np.uint8), "non-empty"),
        (np.zeros((4, 4), np.float32), "got float32"),
    ],
)
def test_other_arrays_are_refused(model: AlignmentModel, pixels: npt.NDArray[np.uint8], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model.align([pixels], [[LEFT]])


def test_images_and_lists_of_sentences_must_pair_up(model: AlignmentModel) -> None:
    with pytest.raises(ValueError, match="one list of sentences per image"):
        model.align([picture(0)], [])


def test_answers_name_the_weights(model_directory: Path) -> None:
    model = load_model(model_directory, name="encoder", version="2.3")
    identity = model.align([picture(0)], [[LEFT]])[0].model
    assert (identity.name, identity.version, identity.weights_digest) == ("encoder", "2.3", model.weights_digest)
    assert model.identity("other").name == "other"
    assert load_model(model_directory).identity().name == model_directory.name


def test_importing_the_package_loads_no_pytorch() -> None:
    program = "import sys, wronglung.model, wronglung.model.config; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_equal_images_and_equal_sentences_are_encoded_once(model: AlignmentModel) -> None:
    model.align([picture(0), picture(1), picture(0).copy()], [[LEFT, RIGHT, LEFT], [LEFT], [RIGHT]])
    caches = model.caches()
    assert (caches["image"].misses, caches["image"].hits) == (2, 0)
    assert (caches["sentence"].misses, caches["sentence"].hits) == (2, 0)


def test_images_of_equal_bytes_but_other_shape_or_type_are_not_equal(model: AlignmentModel) -> None:
    pixels = picture(0, height=8, width=16)
    model.align([pixels, pixels.reshape(16, 8), pixels.view(np.uint16)], [[LEFT], [LEFT], [LEFT]])
    assert model.caches()["image"].misses == 3


def test_an_answer_from_the_cache_is_the_same_to_the_last_bit(model_directory: Path) -> None:
    cached, uncached = load_model(model_directory), load_model(model_directory, image_cache_mib=0, sentence_cache_mib=0)
    (first,), (second,) = (cached.align([picture(0)], [[LEFT, RIGHT]]) for _ in range(2))
    assert cached.caches()["image"].hits == 1
    assert cached.caches()["sentence"].hits == 2
    (without,) = uncached.align([picture(0)], [[LEFT, RIGHT]])
    assert uncached.caches()["image"].bytes == uncached.caches()["sentence"].bytes == 0
    assert_same(first, second)
    assert_same(first, without)


@pytest.mark.parametrize("deterministic", [True, False])
def test_encoders_may_compute_in_half_precision_and_answers_stay_float32(
    model_directory: Path, deterministic: bool
) -> None:
    full = load_model(model_directory)
    half = load_model(model_directory, precision="bf16", deterministic=deterministic)
    (a,), (b,) = (each.align([picture(0)], [[LEFT, RIGHT]]) for each in (full, half))
    for name in ("maps", "opt_out", "local_similarity", "global_similarity"):
        assert getattr(b, name).dtype == np.float32
    assert not np.array_equal(a.maps, b.maps)
    np.testing.assert_allclose(a.maps, b.maps, atol=1e-3)
    np.testing.assert_allclose(b.maps.sum((1, 2)) + b.opt_out, 1, atol=1e-6)


@pytest.mark.parametrize("wrong", [{"precision": "fp16"}, {"image_cache_mib": -1}, {"sentence_cache_mib": 0.5}])
def test_a_wrong_way_to_compute_is_named(model_directory: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        load_model(model_directory, **wrong)


def test_warming_up_leaves_no_trace(model: AlignmentModel) -> None:
    before = model.caches()
    model.warm_up()
    assert model.caches() == before
