"""Tensors are read and written one at a time, in a format that others read too."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from wronglung.model.errors import ModelFilesError
from wronglung.model.tensors import read_safetensors, stored_in_memory, write_safetensors

TENSORS = {
    "half": torch.arange(3, dtype=torch.float16),
    "table": torch.randn(5, 7, generator=torch.Generator().manual_seed(0)),
    "count": torch.tensor(3),
    "turned": torch.arange(6.0).reshape(2, 3).T,
    "brain": torch.tensor([1.5], dtype=torch.bfloat16),
    "none": torch.empty(0, 4),
}


def write(path: Path) -> str:
    with path.open("wb") as file:
        return write_safetensors(file, {name: stored_in_memory(tensor) for name, tensor in TENSORS.items()})


def test_the_library_reads_what_is_written(tmp_path: Path) -> None:
    digest = write(tmp_path / "a")
    assert digest == hashlib.sha256((tmp_path / "a").read_bytes()).hexdigest()
    read = load_file(tmp_path / "a")
    assert read.keys() == TENSORS.keys()
    assert all(torch.equal(read[name], tensor) and read[name].dtype == tensor.dtype for name, tensor in TENSORS.items())


def test_what_the_library_writes_is_read(tmp_path: Path) -> None:
    save_file({name: tensor.contiguous() for name, tensor in TENSORS.items()}, tmp_path / "a", metadata={"by": "test"})
    stored = read_safetensors(tmp_path / "a")
    assert stored.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert torch.equal(stored[name].read(), tensor)
        assert (stored[name].dtype, stored[name].shape) == (tensor.dtype, tuple(tensor.shape))


def test_progress_counts_every_byte(tmp_path: Path) -> None:
    stored = {name: stored_in_memory(tensor) for name, tensor in TENSORS.items()}
    steps: list[int] = []
    with (tmp_path / "a").open("wb") as file:
        write_safetensors(file, stored, steps.append)
    assert sum(steps) == sum(tensor.bytes for tensor in stored.values())


@pytest.mark.parametrize("keep", [0, 4, 40, -1])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, keep: int) -> None:
    write(tmp_path / "a")
    (tmp_path / "b").write_bytes((tmp_path / "a").read_bytes()[:keep])
    with pytest.raises(ModelFilesError, match="not a safetensors file, or is cut off"):
        read_safetensors(tmp_path / "b")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError, match=r"cannot read .*none"):
        read_safetensors(tmp_path / "none")


def test_numbers_that_no_model_has_are_refused(tmp_path: Path) -> None:
    save_file({"odd": torch.zeros(1, dtype=torch.uint16)}, tmp_path / "a")
    with pytest.raises(ModelFilesError, match="odd holds U16"):
        read_safetensors(tmp_path / "a")
