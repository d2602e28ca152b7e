"""Messages of a call are let go of: what the gateway holds is what it says that it holds."""

import ctypes
import gc
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import grpc.aio
import psutil
import pytest

from tests.gateway_fakes import FakeTorchServe, RunningGateway, png, request, running_gateway
from wronglung.v1 import alignment_pb2 as pb

Ask = Callable[[RunningGateway, pb.AlignRequest], Awaitable[object]]

MEGABYTES = 3 << 20
IMAGE = png() + bytes(MEGABYTES)
"""What follows the end of a PNG is not looked at."""


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[RunningGateway]:
    async with running_gateway(tmp_path, FakeTorchServe()) as running:
        yield running


@pytest.fixture
def without_collector() -> Iterator[None]:
    """In a gateway with little to do it comes by every few minutes."""
    gc.collect()
    gc.disable()
    tracemalloc.start()
    yield
    tracemalloc.stop()
    gc.enable()


def forget(front: RunningGateway) -> None:
    """The fake remembers what it was sent."""
    front.torchserve.jobs.clear()


@pytest.mark.usefixtures("without_collector")
async def test_an_answered_call_leaves_nothing_behind(front: RunningGateway) -> None:
    for _ in range(4):
        await front.stub.Align(request(image=IMAGE))
        forget(front)
    assert tracemalloc.get_traced_memory()[0] < MEGABYTES


@pytest.mark.usefixtures("without_collector")
async def test_a_stream_that_waits_for_its_next_image_does_not_hold_the_last(front: RunningGateway) -> None:
    streams = [front.stub.AlignStream() for _ in range(4)]
    for stream in streams:
        await stream.write(request("a", image=IMAGE))
        assert (await stream.read()).HasField("response")
        forget(front)
    assert tracemalloc.get_traced_memory()[0] < MEGABYTES
    for stream in streams:
        await stream.done_writing()
        assert await stream.read() is grpc.aio.EOF  # type: ignore[attr-defined]


@pytest.mark.usefixtures("without_collector")
async def test_a_message_of_megabytes_where_a_short_one_belongs_is_gone_when_it_is_refused(
    front: RunningGateway,
) -> None:
    ask = front.channel.unary_unary("/wronglung.v1.AlignmentService/ListModels")
    for _ in range(4):
        await ask(pb.AlignRequest(image=IMAGE).SerializeToString()).code()
    assert tracemalloc.get_traced_memory()[0] < MEGABYTES


async def unary(front: RunningGateway, asked: pb.AlignRequest) -> object:
    return await front.stub.Align(asked).code()


async def streamed(front: RunningGateway, asked: pb.AlignRequest) -> object:
    """One of a stream that then stays open, and is kept until the end of the test."""
    stream = front.stub.AlignStream()
    await stream.write(asked)
    await stream.read()
    return stream


@pytest.mark.parametrize("ask", [unary, streamed])
async def test_a_request_that_is_refused_leaves_nothing_behind(front: RunningGateway, ask: Ask) -> None:
    """Errors refer to the frames that they passed, and these to the request; parsed, it is in memory of C."""
    asked = request("a", image=IMAGE, model_name="no such model")
    kept = [await ask(front, asked)]
    gc.collect()
    gc.disable()
    try:
        before = in_use()
        for _ in range(24):
            kept.append(await ask(front, asked))
        assert in_use() - before < 6 * MEGABYTES  # allocators keep some for the next ones
    finally:
        gc.enable()


def in_use() -> int:
    """Bytes of memory that this process has, without what its allocator keeps for later."""
    ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss
