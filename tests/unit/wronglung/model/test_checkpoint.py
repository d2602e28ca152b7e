"""A model's files are verified at every load, and each fault is named."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from wronglung.model.checkpoint import load_checkpoint
from wronglung.model.errors import ModelFilesError
from wronglung.model.random_model import create_random_model


@pytest.fixture
def copy(model_directory: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_directory, tmp_path / "model"))


def edit_config(directory: Path, **changes: object) -> None:
    document = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps({**document, **changes}))


def replace_weights(directory: Path, tensors: dict[str, torch.Tensor]) -> None:
    import hashlib

    save_file(tensors, directory / "weights.safetensors")
    digest = hashlib.sha256((directory / "weights.safetensors").read_bytes()).hexdigest()
    edit_config(directory, weights_sha256=digest)


def test_the_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    a = create_random_model(tmp_path / "a", opt_out=True, seed=3)
    b = create_random_model(tmp_path / "b", opt_out=True, seed=3)
    c = create_random_model(tmp_path / "c", opt_out=True, seed=4)
    assert a == b
    assert a.weights_sha256 != c.weights_sha256


def test_making_a_random_model_leaves_the_global_generator_alone(tmp_path: Path) -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    create_random_model(tmp_path, opt_out=False)
    assert torch.rand(1) == expected


def test_what_is_loaded_is_what_was_saved(copy: Path) -> None:
    checkpoint = load_checkpoint(copy)
    assert not checkpoint.network.training
    stored = load_file(copy / "weights.safetensors")
    for name, tensor in checkpoint.network.state_dict().items():
        assert torch.equal(tensor, stored.pop(name))
    assert not stored


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors", "tokenizer/tokenizer.json"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ModelFilesError, match=rf"cannot read .*{name}"):
        load_checkpoint(copy)


@pytest.mark.parametrize("name", ["weights.safetensors", "tokenizer/tokenizer.json"])
def test_one_changed_byte_is_noticed(copy: Path, name: str) -> None:
    data = bytearray((copy / name).read_bytes())
    data[-1] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(ModelFilesError, match="SHA-256"):
        load_checkpoint(copy)


def test_a_config_error_names_the_key(copy: Path) -> None:
    edit_config(copy, preprocess={"crop": "224"})
    with pytest.raises(ModelFilesError, match=r"preprocess\.crop"):
        load_checkpoint(copy)
    edit_config(copy, colour="red")
    with pytest.raises(ModelFilesError, match="colour"):
        load_checkpoint(copy)


def test_every_tensor_must_find_its_place_with_none_left_over(copy: Path) -> None:
    tensors = load_file(copy / "weights.safetensors")
    tensors["surplus"] = torch.zeros(1)
    del tensors["image.global_embedder.bias"]
    tensors["image.global_embedder.weight"] = torch.zeros(2, 2)
    replace_weights(copy, tensors)
    with pytest.raises(ModelFilesError) as caught:
        load_checkpoint(copy)
    for problem in ("missing: image.global_embedder.bias", "left over: surplus", "shape [2, 2]"):
        assert problem in str(caught.value)


def test_a_tokenizer_of_another_size_is_refused(copy: Path) -> None:
    document = json.loads((copy / "config.json").read_text())
    document["network"]["text"]["vocab_size"] += 1
    (copy / "config.json").write_text(json.dumps(document))
    with pytest.raises(ModelFilesError, match="vocab_size"):
        load_checkpoint(copy)


def test_weights_that_are_no_safetensors_are_refused(copy: Path) -> None:
    import hashlib

    (copy / "weights.safetensors").write_bytes(b"nonsense")
    edit_config(copy, weights_sha256=hashlib.sha256(b"nonsense").hexdigest())
    with pytest.raises(ModelFilesError, match="not a safetensors file"):
        load_checkpoint(copy)
