"""BERT's WordPiece tokenizer as one `tokenizer.json` file."""

import string
from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import AddedToken, Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import BertPreTokenizer

from wronglung.model.errors import ModelFilesError

PAD, UNK, CLS, SEP, MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
SPECIAL_TOKENS = (PAD, UNK, CLS, SEP, MASK)
CONTINUATION = "##"
_CHARACTERS = string.ascii_lowercase + string.digits + "_"


def from_vocabulary(vocabulary: Sequence[str]) -> Tokenizer:
    """A WordPiece tokenizer whose piece i is `vocabulary[i]`. It expects cleaned (lower-case, ASCII) text.

    Raises:
        ValueError: a special token is missing, or a piece is repeated.
    """
    missing = [token for token in SPECIAL_TOKENS if token not in vocabulary]
    if missing:
        raise ValueError(f"the vocabulary lacks the special tokens {missing}")
    if len(set(vocabulary)) != len(vocabulary):
        raise ValueError("the vocabulary contains a piece twice")
    model = WordPiece(
        vocab={piece: index for index, piece in enumerate(vocabulary)},
        unk_token=UNK,
        continuing_subword_prefix=CONTINUATION,
        max_input_chars_per_word=100,
    )
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in SPECIAL_TOKENS])
    return tokenizer


def vocabulary_with_alphabet(words: Iterable[str]) -> list[str]:
    """The special tokens, every character that cleaning lets through (alone and as a continuation), then `words`.

    With the whole alphabet in the vocabulary no cleaned word of up to 100 characters becomes "[UNK]".
    """
    alphabet = [*_CHARACTERS, *(CONTINUATION + character for character in _CHARACTERS)]
    return list(dict.fromkeys([*SPECIAL_TOKENS, *alphabet, *words]))


def load_tokenizer(path: Path) -> Tokenizer:
    """Read `tokenizer.json`.

    Raises:
        ModelFilesError: the file is no tokenizer, or lacks a special token.
    """
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises plain Exception for every kind of failure
        raise ModelFilesError(f"{path} is not a tokenizer file: {error}") from error
    missing = [token for token in SPECIAL_TOKENS if tokenizer.token_to_id(token) is None]
    if missing:
        raise ModelFilesError(f"{path} lacks the special tokens {missing}")
    return tokenizer


def token_id(tokenizer: Tokenizer, token: str) -> int:
    """The index of a piece that must be in the vocabulary.

    Raises:
        ValueError: it is not.
    """
    index = tokenizer.token_to_id(token)
    if index is None:
        raise ValueError(f"the tokenizer has no piece {token}")
    return int(index)
