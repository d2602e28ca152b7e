"""One TorchServe instance: its settings, its command line, its environment, its logs."""

import os
import string
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from wronglung.limits import LIMITS
from wronglung.supervisor.backend import python_path
from wronglung.supervisor.said import last_words, setup_failure, tail
from wronglung.supervisor.stages import said_by_model, stages

_ENVELOPE_BYTES = 1024 * 1024
_LONGEST_SOCKET_PATH = 100  # the kernel's limit is 107 characters
_GIVE_MEMORY_BACK = ("-XX:+IgnoreUnrecognizedVMOptions", "-XX:TrimNativeHeapInterval=60000")
"""Each minute. Java's compiler takes up to 15 MiB for a method, hours after the start, too, and the C library keeps
part of it each time (docs/decisions/0124). An older Java that does not know of the option goes without."""


@dataclass(frozen=True, slots=True)
class TorchServe:
    """What one instance needs. Its directory is private: settings, sockets, unpacked models and logs lie in it."""

    directory: Path
    home: Path
    java: Path
    archives: Path
    models: tuple[str, ...]
    """Labels of the models: a name, or name@version where several versions are served."""
    grpc_port: int
    grpc_management_port: int
    metrics_port: int
    threads: int
    heap_mb: int = 1024
    name: str = "TorchServe"

    @property
    def target(self) -> str:
        """Where it listens for the gateway."""
        return f"127.0.0.1:{self.grpc_port}"

    @property
    def metrics_url(self) -> str:
        """Its own page of metrics."""
        return f"http://127.0.0.1:{self.metrics_port}/metrics"

    @property
    def logs(self) -> Path:
        """The folder of its logs."""
        return self.directory / "logs"

    def prepare(self) -> None:
        """Write the settings and create the folders.

        Raises:
            ValueError: the directory's path is too long for the sockets in it, or its file system lets nothing run.
        """
        if len(os.fsencode(self.directory)) + len("/management.sock") > _LONGEST_SOCKET_PATH:
            raise ValueError(f"the path {self.directory} is too long for sockets: set TMPDIR to a shorter one")
        self.logs.mkdir(parents=True, exist_ok=True)
        if os.statvfs(self.directory).f_flag & getattr(os, "ST_NOEXEC", 0):  # Java unpacks a library for sockets there
            raise ValueError(f"{self.directory} is mounted with noexec: set TMPDIR to another folder")
        template = string.Template((self.home / "deploy/torchserve/config.properties").read_text(encoding="utf-8"))
        self._settings.write_text(template.substitute(self._substitutions()), encoding="utf-8")

    @property
    def _settings(self) -> Path:
        return self.directory / "config.properties"

    def _substitutions(self) -> dict[str, object]:
        return {
            "directory": self.directory,
            "archives": self.archives,
            "load_models": ",".join(f"{label.partition('@')[0]}={label}.mar" for label in self.models),
            "grpc_port": self.grpc_port,
            "grpc_management_port": self.grpc_management_port,
            "metrics_port": self.metrics_port,
            "metrics_config": self.home / "deploy/torchserve/metrics.yaml",
            "max_request_bytes": LIMITS.message_bytes + _ENVELOPE_BYTES,
        }

    def command(self) -> list[str]:
        """Java itself, not the `torchserve` launcher: that one detaches, keeps one pid file per machine, and does not
        hand on SIGTERM.
        """
        packages = _site_packages()
        return [
            str(self.java),
            f"-Xmx{self.heap_mb}m",
            "-XX:+ExitOnOutOfMemoryError",
            *_GIVE_MEMORY_BACK,
            f"-Djava.io.tmpdir={self.directory}",
            f"-Dmodel_server_home={packages}",
            f"-Dlog4j.configurationFile={(self.home / 'deploy/torchserve/log4j2.xml').as_uri()}",
            "-cp",
            str(packages / "ts" / "frontend" / "*"),
            "org.pytorch.serve.ModelServer",
            "--python",
            sys.executable,
            "-f",
            str(self._settings),
            "-ncs",
        ]

    def environment(self) -> dict[str, str]:
        """The environment of Java, which its Python workers inherit."""
        return os.environ | {
            "PYTHONPATH": python_path(),
            "TEMP": str(self.directory),
            "LOG_LOCATION": str(self.logs),
            "METRICS_LOCATION": str(self.logs),
            "OMP_NUM_THREADS": str(self.threads),
            "TORCHINDUCTOR_CACHE_DIR": str(self.directory / "inductor"),  # torch makes it, and would leave it behind
        }

    def setup_failure(self) -> str | None:
        """The model that a worker could not serve, and why; None if there is none."""
        return setup_failure(said_by_model(tail(self.logs / "model_log.log"), self.models))

    def stages(self) -> dict[str, str]:
        """What each model is at while they start, in words."""
        return stages(tail(self.logs / "model_log.log"), self.models)

    def last_words(self) -> str:
        """The ends of its logs, for an error message."""
        return last_words([self.logs / name for name in ("console.log", "ts_log.log", "model_log.log")])


def threads_per_worker(workers: int, cores: int | None = None) -> int:
    """How many threads each worker computes with, so that all workers together fill the cores (at least 1)."""
    return max(1, (cores or available_cores()) // max(1, workers))


def available_cores(quota_file: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Cores that this process may use, by its affinity and, in a container, by the quota of its control group."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not quota_file.exists():
        return cores
    quota, period = quota_file.read_text().split()
    return cores if quota == "max" else max(1, min(cores, int(quota) // int(period)))


def _site_packages() -> Path:
    spec = find_spec("ts")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("torchserve is not installed: install wronglung with the extra 'serve'")
    return Path(spec.origin).parents[1]
