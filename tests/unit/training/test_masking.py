"""Hidden words: how many, others each time, and one piece each for the tokenizer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.masking import EntityMasking, WordMasking, as_written, hidden_count, make_rewrite
from training.sentence_config import EntityMaskingConfig, WordMaskingConfig
from training.vocabulary import build_tokenizer
from wronglung.model.config import CleaningConfig
from wronglung.model.text import SentenceTokenizer, clean
from wronglung.model.tokenizer import MASK, token_id

CLEANING = CleaningConfig(keep_mask_token=True, drop_single_words=False)
CONFIG = WordMaskingConfig(kind="words")
TEXT = "There is a small nodule in the right upper lobe."


def hide(text: str, seed: int = 0, cleaning: CleaningConfig = CLEANING) -> str:
    return WordMasking(CONFIG, cleaning)(text, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("share", "words", "hidden"),
    [(0.3, 0, 0), (0.3, 1, 0), (0.3, 2, 1), (0.3, 6, 1), (0.3, 7, 2), (0.3, 10, 3), (0.29, 100, 29), (0.9, 3, 2)],
)
def test_three_in_ten_are_hidden_at_least_one_and_never_all(share: float, words: int, hidden: int) -> None:
    assert hidden_count(share, words) == hidden


@given(st.integers(2, 200), st.floats(0.01, 0.99))
def test_something_is_hidden_and_something_is_left(words: int, share: float) -> None:
    assert 1 <= hidden_count(share, words) <= words - 1


def test_hidden_words_read_mask_and_the_others_stay_in_their_places() -> None:
    words, masked = clean(TEXT, CLEANING).split(), hide(TEXT).split()
    assert len(words) == len(masked) == 10
    assert masked.count(MASK) == 3
    assert all(new in (old, MASK) for old, new in zip(words, masked, strict=True))


def test_other_words_are_hidden_each_time_and_each_word_as_often() -> None:
    rng, mask = np.random.default_rng(1), WordMasking(CONFIG, CLEANING)
    drawn = np.array([[word == MASK for word in mask(TEXT, rng).split()] for _ in range(2000)])
    assert np.allclose(drawn.mean(axis=0), 0.3, atol=0.05)
    assert hide(TEXT, seed=4) == hide(TEXT, seed=4) != hide(TEXT, seed=5)


@pytest.mark.parametrize("text", ["Cardiomegaly.", "", "…"])
def test_a_sentence_of_one_word_or_none_stays(text: str) -> None:
    assert hide(text) == text


def test_words_that_cleaning_drops_are_not_counted() -> None:
    cleaning = CleaningConfig(keep_mask_token=True)  # drops pieces of one word
    assert hide("Stable. Clear lungs.", cleaning=cleaning) in (f"{MASK} lungs", f"clear {MASK}")


def test_a_trained_tokenizer_reads_a_hidden_word_as_one_piece() -> None:
    tokenizer = build_tokenizer([], CLEANING, 1000)
    tokenize = SentenceTokenizer(tokenizer, CLEANING, 97)
    masked = tokenize(hide(TEXT))
    assert masked.ids.count(token_id(tokenizer, MASK)) == masked.words.count(MASK) == 3
    assert len(masked.words) == len(tokenize(TEXT).words)


def test_without_masking_a_sentence_is_read_as_it_is_and_nothing_is_drawn() -> None:
    rewrite = make_rewrite(None, CLEANING)
    rng, untouched = np.random.default_rng(0), np.random.default_rng(0)
    assert rewrite is as_written
    assert rewrite(TEXT, rng) == TEXT
    assert rng.random() == untouched.random()


def hide_entities(text: str, spans: list[tuple[int, int]], seed: int = 0) -> str:
    config = EntityMaskingConfig(kind="entities")
    return EntityMasking(config, CLEANING, lambda words: spans)(text, np.random.default_rng(seed))


def test_half_of_the_entities_are_hidden_with_all_of_their_words() -> None:
    hidden = {hide_entities(TEXT, [(4, 5), (7, 10)], seed) for seed in range(20)}
    assert hidden == {
        "there is a small [MASK] in the right upper lobe",
        "there is a small nodule in the [MASK] [MASK] [MASK]",
    }


def test_of_four_entities_two_are_hidden_and_the_only_one_never() -> None:
    words = [(0, 1), (2, 3), (4, 5), (6, 7)]
    assert all(hide_entities(TEXT, words, seed).split().count(MASK) == 2 for seed in range(20))
    assert hide_entities(TEXT, [(7, 10)]) == hide_entities(TEXT, []) == TEXT


def test_a_recipe_hides_entities_of_the_vocabulary() -> None:
    rewrite = make_rewrite(EntityMaskingConfig(kind="entities"), CLEANING)
    hidden = {rewrite(TEXT, np.random.default_rng(seed)) for seed in range(20)}
    assert hidden == {
        "there is a small [MASK] in the right upper lobe",
        "there is a small nodule in the [MASK] [MASK] [MASK]",
    }
