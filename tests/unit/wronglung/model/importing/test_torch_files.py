"""Both formats of `torch.save` are read to the number; damage and bombs are errors that say what is wrong."""

import pickle
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import published_files
from tests.published_files import archive_around, protocol_two
from wronglung.model.errors import ModelFilesError
from wronglung.model.importing.sources import open_source

STATE = {
    "gloria.matrix": torch.arange(6.0).reshape(2, 3),
    "gloria.turned": torch.arange(6.0).reshape(2, 3).T,
    "gloria.part": torch.arange(10.0)[3:9:2],
    "gloria.parameter": torch.nn.Parameter(torch.arange(4.0)),
    "gloria.half": torch.arange(3.0).half(),
    "gloria.brain": torch.arange(3.0).bfloat16(),
    "gloria.double": torch.arange(3.0).double(),
    "gloria.count": torch.tensor(7),
    "gloria.flags": torch.tensor([True, False]),
    "gloria.none": torch.empty(0, 4),
}


def save(path: Path, content: object, zipped: bool = True) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    return path


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "stream"])
@pytest.mark.parametrize("wrapped", [True, False], ids=["Lightning", "state_dict"])
def test_every_tensor_is_read_as_it_was_saved(tmp_path: Path, zipped: bool, wrapped: bool) -> None:
    content = {"state_dict": STATE, "optimizer_states": [torch.zeros(5)]} if wrapped else STATE
    with open_source(save(tmp_path / "a.ckpt", content, zipped)) as source:
        assert source.options is None
        read = {f"gloria.{name}": tensor.read() for name, tensor in source.tensors.items()}
    assert read.keys() == STATE.keys()
    for name, tensor in STATE.items():
        assert torch.equal(read[name], tensor)
        assert read[name].dtype == tensor.dtype
        assert read[name].is_contiguous()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_any_protocol_of_pickle_is_read(tmp_path: Path, protocol: int) -> None:
    content = {"state_dict": STATE, "hyper_parameters": {"a": [1, {"b": None}]}}
    torch.save(content, tmp_path / "a.ckpt", pickle_protocol=protocol)
    with open_source(tmp_path / "a.ckpt") as source:
        assert source.options == {"a": [1, {"b": None}]}
        assert torch.equal(source.tensors["matrix"].read(), STATE["gloria.matrix"])


def test_a_safetensors_file_of_published_names_is_read(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"gloria.a": torch.ones(2)}, tmp_path / "a.safetensors")
    with open_source(tmp_path / "a.safetensors") as source:
        assert torch.equal(source.tensors["a"].read(), torch.ones(2))


def read_all(path: Path) -> list[torch.Tensor]:
    with open_source(path) as source:
        return [tensor.read() for tensor in source.tensors.values()]


def refused(path: Path, message: str) -> None:
    """Assert that the file is refused when it is opened or one of its tensors is read."""
    with pytest.raises(ModelFilesError, match=message):
        read_all(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    refused(tmp_path / "none.ckpt", r"there is no file .*none\.ckpt")


@pytest.mark.parametrize("data", [b"", b"nonsense", b"PK\x03\x04 and no more", b"\x80\x02", b"\x1f\x8b\x08\x00zip"])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.ckpt").write_bytes(data)
    refused(tmp_path / "a.ckpt", "no file of torch.save|damaged")


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "stream"])
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.999])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, zipped: bool, keep: float) -> None:
    data = save(tmp_path / "whole", {"a": torch.randn(1000)}, zipped).read_bytes()
    (tmp_path / "a.ckpt").write_bytes(data[: int(len(data) * keep)])
    refused(tmp_path / "a.ckpt", "damaged|cut off")


def test_a_changed_byte_is_noticed(tmp_path: Path) -> None:
    data = bytearray(save(tmp_path / "a.ckpt", {"a": torch.full((1000,), 1.5)}).read_bytes())
    place = data.index(torch.full((1000,), 1.5).numpy().tobytes())
    data[place + 100] ^= 1
    (tmp_path / "a.ckpt").write_bytes(data)
    refused(tmp_path / "a.ckpt", "damaged at data/0.*CRC")


def rewritten(path: Path, change: Callable[[str, bytes], bytes | None], compression: int = zipfile.ZIP_STORED) -> Path:
    """A copy of an archive with its entries changed; None leaves one out."""
    target = path.with_suffix(".other")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", compression) as new:
        for name in old.namelist():
            data = change(name.partition("/")[2], old.read(name))
            if data is not None:
                new.writestr(name, data)
    return target


@given(
    zipped=st.booleans(),
    inside=st.booleans(),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=5),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_gives_tensors_or_a_typed_error(
    tmp_path: Path, zipped: bool, inside: bool, changes: list[tuple[float, int]]
) -> None:
    """Bytes are changed anywhere in the file, or only in the pickle, whose checksum then is right."""

    def damage(data: bytes) -> bytes:
        changed = bytearray(data)
        for place, value in changes:
            changed[int(place * len(changed))] = value
        return bytes(changed)

    path = save(tmp_path / "a.ckpt", {"state_dict": STATE, "hyper_parameters": {"a": [1]}}, zipped)
    if zipped and inside:
        path = rewritten(path, lambda name, data: damage(data) if name == "data.pkl" else data)
    else:
        path.write_bytes(damage(path.read_bytes()))
    with suppress(ModelFilesError):
        read_all(path)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return save(tmp_path / "a.ckpt", {"a": torch.zeros(1000), "b": torch.ones(3)})


def test_a_bomb_is_not_unpacked(archive: Path) -> None:
    packed = rewritten(archive, lambda name, data: data + bytes(50_000_000), zipfile.ZIP_DEFLATED)
    assert packed.stat().st_size < 1_000_000
    refused(packed, "compressed, which torch.save never does")


@pytest.mark.parametrize("lost", ["data/0", "data.pkl"])
def test_a_missing_entry_is_named(archive: Path, lost: str) -> None:
    other = rewritten(archive, lambda name, data: None if name == lost else data)
    refused(other, "lacks data/0|has 0 data.pkl")


def test_a_storage_that_is_too_short_is_noticed(archive: Path) -> None:
    refused(rewritten(archive, lambda name, data: data[:-4] if name == "data/0" else data), "beyond the end")


def test_a_big_endian_file_is_refused(archive: Path) -> None:
    refused(rewritten(archive, lambda name, data: b"big" if name == "byteorder" else data), "big-endian")


def test_a_pickle_of_unbearable_size_is_refused(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wronglung.model.importing.torch_files._PICKLE_LIMIT", 100)
    refused(archive, "more than the 100 allowed")


def test_a_torchscript_program_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as program:
        program.writestr("net/data.pkl", protocol_two({}))
        program.writestr("net/constants.pkl", protocol_two(()))
    refused(tmp_path / "a.pt", r"TorchScript.*state_dict\(\)")


def test_a_tensor_of_impossible_size_is_refused(tmp_path: Path) -> None:
    vast = torch.zeros(1).expand(1 << 40)
    refused(save(tmp_path / "a.ckpt", {"a": vast}), "reaches beyond")


def test_tensors_that_claim_more_than_the_file_has_are_refused(tmp_path: Path) -> None:
    shared = torch.zeros(1000)
    refused(save(tmp_path / "a.ckpt", {str(i): shared for i in range(100)}), "its tensors claim 400,000")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([torch.zeros(1)], "holds a list"),
        ({"model": {"a": torch.zeros(1)}}, "it has the keys model"),
        ({"state_dict": {}}, "neither a Lightning checkpoint"),
        ({"a": torch.zeros(1), "b": 3}, "describes something as a tensor that is none"),
        ({1: torch.zeros(1)}, "name is no text"),
        ({"a\x1b[2J": torch.zeros(1)}, r"name is no name: 'a\\x1b"),
        ({"a": torch.zeros(1), "gloria.a": torch.zeros(1)}, "with and without the prefix"),
        ({"a": torch.zeros(1, dtype=torch.complex64)}, "holds tensors of ComplexFloatStorage"),
    ],
)
def test_content_that_is_no_checkpoint_is_refused(tmp_path: Path, content: object, message: str) -> None:
    refused(save(tmp_path / "a.ckpt", content), message)


def test_a_file_of_plain_pickle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(pickle.dumps({"a": 1}))
    refused(tmp_path / "a.pt", "none of torch.save")


def test_keys_that_could_end_the_process_are_refused(tmp_path: Path) -> None:
    nested = b"\x80\x02}" + b"K\x01" + b"\x85" * 2_000_000 + b"K\x02s."
    refused(archive_around(tmp_path / "a.ckpt", nested), "a tuple as a key")


def test_options_that_share_branches_without_bounds_are_refused(tmp_path: Path) -> None:
    branch: list[object] = []
    for _ in range(40):
        branch = [branch, branch]
    path = published_files.lightning_file(tmp_path / "a.ckpt", {"no_attn_vec": torch.zeros(2)}, {"x": branch})
    refused(path, "without bounds")


def test_options_that_contain_themselves_are_refused(tmp_path: Path) -> None:
    endless: dict[str, object] = {}
    endless["self"] = endless
    path = published_files.lightning_file(tmp_path / "a.ckpt", {"no_attn_vec": torch.zeros(2)}, endless)
    refused(path, "without bounds")
