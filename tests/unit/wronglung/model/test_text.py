"""Cleaning and tokenizing, oddity by oddity."""

import pytest

from wronglung.errors import SentenceEmpty
from wronglung.model.config import CleaningConfig
from wronglung.model.text import SentenceTokenizer, clean
from wronglung.model.tokenizer import from_vocabulary, vocabulary_with_alphabet

PUBLISHED = CleaningConfig()


@pytest.mark.parametrize(
    ("sentence", "cleaned"),
    [
        ("No pneumothorax.", "no pneumothorax"),
        ("1. Right lower lobe\n2. Clear lung", "right lower lobe clear lung"),
        ("Left-sided opacity, unchanged", "left sided opacity unchanged"),
        ("A 2.5 cm nodule", "5 cm nodule"),
        ("Cardiomegaly. The heart is large.", "the heart is large"),
        ("Cardiomegaly.", ""),
        ("œdème pulmonaire gauche", "dme pulmonaire gauche"),
        ("the [MASK] lung", "the mask lung"),
        ("", ""),
    ],
)
def test_published_cleaning(sentence: str, cleaned: str) -> None:
    assert clean(sentence, PUBLISHED) == cleaned


def test_each_oddity_can_be_left_out() -> None:
    assert clean("Cardiomegaly.", CleaningConfig(drop_single_words=False)) == "cardiomegaly"
    assert clean("A 2.5 cm nodule", CleaningConfig(split_numbering=False)) == "a 2 5 cm nodule"
    assert clean("the [MASK] lung", CleaningConfig(keep_mask_token=True)) == "the [MASK] lung"


def tokenizer(cleaning: CleaningConfig = PUBLISHED, limit: int = 97) -> SentenceTokenizer:
    words = ["the", "left", "lung", "opac", "##ity"]
    return SentenceTokenizer(from_vocabulary(vocabulary_with_alphabet(words)), cleaning, limit)


def test_pieces_are_joined_to_words() -> None:
    sentence = tokenizer()("The left opacity")
    assert sentence.words == ("[CLS]", "the", "left", "opacity", "[SEP]")
    assert sentence.word_of_piece == (0, 1, 2, 3, 3, 4)
    assert sentence.content_pieces == 4
    assert not sentence.truncated


def test_no_word_is_unknown_while_the_alphabet_is_known() -> None:
    assert tokenizer()("zygapophyseal xyz_9").words[1:-1] == ("zygapophyseal", "xyz", "_", "9")


def test_the_mask_token_is_one_piece() -> None:
    sentence = tokenizer(CleaningConfig(keep_mask_token=True))("the [MASK] lung")
    assert sentence.words == ("[CLS]", "the", "[MASK]", "lung", "[SEP]")
    assert sentence.content_pieces == 3


def test_long_sentences_are_cut_at_the_limit() -> None:
    sentence = tokenizer(limit=5)("the left lung the left")
    assert len(sentence.ids) == 5
    assert sentence.words == ("[CLS]", "the", "left", "lung", "[SEP]")
    assert sentence.truncated


def test_an_empty_sentence_is_an_error_unless_the_config_says_otherwise() -> None:
    with pytest.raises(SentenceEmpty, match="pieces of one word"):
        tokenizer()("Cardiomegaly.")
    assert tokenizer(CleaningConfig(empty="encode_markers"))("Cardiomegaly.").words == ("[CLS]", "[SEP]")


def test_a_vocabulary_must_be_complete_and_without_repeats() -> None:
    with pytest.raises(ValueError, match="special tokens"):
        from_vocabulary(["a"])
    with pytest.raises(ValueError, match="twice"):
        from_vocabulary([*vocabulary_with_alphabet([]), "a"])
