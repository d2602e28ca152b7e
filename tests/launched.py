"""Two processes of PyTorch's launcher that speak to each other on this machine."""

import os
import subprocess
import sys

from tests import repository


def run_in_two_processes(*arguments: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
    """Run a script or ``-m module`` by torchrun; nothing leaves the loopback interface."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    here = ["--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0", "--local-addr", "127.0.0.1"]
    environment = {
        **os.environ,
        "GLOO_SOCKET_IFNAME": "lo",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(repository.ROOT),
    }
    return subprocess.run(
        [*launcher, *here, *arguments],
        cwd=repository.ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
