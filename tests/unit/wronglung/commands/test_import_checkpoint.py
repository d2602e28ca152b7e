"""`wronglung import-checkpoint`: what it prints, what it asks for, how it fails."""

import os
from pathlib import Path

import pytest
import torch

from tests.published_files import (
    HEADS,
    lightning_file,
    options,
    pickled_by_calling,
    tensors,
    tokenizer_folder,
)
from wronglung import cli
from wronglung.model.checkpoint import load_checkpoint
from wronglung.model.random_model import create_random_model


@pytest.fixture
def bert(tmp_path: Path) -> str:
    return str(tokenizer_folder(tmp_path / "bert", config={"num_attention_heads": HEADS}))


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    return str(lightning_file(tmp_path / "a.ckpt", tensors(), options()))


def command(*arguments: str) -> int:
    return cli.main(["import-checkpoint", *arguments])


def test_it_prints_what_it_inferred_and_what_comes_next(
    checkpoint: str, bert: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "store" / "gloria"
    assert command(checkpoint, "--tokenizer", bert, "--name", "gloria", "--out", str(out), "--version", "2.0") == 0
    printed = capsys.readouterr()
    for words in (
        "ResNet",
        "attention heads",
        "config.json beside the tokenizer",
        "pooler.dense.bias",
        "wronglung serve",
    ):
        assert words in printed.out
    assert printed.out.endswith(f"wronglung serve --model-store {out.parent} --models gloria\n")
    assert printed.err == ""
    assert load_checkpoint(out).config.version == "2.0"


def test_a_folder_of_another_name_is_refused(
    checkpoint: str, bert: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(checkpoint, "--tokenizer", bert, "--name", "gloria", "--out", str(tmp_path / "store")) == 2
    assert f"give --name store, or --out {tmp_path / 'store' / 'gloria'}" in capsys.readouterr().err
    assert not (tmp_path / "store").exists()


def test_without_out_the_model_goes_into_the_store(
    checkpoint: str,
    bert: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "home" / "handlers").mkdir(parents=True)
    (tmp_path / "home" / "handlers" / "alignment_handler.py").touch()
    monkeypatch.setenv("WRONGLUNG_HOME", str(tmp_path / "home"))
    assert command(checkpoint, "--tokenizer", bert, "--name", "gloria") == 0
    assert capsys.readouterr().out.endswith("then: wronglung serve --models gloria\n")
    assert load_checkpoint(tmp_path / "home" / "model_store" / "gloria")


def test_flags_choose_preprocessing_and_empty_sentences(checkpoint: str, bert: str, tmp_path: Path) -> None:
    flags = ("--stretch", "--empty-sentences", "encode_markers")
    assert command(checkpoint, "--tokenizer", bert, "--name", "m", "--out", str(tmp_path / "m"), *flags) == 0
    config = load_checkpoint(tmp_path / "m").config
    assert (config.preprocess.stretch, config.cleaning.empty) == (True, "encode_markers")


def test_a_directory_of_ours_needs_no_tokenizer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    create_random_model(tmp_path / "best", opt_out=True)
    assert command(str(tmp_path / "best"), "--name", "mine", "--out", str(tmp_path / "mine"), "--version", "1.1") == 0
    assert load_checkpoint(tmp_path / "mine").config.version == "1.1"
    assert command(str(tmp_path / "best"), "--name", "x", "--out", str(tmp_path / "x"), "--heads", "2") == 2
    assert "decides --heads: leave them out" in capsys.readouterr().err


def failure(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The message of a command that must fail."""
    assert command(*arguments) == 2
    return capsys.readouterr().err


def test_a_checkpoint_needs_a_tokenizer(checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--tokenizer" in failure(capsys, checkpoint, "--name", "m", "--out", str(tmp_path / "m"))


def test_a_malicious_file_is_refused_in_one_line_and_does_not_run(
    bert: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = pickled_by_calling(os.system, f"touch {tmp_path / 'it-ran'}")
    torch.save({"state_dict": tensors(), "hyper_parameters": evil}, tmp_path / "a.ckpt")
    message = failure(
        capsys, str(tmp_path / "a.ckpt"), "--tokenizer", bert, "--name", "m", "--out", str(tmp_path / "m")
    )
    assert "system" in message
    assert message.count("\n") == 1
    assert not (tmp_path / "it-ran").exists()
    assert not (tmp_path / "m").exists()


def test_a_model_is_kept_unless_forced(
    checkpoint: str, bert: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (checkpoint, "--tokenizer", bert, "--name", "m", "--out", str(tmp_path / "m"))
    assert command(*arguments) == 0
    assert "--force" in failure(capsys, *arguments)
    assert command(*arguments, "--force") == 0


@pytest.mark.parametrize("name", ["", "a/b", "../a", ".hidden", "a b"])
def test_a_name_must_be_good_for_a_folder_and_an_archive(name: str) -> None:
    with pytest.raises(SystemExit):
        command("a.ckpt", "--name", name)


def test_the_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        command("--help")
    assert "wronglung import-checkpoint runs/my-encoder/best --name my-encoder" in capsys.readouterr().out
