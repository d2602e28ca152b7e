"""The processes of a server are known by their command lines."""

import sys

import pytest

from benchmarks.service.served import role_of

PYTHON = sys.executable


@pytest.mark.parametrize(
    ("command", "role"),
    [
        ([PYTHON, "-m", "wronglung.cli", "serve", "--port", "0"], "supervisor"),
        ([PYTHON, "-m", "wronglung.supervisor.guard", "d", "30", "java", "org.pytorch.serve.ModelServer"], "guard"),
        ([PYTHON, "-m", "wronglung.supervisor.guard", "d", "30", PYTHON, "-m", "wronglung.plain", "f"], "guard"),
        (["java", "-cp", "ts/frontend/*", "org.pytorch.serve.ModelServer"], "java"),
        ([PYTHON, "ts/model_service_worker.py", "--sock-type", "unix"], "worker"),
        ([PYTHON, "-m", "wronglung.plain", "plain.json"], "backend"),
        ([PYTHON, "-c", "from multiprocessing.spawn import spawn_main; spawn_main()"], "worker"),
        ([PYTHON, "-m", "wronglung.gateway", "--models=m.json"], "gateway"),
        (["sh"], "other"),
    ],
)
def test_each_part_is_recognised(command: list[str], role: str) -> None:
    assert role_of(command) == role
