"""The real gateway in front of a TorchServe without Java or models, in a process of its own: ``python -m
tests.served_fake FOLDER`` prints the address and serves until its standard input ends. Maps depend on model, image and
text alone."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.gateway_fakes import FakeTorchServe, Job, running_gateway
from tests.harness_fakes import align
from tests.repository import ROOT
from wronglung.client import AlignItem
from wronglung.v1 import alignment_pb2 as pb
from wronglung.wire import response_from_alignment

WORK_S = 0.04
"""How long the fake takes for a request."""


async def behave(job: Job) -> pb.AlignStreamResponse:
    await asyncio.sleep(WORK_S)
    request = pb.AlignRequest.FromString(job.body)
    item = AlignItem(job.context.request_id, request.image, list(request.sentences), job.model)
    response = response_from_alignment(align(item), item.request_id)
    return pb.AlignStreamResponse(request_id=item.request_id, response=response)


async def _serve(folder: Path) -> None:
    async with running_gateway(folder, FakeTorchServe(behave)) as running:
        sys.stdout.write(f"{running.target}\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of one that runs while the block lasts."""
    command = [sys.executable, "-m", "tests.served_fake", str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        target = process.stdout.readline().strip()
        assert target, "the fake server did not start"
        yield target
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1])))
