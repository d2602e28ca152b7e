"""The tokenizer that a checkpoint was trained with, from a folder or from transformers' cache."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from transformers import AutoTokenizer, BertTokenizer, PreTrainedTokenizerBase
from transformers.utils.hub import cached_file

from wronglung.model.errors import ModelFilesError
from wronglung.model.tokenizer import CONTINUATION, SPECIAL_TOKENS, UNK, load_tokenizer

_FILES = ("tokenizer.json", "vocab.txt")


def read_vocabulary(source: str, rows: int) -> Tokenizer:
    """Read a tokenizer and check that it belongs to a checkpoint.

    Args:
        source: a folder with `tokenizer.json` or `vocab.txt`, or a name in transformers' cache.
        rows: of the checkpoint's word embeddings.

    Returns:
        It, without the padding and truncation that it may have been saved with.

    Raises:
        ModelFilesError: it is not there, is no WordPiece tokenizer, or is another checkpoint's.
    """
    folder = Path(source)
    tokenizer = _from_folder(folder) if folder.is_dir() else _from_cache(source)
    _check(tokenizer, rows, source)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _from_folder(folder: Path) -> Tokenizer:
    if (folder / "tokenizer.json").is_file():
        return load_tokenizer(folder / "tokenizer.json")
    if not (folder / "vocab.txt").is_file():
        raise ModelFilesError(f"{folder} holds no tokenizer: it needs {' or '.join(_FILES)}")
    try:
        return _backend(BertTokenizer.from_pretrained(folder, local_files_only=True), str(folder))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFilesError(f"the tokenizer in {folder} cannot be read: {error}") from error


def _from_cache(name: str) -> Tokenizer:
    """Nothing is downloaded: what a model is made of should be on disk before it is imported."""
    try:
        return _backend(AutoTokenizer.from_pretrained(name, local_files_only=True, trust_remote_code=False), name)
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        raise ModelFilesError(
            f"the tokenizer {name!r} is neither a folder nor in the cache of transformers (its place: HF_HOME). Where"
            f' there is a network, run: python -c "from transformers import AutoTokenizer as T;'
            f" T.from_pretrained('{name}').save_pretrained('tokenizer')\" – then bring that folder here and give it"
            " with --tokenizer"
        ) from error


def _backend(tokenizer: PreTrainedTokenizerBase, source: str) -> Tokenizer:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if not isinstance(backend, Tokenizer):
        raise ModelFilesError(
            f"{source}: {type(tokenizer).__name__} has no tokenizer.json; save it as a fast tokenizer"
        )
    return Tokenizer.from_str(backend.to_str())


def _check(tokenizer: Tokenizer, rows: int, source: str) -> None:
    model = tokenizer.model
    if not isinstance(model, WordPiece) or model.continuing_subword_prefix != CONTINUATION or model.unk_token != UNK:
        raise ModelFilesError(
            f"{source}: a BERT needs a WordPiece tokenizer with {CONTINUATION} and {UNK},"
            f" this is a {type(model).__name__}"
        )
    # The vocabulary alone: transformers would add special tokens that are missing, with rows that are not theirs.
    own = tokenizer.get_vocab(with_added_tokens=False)
    missing = [token for token in SPECIAL_TOKENS if token not in own]
    if missing:
        raise ModelFilesError(f"{source} lacks the special tokens {', '.join(missing)}: it is not a BERT's tokenizer")
    size = tokenizer.get_vocab_size()
    if size != rows or max(tokenizer.get_vocab().values()) >= rows:
        raise ModelFilesError(
            f"{source} has {size:,} pieces, but the checkpoint has embeddings for {rows:,}: give the tokenizer that it"
            " was trained with"
        )


def read_bert_config(source: str) -> Mapping[str, Any] | None:
    """The `config.json` beside a tokenizer, or None if there is none.

    Raises:
        ModelFilesError: it is no JSON object.
    """
    path = Path(source) / "config.json" if Path(source).is_dir() else _cached_config(source)
    if path is None or not path.is_file():
        return None
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelFilesError(f"cannot read {path}: {error}") from error
    if not isinstance(document, dict):
        raise ModelFilesError(f"{path} is no JSON object")
    return document


def _cached_config(name: str) -> Path | None:
    found = cached_file(
        name,
        "config.json",
        local_files_only=True,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
        _raise_exceptions_for_gated_repo=False,
    )
    return None if found is None else Path(found)
