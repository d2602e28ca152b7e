"""A sentence → cleaned words → word pieces, with the record of which piece belongs to which word."""

import re
from dataclasses import dataclass

from tokenizers import Tokenizer

from wronglung.errors import SentenceEmpty
from wronglung.model.config import CleaningConfig
from wronglung.model.tokenizer import CLS, CONTINUATION, MASK, SEP, token_id

_NUMBERING = re.compile(r"[0-9]+\.")
_WORD = re.compile(r"\w+")
_WORD_OR_MASK = re.compile(rf"{re.escape(MASK.lower())}|\w+")


@dataclass(frozen=True, slots=True)
class TokenizedSentence:
    """T word pieces that form W words, the start and end token included."""

    ids: tuple[int, ...]
    """(T,) vocabulary indices: start token, pieces, end token."""
    word_of_piece: tuple[int, ...]
    """(T,) the word, counted from 0, to which each piece belongs."""
    words: tuple[str, ...]
    """(W,) start token, words, end token."""
    truncated: bool
    """Pieces beyond the limit were dropped."""

    @property
    def content_pieces(self) -> int:
        """Number of pieces between the start and the end token."""
        return len(self.ids) - 2


def clean(sentence: str, config: CleaningConfig) -> str:
    """Lower-cased runs of word characters joined by single spaces, non-ASCII characters dropped; may be empty.

    The text is split at full stops (and numbering, see `CleaningConfig`) before words are looked for.
    """
    text = sentence.replace("\n", " ")
    parts = _NUMBERING.split(text) if config.split_numbering else [text]
    pieces = [piece for part in parts for piece in part.split(".")]
    return " ".join(word for piece in pieces for word in _words(piece, config))


def _words(piece: str, config: CleaningConfig) -> list[str]:
    words = (_WORD_OR_MASK if config.keep_mask_token else _WORD).findall(piece.lower())
    if config.drop_single_words and len(words) <= 1:
        return []
    ascii_words = (word.encode("ascii", "ignore").decode("ascii") for word in words)
    return [MASK if word == MASK.lower() else word for word in ascii_words if word]


class SentenceTokenizer:
    """Cleans and tokenizes sentences for one model.

    Args:
        tokenizer: a WordPiece tokenizer that knows the special tokens.
        cleaning: the model's cleaning options.
        max_word_pieces: longest sentence, start and end token included.
    """

    def __init__(self, tokenizer: Tokenizer, cleaning: CleaningConfig, max_word_pieces: int) -> None:
        self._tokenizer = tokenizer
        self._cleaning = cleaning
        self._max_content = max_word_pieces - 2
        self._start, self._end = token_id(tokenizer, CLS), token_id(tokenizer, SEP)

    def __call__(self, sentence: str) -> TokenizedSentence:
        """Tokenize one sentence.

        Raises:
            SentenceEmpty: cleaning leaves nothing and the model's config makes that an error.
        """
        text = clean(sentence, self._cleaning)
        if not text and self._cleaning.empty == "error":
            hint = " (pieces of one word are dropped by this model)" if self._cleaning.drop_single_words else ""
            raise SentenceEmpty(
                f"nothing is left of the sentence after cleaning{hint}; send words of the English alphabet"
            )
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        ids, pieces = encoding.ids[: self._max_content], encoding.tokens[: self._max_content]
        words, word_of_piece = _merge(pieces)
        return TokenizedSentence(
            ids=(self._start, *ids, self._end),
            word_of_piece=(0, *(1 + word for word in word_of_piece), len(words) + 1),
            words=(CLS, *words, SEP),
            truncated=len(encoding.ids) > self._max_content,
        )


def _merge(pieces: list[str]) -> tuple[list[str], list[int]]:
    """Join continuation pieces ("##ion") to the piece before them."""
    words: list[str] = []
    word_of_piece = []
    for piece in pieces:
        if piece.startswith(CONTINUATION) and words:
            words[-1] += piece[len(CONTINUATION) :]
        else:
            words.append(piece)
        word_of_piece.append(len(words) - 1)
    return words, word_of_piece
