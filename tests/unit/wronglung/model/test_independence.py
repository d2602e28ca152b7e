"""No float depends on what else is computed: properties that hold for every architecture and every call.

A call is a few pictures out of four, each with a few sentences out of six, in any order and with repetitions. Models
live through all examples of a test, so that caches are in every state: the small ones give up embeddings all the time.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wronglung.alignment import Alignment
from wronglung.model import AlignmentModel, load_model
from wronglung.model.random_model import create_random_dual_encoder, create_random_grounder, create_random_model

SENTENCES = [
    "There is a left pleural effusion.",
    "The right lung is clear.",
    "There is a nodule in the right lung.",
    "The heart is clear.",
    "left",
    "…",  # cleans to nothing and fails alone
]
PICTURES = [
    np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    for seed, shape in enumerate([(90, 120), (90, 120), (200, 64), (33, 34)])
]
FIELDS = ("maps", "opt_out", "local_similarity", "global_similarity")
MOVES = 1e-6
"""How far a map may move in throughput mode between two compositions of a call, in float32."""


class Item(NamedTuple):
    """One image of a call with its sentences, by number."""

    picture: int
    sentences: list[int]


Call = list[Item]
items = st.builds(
    Item,
    st.integers(0, len(PICTURES) - 1),
    st.lists(st.integers(0, len(SENTENCES) - 1), min_size=1, max_size=5),
)
calls = st.lists(items, min_size=1, max_size=4)
precisely = settings(max_examples=60, deadline=None)


@pytest.fixture(scope="module", params=["gloria", "gloria with opt-out", "dual encoder", "grounder"])
def directory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("model")
    if request.param == "dual encoder":
        create_random_dual_encoder(directory, seed=2)
    elif request.param == "grounder":
        create_random_grounder(directory, seed=2)
    else:
        create_random_model(directory, opt_out=request.param != "gloria", seed=2)
    return directory


@pytest.fixture(scope="module")
def exact(directory: Path) -> AlignmentModel:
    return load_model(directory)


@pytest.fixture(scope="module")
def uncached(directory: Path) -> AlignmentModel:
    return load_model(directory, image_cache_mib=0, sentence_cache_mib=0)


@pytest.fixture(scope="module")
def forgetful(directory: Path) -> AlignmentModel:
    """Room for two images and two sentences or so."""
    model = load_model(directory)
    alone(model, 0, 0)
    for name, cache in {"image": model._encoding._images, "sentence": model._encoding._sentences}.items():
        cache._limit = int(2.5 * model.caches()[name].bytes)
    return model


@pytest.fixture(scope="module")
def batched(directory: Path) -> AlignmentModel:
    return load_model(directory, deterministic=False)


def answer(model: AlignmentModel, call: Call) -> list[Alignment]:
    # A copy each: equal content is what counts, not the same array.
    return model.align([PICTURES[i.picture].copy() for i in call], [[SENTENCES[s] for s in i.sentences] for i in call])


def alone(model: AlignmentModel, picture: int, sentence: int) -> Alignment:
    return answer(model, [Item(picture, [sentence])])[0]


def row(alignment: Alignment, index: int) -> dict[str, npt.NDArray[np.float32]]:
    return {field: getattr(alignment, field)[index] for field in FIELDS}


def assert_equal_bits(got: Alignment, expected: Alignment) -> None:
    for field in FIELDS:
        assert getattr(got, field).tobytes() == getattr(expected, field).tobytes(), field


@precisely
@given(call=calls)
def test_every_sentence_is_answered_as_if_it_were_alone(
    exact: AlignmentModel, uncached: AlignmentModel, call: Call
) -> None:
    for item, got in zip(call, answer(exact, call), strict=True):
        for index, sentence in enumerate(item.sentences):
            expected = row(alone(uncached, item.picture, sentence), 0)
            for field, value in row(got, index).items():
                assert value.tobytes() == expected[field].tobytes(), (field, item, index)


@precisely
@given(call=calls)
def test_the_state_of_the_caches_changes_no_bit(
    exact: AlignmentModel, uncached: AlignmentModel, forgetful: AlignmentModel, call: Call
) -> None:
    for got, much, little in zip(*(answer(model, call) for model in (uncached, exact, forgetful)), strict=True):
        assert_equal_bits(got, much)
        assert_equal_bits(got, little)


@precisely
@given(call=calls)
def test_the_same_request_gives_the_same_bits(uncached: AlignmentModel, call: Call) -> None:
    for first, second in zip(answer(uncached, call), answer(uncached, call), strict=True):
        assert_equal_bits(first, second)


@precisely
@given(call=calls, data=st.data())
def test_the_order_of_images_and_sentences_changes_no_bit(
    exact: AlignmentModel, call: Call, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(len(call))))
    turned = [Item(call[i].picture, call[i].sentences[::-1]) for i in order]
    straight = answer(exact, call)
    for i, got in zip(order, answer(exact, turned), strict=True):
        for field in FIELDS:
            np.testing.assert_array_equal(getattr(got, field)[::-1], getattr(straight[i], field))


@settings(max_examples=25, deadline=None)
@given(call=calls)
def test_in_throughput_mode_a_map_moves_by_a_millionth_at_most(
    batched: AlignmentModel, uncached: AlignmentModel, call: Call
) -> None:
    for got, expected in zip(answer(batched, call), answer(uncached, call), strict=True):
        for field in ("maps", "opt_out"):
            np.testing.assert_allclose(getattr(got, field), getattr(expected, field), rtol=0, atol=MOVES)
        for field in ("local_similarity", "global_similarity"):
            np.testing.assert_allclose(getattr(got, field), getattr(expected, field), rtol=0, atol=1e-5)


def test_the_forgetful_model_did_forget(forgetful: AlignmentModel) -> None:
    figures = forgetful.caches()
    assert all(each.evictions > 0 and each.hits > 0 for each in figures.values()), figures
