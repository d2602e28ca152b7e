"""The committed stubs are what the proto files say, and the proto files keep to the rules of their kind."""

import subprocess
import sys
from pathlib import Path

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
