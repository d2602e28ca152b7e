"""The tokenizer of a trained model: word pieces of the training sentences, common radiology words, the alphabet."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from training.studies import Study
from wronglung.model.config import CleaningConfig
from wronglung.model.text import clean
from wronglung.model.tokenizer import from_vocabulary, vocabulary_with_alphabet

COMMON_WORDS = Path(__file__).parent / "radiology_words.txt"


def build_tokenizer(studies: Sequence[Study], cleaning: CleaningConfig, size: int) -> Tokenizer:
    """A WordPiece tokenizer of at most `size` pieces.

    The words of the training sentences come first, most frequent first, then the common words. Words that are not
    among them fall into characters, never into "[UNK]".

    Raises:
        ValueError: `size` has no room for the special tokens and the alphabet.
    """
    texts = (clean(sentence.text, cleaning) for study in studies for sentence in study.sentences)
    vocabulary = vocabulary_with_alphabet([*_by_frequency(texts), *COMMON_WORDS.read_text(encoding="ascii").split()])
    if size < len(vocabulary_with_alphabet([])):
        raise ValueError(f"a vocabulary of {size} pieces has no room for the alphabet: allow {len(vocabulary)}")
    return from_vocabulary(vocabulary[:size])


def _by_frequency(texts: Iterable[str]) -> list[str]:
    counts = Counter(word for text in texts for word in text.split())
    return sorted(counts, key=lambda word: (-counts[word], word))
