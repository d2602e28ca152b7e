"""The real TorchServe by itself: no gateway, no supervisor, and a handler of the test's own."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import psutil

from tests.repository import ROOT
from tests.serving import command_of, random_store
from wronglung.archives import build_archives
from wronglung.served import MODELS_FILE
from wronglung.supervisor.java import find_java
from wronglung.supervisor.ports import free_ports
from wronglung.supervisor.torchserve import TorchServe
from wronglung.torchserve.inference_pb2 import PredictionResponse, PredictionsRequest

SERVICE = "/org.pytorch.serve.grpc.inference.InferenceAPIsService"
PATIENCE_S = 90.0


@dataclass
class BareTorchServe:
    """One that runs, with the model "encoder"."""

    torchserve: TorchServe
    java: psutil.Process
    channel: grpc.Channel

    @property
    def models(self) -> Path:
        """The table of its models, for a gateway."""
        return self.torchserve.archives / MODELS_FILE

    @property
    def predict(self) -> Any:
        return self.channel.unary_unary(
            f"{SERVICE}/Predictions", PredictionsRequest.SerializeToString, PredictionResponse.FromString
        )

    @property
    def stream(self) -> Any:
        return self.channel.unary_stream(
            f"{SERVICE}/StreamPredictions", PredictionsRequest.SerializeToString, PredictionResponse.FromString
        )

    def ping(self) -> bytes:
        """What it says of its health: a message with one string."""
        return bytes(self.channel.unary_unary(f"{SERVICE}/Ping")(b"", timeout=10))

    @property
    def workers(self) -> list[int]:
        """Process ids of its workers."""
        found = self.java.children(recursive=True)
        return [each.pid for each in found if "model_service_worker" in " ".join(command_of(each))]

    def log(self) -> str:
        """The ends of its logs."""
        return self.torchserve.last_words()


OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_reconnect_backoff_ms", 200)]


def eventually(condition: Callable[[], Any], seconds: float = PATIENCE_S) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


@contextmanager
def bare_torchserve(directory: Path, handler: Path, environment: dict[str, str]) -> Iterator[BareTorchServe]:
    """One that has been started, though its workers may not be there yet."""
    home = directory / "home"
    (home / "handlers").mkdir(parents=True)
    shutil.copy(handler, home / "handlers" / "alignment_handler.py")
    (home / "deploy").symlink_to(ROOT / "deploy")
    archives = directory / "archives"
    build_archives(["encoder"], random_store(directory / "store"), archives, home)
    torchserve = TorchServe(directory / "t", home, find_java(), archives, ("encoder",), *free_ports(3), threads=1)
    torchserve.prepare()
    with (torchserve.logs / "console.log").open("wb") as console:
        process = subprocess.Popen(
            torchserve.command(),
            stdout=console,
            stderr=console,
            cwd=torchserve.directory,
            env=torchserve.environment() | environment,
            start_new_session=True,
        )
    try:
        with grpc.insecure_channel(torchserve.target, options=OPTIONS) as channel:
            grpc.channel_ready_future(channel).result(PATIENCE_S)
            yield BareTorchServe(torchserve, psutil.Process(process.pid), channel)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
