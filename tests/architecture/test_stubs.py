"""The committed stubs are what the proto files say, and the proto files keep to the rules of their kind."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests import needs, repository


def generate(source: str, out: Path, *proto_path: str) -> None:
    """Run protoc the way `make stubs` does, into another folder."""
    outputs = [f"--{kind}_out={out}" for kind in ("python", "pyi", "grpc_python")]
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", *(f"--proto_path={path}" for path in proto_path), *outputs, source],
        cwd=repository.ROOT,
        check=True,
    )


def assert_same_stubs(folder: Path, regenerated: Path) -> None:
    """The generated files of one folder equal the committed ones, in number and content."""
    committed = {p.name: p.read_text() for p in (repository.ROOT / folder).glob("*_pb2*.py*")}
    assert committed == {p.name: p.read_text() for p in (regenerated / folder).glob("*_pb2*.py*")}
    assert committed


def test_the_stubs_of_the_contract_are_up_to_date(tmp_path: Path) -> None:
    generate("proto/wronglung/v1/alignment.proto", tmp_path, "proto")
    assert_same_stubs(Path("wronglung/v1"), tmp_path)


def test_the_stubs_of_torchserves_envelope_are_up_to_date(tmp_path: Path) -> None:
    generate("wronglung/torchserve/inference.proto", tmp_path, "wronglung/torchserve=proto/torchserve")
    assert_same_stubs(Path("wronglung/torchserve"), tmp_path)


def test_the_contract_passes_the_linter_of_proto_files() -> None:
    linted = subprocess.run(
        [needs.tool("buf"), "lint", "proto"], cwd=repository.ROOT, capture_output=True, text=True, check=False
    )
    assert (linted.returncode, linted.stdout + linted.stderr) == (0, "")


def broken(proto: Path) -> list[str]:
    """What a contract breaks of the one that callers were last promised."""
    command = [needs.tool("buf"), "breaking", str(proto), "--against", str(repository.ROOT / "proto" / "released.json")]
    compared = subprocess.run(command, capture_output=True, text=True, check=False)
    assert compared.returncode in (0, 100), compared.stderr  # 100: there is a difference
    return compared.stdout.splitlines()


def test_the_contract_breaks_nothing_that_callers_were_promised() -> None:
    assert broken(repository.ROOT / "proto") == []


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("  bytes image = 4;", "  bytes picture = 4;", "image"),
        ("  bytes image = 4;", "", "image"),
        ("  bytes image = 4;", "  string image = 4;", "image"),
        ("ERROR_CODE_OVERLOADED = 14;", "ERROR_CODE_OVERLOADED = 99;", "14"),
        ("rpc ListModels(ListModelsRequest) returns (ListModelsResponse);", "", "ListModels"),
        ("package wronglung.v1;", "package wronglung.v2;", "wronglung.v1"),
    ],
    ids=["renamed", "removed", "retyped", "renumbered", "method removed", "moved"],
)
def test_a_change_that_callers_would_feel_is_told(tmp_path: Path, was: str, becomes: str, told: str) -> None:
    proto = tmp_path / "proto"
    shutil.copytree(repository.ROOT / "proto", proto)
    contract = proto / "wronglung" / "v1" / "alignment.proto"
    text = contract.read_text()
    assert was in text
    contract.write_text(text.replace(was, becomes))
    assert any(told in line for line in broken(proto))


def test_a_field_may_be_added(tmp_path: Path) -> None:
    proto = tmp_path / "proto"
    shutil.copytree(repository.ROOT / "proto", proto)
    contract = proto / "wronglung" / "v1" / "alignment.proto"
    contract.write_text(contract.read_text().replace("  bytes image = 4;", "  bytes image = 4;\n  string note = 99;"))
    assert broken(proto) == []
