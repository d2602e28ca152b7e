"""A file that would run code when unpickled is refused by name, and nothing of it runs."""

import io
import os
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests import published_files
from wronglung.model.errors import ModelFilesError
from wronglung.model.importing.sources import open_source


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "it-ran"


def refuse(path: Path, marker: Path, named: str) -> None:
    """Assert that opening refuses the file with a message that names `named`, and that its code did not run."""
    with pytest.raises(ModelFilesError, match=named), open_source(path):
        pass
    assert not marker.exists()


def system(marker: Path) -> object:
    return published_files.pickled_by_calling(os.system, f"touch {marker}")


def evaluation(marker: Path) -> object:
    return published_files.pickled_by_calling(eval, f"open({str(marker)!r}, 'w')")


def execution(marker: Path) -> object:
    return published_files.pickled_by_calling(exec, f"open({str(marker)!r}, 'w')")


def process(marker: Path) -> object:
    return published_files.pickled_by_calling(subprocess.Popen, ["touch", str(marker)])


def nested(marker: Path) -> object:
    """The call stands among the arguments of one that is allowed."""
    return published_files.pickled_by_calling(torch._utils._rebuild_parameter, system(marker), False, {})


def loading(marker: Path) -> object:
    """A harmless-looking call that would load a second, hidden file."""
    return published_files.pickled_by_calling(torch.load, io.BytesIO(pickle.dumps(system(marker))))


KINDS = [
    (system, r"posix\.system|nt\.system"),
    (evaluation, r"builtins\.eval"),
    (execution, r"builtins\.exec"),
    (process, r"subprocess\.Popen"),
    (nested, r"posix\.system|nt\.system"),
    (loading, r"torch\.serialization\.load|_io\.BytesIO"),
]


@pytest.mark.parametrize(("make", "named"), KINDS, ids=[kind.__name__ for kind, _ in KINDS])
@pytest.mark.parametrize("place", ["tensor", "hyper_parameters", "beside"])
@pytest.mark.parametrize("protocol", [2, 4], ids=["GLOBAL", "STACK_GLOBAL"])
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "stream"])
def test_a_call_is_refused_wherever_it_stands(
    make: Callable[[Path], object],
    named: str,
    place: str,
    protocol: int,
    zipped: bool,
    tmp_path: Path,
    marker: Path,
) -> None:
    state: dict[str, object] = {"gloria.no_attn_vec": torch.zeros(2)}
    document: dict[str, object] = {"state_dict": state, "hyper_parameters": {}}
    target = state if place == "tensor" else document
    target["hyper_parameters" if place == "hyper_parameters" else "x"] = make(marker)
    torch.save(document, tmp_path / "a.ckpt", pickle_protocol=protocol, _use_new_zipfile_serialization=zipped)
    refuse(tmp_path / "a.ckpt", marker, named)


HAND_WRITTEN = {
    "INST": (b"(S'touch {}'\nios\nsystem\n.", r"os\.system"),
    "OBJ": (b"(cos\nsystem\nS'touch {}'\no.", r"os\.system"),
    "text protocol": (b"cos\nsystem\n(S'touch {}'\ntR.", r"os\.system"),
    "a name put together": (b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x01x\x85R.", r"os\.system"),
    "a name reached through another": (b"\x80\x04\x8c\x05torch\x8c\x0f_utils.os.system\x93\x8c\x01x\x85R.", "torch"),
    "a name from the memo": (b"\x80\x04\x8c\x02os\x94\x8c\x06system\x940h\x00h\x01\x93\x8c\x01x\x85R.", r"os\.system"),
    "an import": (b"c__builtin__\n__import__\n(S'os'\ntR.", r"builtins\.__import__"),
    "an attribute": (b"cbuiltins\ngetattr\n(cos\npath\nS'join'\ntR.", r"builtins\.getattr"),
    "an extension": (b"\x80\x02\x82\x01.", "EXT1"),
    "a foreign class": (b"\x80\x02cmypackage\nConfig\n)\x81.", r"mypackage\.Config"),
}


@pytest.mark.parametrize(("data", "named"), HAND_WRITTEN.values(), ids=HAND_WRITTEN)
def test_hand_written_pickles_are_refused(data: bytes, named: str, tmp_path: Path, marker: Path) -> None:
    data = data.replace(b"{}", str(marker).encode())
    refuse(published_files.archive_around(tmp_path / "a.ckpt", data), marker, named)


def test_a_bare_pickle_is_refused_too(tmp_path: Path, marker: Path) -> None:
    (tmp_path / "a.pt").write_bytes(pickle.dumps(system(marker)))
    refuse(tmp_path / "a.pt", marker, r"posix\.system|nt\.system")


def test_the_message_says_what_to_do(tmp_path: Path, marker: Path) -> None:
    torch.save({"state_dict": {}, "x": system(marker)}, tmp_path / "a.ckpt")
    refuse(tmp_path / "a.ckpt", marker, r"Nothing was run.*torch\.save\(checkpoint\['state_dict'\]")


STATE_ABUSE = {
    "state for a function": b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}X\x0c\x00\x00\x00__defaults__K\x01sb.",
    "state for a class": b"\x80\x02cbuiltins\nset\n}X\x0c\x00\x00\x00__setstate__K\x01sb.",
    "a call of what a call gave": b"\x80\x02ctorch\nSize\n)R)R.",
    "a call of a text": b"\x80\x02X\x02\x00\x00\x00os)R.",
    "a persistent id as text": b"\x80\x02P0\n.",
    "attributes through elements": b"\x80\x02ctorch\nSize\nK\x01a.",
}


@pytest.mark.parametrize("data", STATE_ABUSE.values(), ids=STATE_ABUSE)
def test_nothing_of_ours_can_be_changed_through_a_pickle(data: bytes, tmp_path: Path) -> None:
    before = torch._utils._rebuild_tensor_v2.__defaults__
    with (
        pytest.raises(ModelFilesError),
        open_source(published_files.archive_around(tmp_path / "a.ckpt", data)),
    ):
        pass
    assert torch._utils._rebuild_tensor_v2.__defaults__ == before


def test_a_class_that_reacts_to_its_state_does_not_get_the_chance(tmp_path: Path, marker: Path) -> None:
    with published_files.fake_omegaconf(marker) as package:
        wrapped = published_files.as_omegaconf(package, published_files.options())
        path = published_files.lightning_file(tmp_path / "a.ckpt", {"no_attn_vec": torch.zeros(2)}, wrapped)
        with open_source(path) as source:
            assert source.options == published_files.options()
    assert not marker.exists()
