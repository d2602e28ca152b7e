"""A real `wronglung serve` in a process of its own, for integration tests."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import psutil

from tests.repository import ROOT
from wronglung.model.random_model import create_random_model
from wronglung.v1.alignment_pb2_grpc import AlignmentServiceStub

SERVE = [sys.executable, "-c", "import sys; from wronglung.cli import main; sys.exit(main())", "serve"]
STARTUP_S = 200.0
"""Twenty times what a start takes on an idle machine."""
_READY = re.compile(r"ready on (\S+), metrics on (\S+)")


@dataclass
class Instance:
    """One running `wronglung serve`."""

    process: "subprocess.Popen[bytes]"
    log: Path
    store: Path
    models: tuple[str, ...]
    target: str = ""
    metrics_url: str = ""
    family: set[psutil.Process] = field(default_factory=set)

    def say(self) -> str:
        """What it has written to standard error so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def await_ready(self, times: int = 1) -> None:
        """Wait until it says for the given time that it is ready."""
        deadline = time.monotonic() + STARTUP_S
        while len(found := _READY.findall(self.say())) < times:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"wronglung serve did not become ready:\n{self.say()}")
            time.sleep(0.05)
        self.target, self.metrics_url = found[-1]
        self.remember_family()

    def remember_family(self) -> None:
        """Take note of every process that belongs to it now."""
        parent = psutil.Process(self.process.pid)
        self.family |= {parent, *parent.children(recursive=True)}

    def part(self, sign: str) -> list[psutil.Process]:
        """Its living processes whose command line holds `sign`, oldest first."""
        parent = psutil.Process(self.process.pid)
        found = [child for child in parent.children(recursive=True) if sign in " ".join(command_of(child))]
        self.remember_family()
        return sorted(found, key=lambda child: child.pid)

    @property
    def java(self) -> psutil.Process:
        """TorchServe's Java."""
        return next(p for p in self.part("org.pytorch.serve.ModelServer") if "guard" not in " ".join(command_of(p)))

    @property
    def workers(self) -> list[psutil.Process]:
        """TorchServe's Python workers."""
        return self.part("model_service_worker.py")

    @property
    def gateway(self) -> psutil.Process:
        """The gateway."""
        return self.part("wronglung.gateway")[0]

    @property
    def guard(self) -> psutil.Process:
        """Java's guard."""
        return self.part("wronglung.supervisor.guard")[0]

    def survivors(self, within_s: float = 15.0) -> set[psutil.Process]:
        """Processes that ever belonged to it and are still there after so long."""
        _, alive = psutil.wait_procs(list(self.family), timeout=within_s)
        return {each for each in alive if each.status() != psutil.STATUS_ZOMBIE}

    @contextmanager
    def stub(self) -> Iterator[AlignmentServiceStub]:
        """A gRPC stub on the gateway."""
        with grpc.insecure_channel(self.target, options=[("grpc.max_receive_message_length", -1)]) as channel:
            yield AlignmentServiceStub(channel)


def command_of(process: psutil.Process) -> list[str]:
    """The command line of a process; nothing of one that has just ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def random_store(directory: Path) -> Path:
    """A model store with two tiny models of random weights."""
    for name in ("encoder", "encoder-optout"):
        create_random_model(directory / name, opt_out=name == "encoder-optout")
    return directory


def fake_home(directory: Path) -> dict[str, str]:
    """An environment in which `wronglung serve` runs `fake_alignment_handler` in the place of the real one."""
    (directory / "handlers").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "fake_alignment_handler.py", directory / "handlers" / "alignment_handler.py")
    (directory / "deploy").symlink_to(ROOT / "deploy")
    return {"WRONGLUNG_HOME": str(directory)}


@contextmanager
def serving(
    store: Path, models: Sequence[str], *flags: str, environment: Mapping[str, str] = {}, wait: bool = True
) -> Iterator[Instance]:
    """A server on free ports; whatever is left of it in the end is killed."""
    with tempfile.TemporaryDirectory(prefix="wronglung-test-") as directory:
        log = Path(directory, "stderr")
        command = [*SERVE, "--models", *models, "--model-store", str(store), "--port", "0", *flags]
        with log.open("wb") as stderr:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, env=os.environ | environment)
        instance = Instance(process, log, store, tuple(models))
        try:
            if wait:
                instance.await_ready()
            yield instance
        finally:
            stop(instance)


def stop(instance: Instance) -> None:
    """SIGTERM, patience, then SIGKILL to everything that is left."""
    if instance.process.poll() is None:
        instance.remember_family()
        instance.process.terminate()
        try:
            instance.process.wait(30)
        except subprocess.TimeoutExpired:
            instance.process.kill()
    for each in instance.survivors():
        each.kill()
    instance.process.wait()
    if instance.process.stdout is not None:
        instance.process.stdout.close()
