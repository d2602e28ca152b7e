"""The right tokenizer is converted; a wrong one is refused with the reason."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer
from tokenizers.models import BPE
from transformers import BertTokenizer

from tests.published_files import VOCABULARY, tokenizer_folder
from wronglung.model.errors import ModelFilesError
from wronglung.model.importing.vocabulary import read_bert_config, read_vocabulary
from wronglung.model.tokenizer import SPECIAL_TOKENS, from_vocabulary

ROWS = len(VOCABULARY)
TEXT = "the left lung is clear [MASK] effusion zzz"


def pieces(tokenizer: Tokenizer) -> list[str]:
    return list(tokenizer.encode(TEXT, add_special_tokens=False).tokens)


def test_vocab_txt_gives_the_pieces_that_transformers_gives(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path / "bert")
    assert pieces(read_vocabulary(str(folder), ROWS)) == BertTokenizer.from_pretrained(folder).tokenize(TEXT)


def test_vocab_txt_alone_is_enough(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path / "bert")
    expected = pieces(read_vocabulary(str(folder), ROWS))
    (folder / "tokenizer_config.json").unlink()
    assert pieces(read_vocabulary(str(folder), ROWS)) == expected


def test_tokenizer_json_is_read_without_its_padding_and_truncation(tmp_path: Path) -> None:
    tokenizer = from_vocabulary(VOCABULARY)
    expected = pieces(tokenizer)
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=97)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert pieces(read_vocabulary(str(tmp_path), ROWS)) == expected


@pytest.mark.parametrize("token", SPECIAL_TOKENS)
def test_a_missing_special_token_is_named(token: str, tmp_path: Path) -> None:
    """Also where transformers would add it and thereby reach the right number of pieces."""
    folder = tokenizer_folder(tmp_path / "bert", [piece for piece in VOCABULARY if piece != token])
    with pytest.raises(ModelFilesError, match=rf"\{token}"):
        read_vocabulary(str(folder), ROWS)


def test_another_number_of_pieces_is_refused(tmp_path: Path) -> None:
    folder = tokenizer_folder(tmp_path / "bert", [*VOCABULARY, "more"])
    with pytest.raises(ModelFilesError, match=rf"has {ROWS + 1} pieces, but the checkpoint has embeddings for {ROWS}"):
        read_vocabulary(str(folder), ROWS)


def test_another_kind_of_tokenizer_is_refused(tmp_path: Path) -> None:
    tokenizer = Tokenizer(BPE({token: i for i, token in enumerate(SPECIAL_TOKENS)}, []))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ModelFilesError, match="this is a BPE"):
        read_vocabulary(str(tmp_path), 5)


def test_a_damaged_tokenizer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelFilesError, match="not a tokenizer file"):
        read_vocabulary(str(tmp_path), ROWS)


def test_a_folder_without_tokenizer_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError, match=r"tokenizer\.json or vocab\.txt"):
        read_vocabulary(str(tmp_path), ROWS)


@pytest.mark.parametrize("name", ["nobody/nothing", "./no/such/folder", "two words"])
def test_a_name_that_is_not_in_the_cache_says_how_to_get_it(name: str) -> None:
    with pytest.raises(ModelFilesError, match=r"HF_HOME.*save_pretrained"):
        read_vocabulary(name, ROWS)


def test_a_name_in_the_cache_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = tmp_path / "models--some--bert" / "snapshots" / "0123456789abcdef0123456789abcdef01234567"
    tokenizer_folder(snapshot, config={"num_attention_heads": 2})
    refs = tmp_path / "models--some--bert" / "refs"
    refs.mkdir()
    (refs / "main").write_text(snapshot.name)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert pieces(read_vocabulary("some/bert", ROWS)) == pieces(from_vocabulary(VOCABULARY))
    config = read_bert_config("some/bert")
    assert config is not None
    assert config["num_attention_heads"] == 2


def test_the_config_beside_a_tokenizer_may_be_missing_but_not_damaged(tmp_path: Path) -> None:
    assert read_bert_config(str(tmp_path)) is None
    assert read_bert_config("nobody/nothing") is None
    for text in ("{", "[]"):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(ModelFilesError, match=r"config\.json"):
            read_bert_config(str(tmp_path))
