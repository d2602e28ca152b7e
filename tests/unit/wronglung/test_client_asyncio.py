"""Specification of the asyncio client, against a gRPC server in this process."""

import asyncio
import threading
import time
from collections.abc import Iterator

import grpc
import pytest

from tests.client_fakes import FAST, Service, abort, items, serving, unavailable
from wronglung import errors
from wronglung.alignment import Alignment
from wronglung.client import AlignItem, AsyncAlignmentClient


async def test_the_asyncio_client_does_the_same() -> None:
    service = Service(1, unavailable)
    with serving(service) as target:
        async with AsyncAlignmentClient(target, retry=FAST) as client:
            assert (await client.align(b"image", ["one"])).maps.shape == (1, 2, 2)
            assert [model.identity.name for model in await client.models()] == ["encoder"]
            bad = AlignItem("bad", b"", ["one"])
            answers = {key: value async for key, value in client.stream([*items(9), bad], window=3)}
    assert isinstance(answers["bad"], errors.ImageEmpty)
    assert len(answers) == 10


async def test_an_asyncio_stream_waits_while_the_server_is_full() -> None:
    service = Service(2 * FAST.attempts + 1, lambda context: abort(context, errors.Overloaded("full")))
    with serving(service) as target:
        async with AsyncAlignmentClient(target, retry=FAST) as client:
            answers = {key: value async for key, value in client.stream(items(2), window=1)}
    assert all(isinstance(each, Alignment) for each in answers.values())
    assert len(answers) == 2


async def test_the_asyncio_client_comes_when_it_was_told_to_until_there_is_room() -> None:
    service = Service(3 * FAST.attempts, lambda context: abort(context, errors.Overloaded("full", retry_after_ms=5)))
    with serving(service) as target:
        async with AsyncAlignmentClient(target, retry=FAST) as client:
            assert (await client.align(b"image", ["one"])).maps.shape == (1, 2, 2)
    assert service.calls == 3 * FAST.attempts + 1


async def test_an_asyncio_stream_heeds_advice_that_goes_beyond_its_deadline() -> None:
    service = Service(1, lambda context: abort(context, errors.Overloaded("full", retry_after_ms=400)))
    began_s = time.monotonic()
    with serving(service) as target:
        async with AsyncAlignmentClient(target, retry=FAST, timeout_s=0.3) as client:
            answers = {key: value async for key, value in client.stream(items(1))}
    assert isinstance(answers["r0"], Alignment)
    assert service.calls == 2
    assert time.monotonic() - began_s > 0.4


async def test_an_asyncio_stream_does_not_wait_for_ever_with_a_message_that_is_too_large() -> None:
    with serving(Service()) as target:
        async with AsyncAlignmentClient(target, retry=FAST) as client:
            large = AlignItem("large", bytes(5 << 20), ["one"])
            async with asyncio.timeout(10):
                answers = {key: value async for key, value in client.stream([large, *items(1)])}
    assert isinstance(answers["large"], errors.RequestInvalid)
    assert isinstance(answers["r0"], Alignment)


async def test_an_asyncio_stream_draws_no_more_than_its_window() -> None:
    drawn = 0

    def source() -> Iterator[AlignItem]:
        nonlocal drawn
        for item in items(30):
            drawn += 1
            yield item

    with serving(Service()) as target:
        async with AsyncAlignmentClient(target) as client:
            done = 0
            async for _ in client.stream(source(), window=3):
                assert drawn <= done + 3
                done += 1
    assert done == 30


async def test_an_asyncio_stream_answers_before_the_next_item_comes() -> None:
    answered = threading.Event()

    def source() -> Iterator[AlignItem]:
        first, second = items(2)
        yield first
        assert answered.wait(10), "the first answer did not come before the second item"
        yield second

    with serving(Service()) as target:
        async with AsyncAlignmentClient(target) as client:
            async for request_id, _ in client.stream(source(), window=4):
                if request_id == "r0":
                    answered.set()


async def test_what_the_source_of_an_asyncio_stream_raises_reaches_the_caller() -> None:
    def source() -> Iterator[AlignItem]:
        yield items(1)[0]
        raise OSError("disk")

    with serving(Service()) as target:
        async with AsyncAlignmentClient(target) as client:
            with pytest.raises(OSError, match="disk"):
                [each async for each in client.stream(source())]


async def test_an_asyncio_stream_without_window_is_refused() -> None:
    async with AsyncAlignmentClient("127.0.0.1:1") as client:
        with pytest.raises(ValueError, match="window"):
            await anext(client.stream(items(1), window=0))


async def test_an_asyncio_channel_can_be_brought_and_stays_open() -> None:
    with serving(Service()) as target:
        async with grpc.aio.insecure_channel(target) as channel:
            for _ in range(2):
                async with AsyncAlignmentClient("unused:1", channel=channel) as client:
                    assert (await client.align(b"image", ["one"])).maps.shape == (1, 2, 2)
