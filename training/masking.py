"""Words of a training sentence hidden behind the tokenizer's mask token ("That's the Wrong Lung!", arXiv 2210.06565).

A masked sentence is a text like any other: its words are cleaned, and those that are hidden read "[MASK]", which the
tokenizer keeps as one piece (`CleaningConfig.keep_mask_token`). What is served is never masked.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from training.sentence_config import EntityMaskingConfig, WordMaskingConfig
from wronglung.model.config import CleaningConfig
from wronglung.model.text import clean
from wronglung.model.tokenizer import MASK

Rewrite = Callable[[str, np.random.Generator], str]
"""A sentence as a training step reads it."""


Recognise = Callable[[Sequence[str]], Sequence[tuple[int, int]]]


def as_written(text: str, _: np.random.Generator) -> str:
    """The sentence itself."""
    return text


def hidden_count(share: float, of: int) -> int:
    """min(max(⌊share · n⌋, 1), n − 1) of n things: at least one, never all; 0 of one or none."""
    floor = math.floor(round(share * of, 9))  # 0.29 · 100 is 29, not 28.999…
    return max(min(max(floor, 1), of - 1), 0)


class WordMasking:
    """Hides words, each with the same probability.

    Args:
        config: the share that is hidden.
        cleaning: the model's; it must keep the mask token.
    """

    def __init__(self, config: WordMaskingConfig, cleaning: CleaningConfig) -> None:
        self._share, self._cleaning = config.share, cleaning

    def __call__(self, text: str, rng: np.random.Generator) -> str:
        """The cleaned words with some of them hidden; the text as it is where there are none to hide."""
        words = clean(text, self._cleaning).split()
        hidden = hidden_count(self._share, len(words))
        if not hidden:
            return text
        for index in rng.choice(len(words), hidden, replace=False):
            words[index] = MASK
        return " ".join(words)


class EntityMasking:
    """Hides clinical entities, each with the same probability and with all of its words.

    Args:
        config: the share that is hidden.
        cleaning: the model's; it must keep the mask token.
        recognise: finds the entities: first word and one past the last of each.
    """

    def __init__(self, config: EntityMaskingConfig, cleaning: CleaningConfig, recognise: Recognise) -> None:
        self._share, self._cleaning, self._recognise = config.share, cleaning, recognise

    def __call__(self, text: str, rng: np.random.Generator) -> str:
        """The cleaned words with some of the entities hidden; the text as it is where there are none to hide."""
        words = clean(text, self._cleaning).split()
        entities = self._recognise(words)
        hidden = hidden_count(self._share, len(entities))
        if not hidden:
            return text
        for index in rng.choice(len(entities), hidden, replace=False):
            first, last = entities[index]
            words[first:last] = [MASK] * (last - first)
        return " ".join(words)


def make_rewrite(config: WordMaskingConfig | EntityMaskingConfig | None, cleaning: CleaningConfig) -> Rewrite:
    """What `sentences.masking` asks for.

    Raises:
        ModelFilesError: the recogniser of entities cannot be made.
    """
    match config:
        case None:
            return as_written
        case WordMaskingConfig():
            return WordMasking(config, cleaning)
        case EntityMaskingConfig():
            from training.entities import make_recogniser  # takes seconds: only those who need it wait for spaCy

            return EntityMasking(config, cleaning, make_recogniser(config.recogniser))
