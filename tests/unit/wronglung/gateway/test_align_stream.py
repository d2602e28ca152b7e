"""AlignStream: many requests through the gateway, in front of a fake TorchServe."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.gateway_fakes import (
    MODELS,
    Failure,
    FakeTorchServe,
    Job,
    RunningGateway,
    answer,
    failure_of,
    request,
    running_gateway,
)
from tests.slow_line import slow_line
from wronglung.client.transport import open_aio_channel
from wronglung.limits import LIMITS
from wronglung.v1 import alignment_pb2 as pb
from wronglung.v1.alignment_pb2_grpc import AlignmentServiceStub


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[RunningGateway]:
    async with running_gateway(tmp_path, FakeTorchServe()) as running:
        yield running


def code_of(response: pb.AlignStreamResponse) -> str:
    return pb.ErrorCode.Name(response.error.code).removeprefix("ERROR_CODE_") if response.HasField("error") else "OK"


async def test_answers_every_request_once_under_its_own_id(front: RunningGateway) -> None:
    sent = [request(f"r{i}", sentences=["a lung"] * (1 + i % 3)) for i in range(100)]
    received = [each async for each in front.stub.AlignStream(iter(sent))]
    assert sorted(each.request_id for each in received) == sorted(each.request_id for each in sent)
    by_id = {each.request_id: each for each in received}
    assert all(len(by_id[each.request_id].response.results) == len(each.sentences) for each in sent)


async def test_a_quick_answer_overtakes_a_slow_one(front: RunningGateway) -> None:
    async def slow_first(job: Job) -> pb.AlignStreamResponse:
        await asyncio.sleep(0.3 if job.context.request_id == "slow" else 0)
        return answer(job)

    front.torchserve.behaviour = slow_first
    received = [each.request_id async for each in front.stub.AlignStream(iter([request("slow"), request("quick")]))]
    assert received == ["quick", "slow"]


async def test_one_bad_item_never_ends_the_stream(front: RunningGateway) -> None:
    answers = await front.stream(
        [
            request("good"),
            request("unknown model", model_name="other"),
            request("text", image=b"text"),
            request("many", sentences=["a lung"] * 257),
            request("also good"),
        ]
    )
    assert {each: code_of(answers[each]) for each in answers} == {
        "good": "OK",
        "unknown model": "MODEL_UNKNOWN",
        "text": "IMAGE_FORMAT_UNSUPPORTED",
        "many": "SENTENCES_TOO_MANY",
        "also good": "OK",
    }


async def test_bytes_that_are_no_request_are_answered_without_an_id(front: RunningGateway) -> None:
    call = front.channel.stream_stream("/wronglung.v1.AlignmentService/AlignStream")
    bodies = [b"\xff\xff\xff", request("good").SerializeToString()]
    received = [pb.AlignStreamResponse.FromString(each) async for each in call(iter(bodies))]
    assert sorted((each.request_id, code_of(each)) for each in received) == [("", "REQUEST_INVALID"), ("good", "OK")]


async def test_a_request_without_an_id_is_refused(front: RunningGateway) -> None:
    answers = await front.stream([request(""), request("good")])
    assert (code_of(answers[""]), answers[""].error.field) == ("REQUEST_INVALID", "request_id")
    assert code_of(answers["good"]) == "OK"


async def test_an_id_too_long_for_any_answer_comes_back_cut(front: RunningGateway) -> None:
    answers = await front.stream([request("x" * (LIMITS.answer_bytes + 100_000)), request("good")])
    assert {key: code_of(answers[key]) for key in answers} == {
        "x" * LIMITS.request_id_characters: "REQUEST_INVALID",
        "good": "OK",
    }


async def test_an_id_in_flight_is_refused_and_usable_again_once_answered(front: RunningGateway) -> None:
    release = asyncio.Event()

    async def wait(job: Job) -> pb.AlignStreamResponse:
        await release.wait()
        return answer(job)

    front.torchserve.behaviour = wait
    call = front.stub.AlignStream()
    for _ in range(2):
        await call.write(request("same"))
    assert code_of(await call.read()) == "REQUEST_INVALID"
    release.set()
    assert code_of(await call.read()) == "OK"
    await call.write(request("same"))
    assert code_of(await call.read()) == "OK"


async def test_a_dead_worker_fails_its_items_alone(front: RunningGateway) -> None:
    async def die_once(job: Job) -> pb.AlignStreamResponse:
        if job.context.request_id == "unlucky":
            raise Failure(grpc.StatusCode.INTERNAL, "Worker died.")
        return answer(job)

    front.torchserve.behaviour = die_once
    answers = await front.stream([request("before"), request("unlucky")])
    assert code_of(answers["unlucky"]) == "MODEL_UNAVAILABLE"
    assert answers["unlucky"].error.retry_after_ms > 0
    assert code_of(answers["before"]) == "OK"


async def test_a_message_over_the_transports_limit_ends_its_stream_alone(front: RunningGateway) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await front.stream([request("too long", image=bytes(LIMITS.message_bytes + 1))])
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert code_of((await front.stream([request("next")]))["next"]) == "OK"


async def test_is_held_back_instead_of_refused_when_there_is_no_room(front: RunningGateway) -> None:
    async def slowly(job: Job) -> pb.AlignStreamResponse:
        await asyncio.sleep(0.05)
        return answer(job)

    front.torchserve.behaviour = slowly
    answers = await front.stream([request(str(i)) for i in range(60)])
    assert {code_of(each) for each in answers.values()} == {"OK"}
    assert front.torchserve.most_at_work == 6  # of 8, two are kept for unary calls


async def test_streams_take_turns(front: RunningGateway) -> None:
    order: list[str] = []

    async def note(job: Job) -> pb.AlignStreamResponse:
        order.append(job.context.request_id[0])
        await asyncio.sleep(0.01)
        return answer(job)

    front.torchserve.behaviour = note
    await asyncio.gather(*(front.stream([request(f"{name}{i}") for i in range(40)]) for name in "abcd"))
    first_half = order[:80]
    assert all(first_half.count(name) > 10 for name in "abcd")


async def test_a_full_stream_leaves_room_for_unary_calls(front: RunningGateway) -> None:
    release = asyncio.Event()

    async def wait(job: Job) -> pb.AlignStreamResponse:
        if job.context.request_id.startswith("s"):
            await release.wait()
        return answer(job)

    front.torchserve.behaviour = wait
    stream = asyncio.create_task(front.stream([request(f"s{i}") for i in range(20)]))
    while front.torchserve.at_work < 6:
        await asyncio.sleep(0.01)
    assert (await front.stub.Align(request("unary"))).request_id == "unary"
    release.set()
    assert len(await stream) == 20


@pytest.mark.parametrize("timeout_s", [None, 1.0], ids=["it leaves", "its deadline passes"])
async def test_a_caller_that_goes_away_leaves_no_one_waiting_in_line(
    front: RunningGateway, timeout_s: float | None
) -> None:
    """What was not sent to TorchServe by then never is."""
    release = asyncio.Event()

    async def wait(job: Job) -> pb.AlignStreamResponse:
        await release.wait()
        return answer(job)

    front.torchserve.behaviour = wait
    gone = front.stub.AlignStream(iter([request(f"g{i}") for i in range(20)]), timeout=timeout_s)
    while front.torchserve.at_work < 6:
        await asyncio.sleep(0.01)
    if timeout_s is None:
        gone.cancel()
    assert await gone.code() in {grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED}
    await asyncio.sleep(0.1)
    release.set()
    answers = await front.stream([request(f"n{i}") for i in range(20)])
    assert len(answers) == 20
    assert sum(job.context.request_id.startswith("g") for job in front.torchserve.jobs) == 6


async def test_a_stop_finishes_what_was_taken_on_and_asks_to_send_the_rest_again(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def wait(job: Job) -> pb.AlignStreamResponse:
        await release.wait()
        return answer(job)

    async with running_gateway(tmp_path, FakeTorchServe(wait)) as front:
        call = front.stub.AlignStream()
        await call.write(request("taken on"))
        while not front.torchserve.at_work:
            await asyncio.sleep(0.01)
        stopping = asyncio.create_task(front.gateway.stop())
        await asyncio.sleep(0.1)
        release.set()
        assert (await call.read()).request_id == "taken on"
        _, error, _ = await failure_of(call.read())
        assert error.code == pb.ERROR_CODE_MODEL_UNAVAILABLE
        await stopping


async def test_answers_that_nobody_reads_hold_back_the_stream_by_their_bytes(tmp_path: Path) -> None:
    """Word maps make answers long: of those that wait for their reader no more are worked on than 8 MiB can hold."""
    long = LIMITS.answer_bytes // 2

    async def long_answer(job: Job) -> pb.AlignStreamResponse:
        response = answer(job)
        response.response.model.weights_digest = "x" * long
        return response

    wordy = {"sentences": ["a b c d e f g h"] * 12, "options": pb.AlignOptions(word_maps=True)}
    model = dataclasses.replace(MODELS[0], grid_rows=60, grid_cols=60)
    async with (
        running_gateway(tmp_path, FakeTorchServe(long_answer), [model], drain_s=0.5) as front,
        slow_line(front.target, 1) as target,
        open_aio_channel(target, None) as channel,
    ):
        stub: Any = AlignmentServiceStub(channel)  # type: ignore[no-untyped-call]
        call = stub.AlignStream(iter([request(str(i), **wordy) for i in range(30)]))
        await asyncio.sleep(1.5)
        assert 2 <= len(front.torchserve.jobs) <= 5
        await front.stub.Align(request("others are served"))
        call.cancel()


async def test_answers_that_are_read_hold_nothing_back(tmp_path: Path) -> None:
    wordy = {"sentences": ["a b c d e f g h"] * 12, "options": pb.AlignOptions(word_maps=True)}
    model = dataclasses.replace(MODELS[0], grid_rows=60, grid_cols=60)
    async with running_gateway(tmp_path, FakeTorchServe(), [model]) as front:
        assert len(await front.stream([request(str(i), **wordy) for i in range(40)])) == 40
