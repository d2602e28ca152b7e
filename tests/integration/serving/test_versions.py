"""Two versions of a model behind the real TorchServe, and a default that rolls forward and back under load."""

import io
import json
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from PIL import Image

from tests.serving import Instance, fake_home, random_store, serving
from wronglung.v1 import alignment_pb2 as pb

pytestmark = [pytest.mark.integration, pytest.mark.skipif(sys.platform != "linux", reason="processes of Linux")]

CALLERS = 4
PATIENCE_S = 30.0


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("versions") / "default"
    path.write_text("encoder 1.0\n")
    return path


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory, default: Path) -> Iterator[Instance]:
    """A server of both versions. Everything is real but the engine."""
    store = random_store(tmp_path_factory.mktemp("store"))
    shutil.copytree(store / "encoder", store / "encoder@1.1")
    config = store / "encoder@1.1" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"version": "1.1"}))
    home = fake_home(tmp_path_factory.mktemp("home"))
    with serving(store, ["encoder", "encoder@1.1"], f"--default-versions={default}", environment=home) as instance:
        yield instance


def request(version: str = "") -> pb.AlignRequest:
    buffer = io.BytesIO()
    Image.new("L", (64, 64), 90).save(buffer, "PNG")
    return pb.AlignRequest(
        model_name="encoder", model_version=version, image=buffer.getvalue(), sentences=["There is an effusion."]
    )


def answered_by(stub: Any, version: str = "") -> str:
    return str(stub.Align(request(version), timeout=PATIENCE_S).model.version)


def test_a_caller_gets_the_version_that_it_names(two: Instance) -> None:
    with two.stub() as stub:
        assert [answered_by(stub, version) for version in ("1.0", "1.1", "")] == ["1.0", "1.1", "1.0"]


def test_the_default_rolls_forward_and_back_and_no_request_is_lost(two: Instance, default: Path) -> None:
    stop = threading.Event()

    def go_on(stub: Any) -> Counter[str]:
        answers = Counter[str]()
        while not stop.is_set():
            answers[answered_by(stub)] += 1
        return answers

    def roll_to(version: str, stub: Any) -> None:
        default.write_text(f"encoder {version}\n")
        deadline = time.monotonic() + PATIENCE_S
        while answered_by(stub) != version:
            assert time.monotonic() < deadline

    with two.stub() as stub, ThreadPoolExecutor(CALLERS) as threads:
        callers = [threads.submit(go_on, stub) for _ in range(CALLERS)]
        try:
            for version in ("1.1", "1.0", "1.1", "1.0"):
                roll_to(version, stub)
        finally:
            stop.set()
        answers = sum((caller.result() for caller in callers), Counter[str]())  # raises what any of them met
    assert set(answers) == {"1.0", "1.1"}
    assert two.say().count('"message": "default versions changed"') == 4


def test_a_default_that_is_not_served_ends_the_start_with_the_reason(two: Instance, tmp_path: Path) -> None:
    wrong = tmp_path / "default"
    wrong.write_text("encoder 9.9\n")
    with serving(two.store, ["encoder"], f"--default-versions={wrong}", wait=False) as instance:
        assert instance.process.wait(PATIENCE_S) == 2
        assert "encoder 9.9" in instance.say()


def test_the_log_of_a_call_names_the_version(two: Instance) -> None:
    with two.stub() as stub, pytest.raises(grpc.RpcError):
        stub.Align(request("9.9"), timeout=PATIENCE_S)
    lines = [json.loads(line) for line in two.say().splitlines() if '"wronglung.audit"' in line]
    assert {model for line in lines for model in line["models"]} == {"encoder 1.0", "encoder 1.1"}
