"""A model that fails one request after the other: a canary tells whether it is the model or what it was sent."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import grpc
import grpc.aio
import pytest

from tests.gateway_fakes import MODELS, Failure, FakeTorchServe, Job, failure_of, healthy, request, running_gateway
from wronglung.gateway.health import _DOUBTFUL, Health, Rhythm, Sign
from wronglung.gateway.metrics import Metrics
from wronglung.served import Catalogue, ServedModel
from wronglung.v1 import alignment_pb2 as pb

MODEL = MODELS[0]
DEFECT = pb.Error(code=pb.ERROR_CODE_INTERNAL, message="a defect")


async def answers_a_defect(job: Job) -> pb.AlignStreamResponse:
    return pb.AlignStreamResponse(request_id=job.context.request_id, error=DEFECT)


async def raises(_: Job) -> pb.AlignStreamResponse:
    raise Failure(grpc.StatusCode.UNAVAILABLE, "Prediction failed")


async def gives_no_map(_: Job) -> pb.AlignStreamResponse:
    return pb.AlignStreamResponse(response=pb.AlignResponse(results=[pb.SentenceResult(error=DEFECT)]))


@pytest.mark.parametrize("broken", [answers_a_defect, raises, gives_no_map])
async def test_a_model_that_only_fails_is_given_no_work_however_much_there_is_until_a_canary_succeeds(
    tmp_path: Path, broken: object
) -> None:
    async with running_gateway(tmp_path, FakeTorchServe()) as front:
        front.torchserve.behaviour = front.torchserve.canaries = broken  # type: ignore[assignment]
        stop = asyncio.Event()

        async def call_without_a_pause() -> None:
            while not stop.is_set():
                with suppress(grpc.aio.AioRpcError):
                    await front.stub.Align(request())

        callers = [asyncio.create_task(call_without_a_pause()) for _ in range(3)]
        async with asyncio.timeout(10):
            while front.health_reports[-1] != ["encoder"]:  # by which the supervisor restarts it in time
                await asyncio.sleep(0.01)
        assert len(front.torchserve.jobs) < _DOUBTFUL + len(callers)
        status, error, _ = await failure_of(front.stub.Align(request()))
        assert (status, error.code) == (grpc.StatusCode.UNAVAILABLE, pb.ERROR_CODE_MODEL_UNAVAILABLE)
        assert error.retry_after_ms > 0
        assert front.gateway.health.is_ready(MODELS[1])
        front.torchserve.behaviour = front.torchserve.canaries = healthy
        await front.ready()
        stop.set()
        await asyncio.gather(*callers)


async def test_a_caller_whose_input_alone_fails_takes_the_model_from_others_for_one_canary(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, FakeTorchServe(answers_a_defect)) as front:
        health, until = front.gateway.health, time.monotonic() + 3
        begun = ended = 0.0
        while time.monotonic() < until:
            await failure_of(front.stub.Align(request()))
            if not begun and not health.is_ready(MODEL):
                begun = time.monotonic()
            if begun and not ended and health.is_ready(MODEL):
                ended = time.monotonic()
            assert not ended or health.is_ready(MODEL)
        assert 0 < ended - begun < 2
        assert front.health_reports[-1] == []


async def test_what_waited_in_line_is_refused_when_its_turn_comes_at_a_model_in_doubt(tmp_path: Path) -> None:
    begin = asyncio.Event()

    async def fails_when_told(job: Job) -> pb.AlignStreamResponse:
        await begin.wait()
        return await answers_a_defect(job)

    async with running_gateway(tmp_path, FakeTorchServe(fails_when_told)) as front:
        gateway, at_once = front.gateway, 6  # of 8, two are kept for unary calls
        front.torchserve.canaries = raises
        streams = [asyncio.create_task(front.stream([request(str(number))])) for number in range(30)]
        async with asyncio.timeout(10):
            while gateway.metrics.waiting.labels("encoder")._value.get() < 30 - at_once:
                await asyncio.sleep(0.01)
            begin.set()
            answers = [next(iter(each.values())) for each in await asyncio.gather(*streams)]
        refused = [each.error for each in answers if each.error.code == pb.ERROR_CODE_MODEL_UNAVAILABLE]
        assert len(front.torchserve.jobs) < at_once + _DOUBTFUL
        assert len(refused) == 30 - len(front.torchserve.jobs)
        assert all(each.retry_after_ms > 0 for each in refused)
        assert gateway._service._intake.held == 0
        front.torchserve.behaviour = front.torchserve.canaries = healthy
        async with asyncio.timeout(10):
            while not gateway.health.is_ready(MODEL):
                await asyncio.sleep(0.01)
        served = await front.stream([request(str(number)) for number in range(30)])  # all room was given back
        assert all(each.HasField("response") for each in served.values())


class Model:
    """Canaries of one model, as a test wants them."""

    def __init__(self) -> None:
        self.sent = 0
        self.answers = True


@pytest.fixture
async def model() -> Model:
    return Model()


@pytest.fixture
async def health(model: Model) -> AsyncIterator[Health]:
    async def canary(_: ServedModel, timeout_s: float) -> bool:
        model.sent += 1
        return model.answers

    rhythm = Rhythm(idle_s=60, failing_s=0.01, timeout_s=1, trust_s=0.5)
    health = Health(Catalogue([MODEL]), canary, Metrics(), lambda _: None, rhythm)
    await health.start()
    while not health.is_ready(MODEL):
        await asyncio.sleep(0.01)
    yield health
    await health.drain()


def end(health: Health, *signs: Sign) -> None:
    """Requests that end so, one after the other."""
    for sign in signs:
        health.began(MODEL, patience_s=60)
        health.ended(MODEL, answered=True, sign=sign)


async def test_few_failures_or_such_with_a_success_between_raise_no_doubt(health: Health, model: Model) -> None:
    few = [Sign.FAILED] * (_DOUBTFUL - 1)
    end(health, *few, Sign.WELL, *few)
    assert health.is_ready(MODEL)
    end(health, Sign.NOTHING)  # such as a bad request
    assert health.is_ready(MODEL)
    end(health, Sign.FAILED)
    assert not health.is_ready(MODEL)


async def test_a_doubt_alone_is_no_failure_and_ends_with_a_canary_whatever_else_is_under_way(
    health: Health, model: Model
) -> None:
    health.began(MODEL, patience_s=60)
    end(health, *[Sign.FAILED] * _DOUBTFUL)
    assert not health.is_ready(MODEL)
    assert health.failing == []
    await asyncio.sleep(0.1)
    assert model.sent == 2
    assert health.is_ready(MODEL)


async def test_a_success_ends_it_too(health: Health, model: Model) -> None:
    health.began(MODEL, patience_s=60)
    end(health, *[Sign.FAILED] * _DOUBTFUL)
    health.ended(MODEL, answered=True, sign=Sign.WELL)
    assert health.is_ready(MODEL)
    end(health, *[Sign.FAILED] * _DOUBTFUL)
    assert health.is_ready(MODEL)


async def test_a_canary_that_fails_beside_real_work_does_not_make_a_doubt_a_failure(
    health: Health, model: Model
) -> None:
    model.answers = False
    health.began(MODEL, patience_s=60)
    end(health, *[Sign.FAILED] * _DOUBTFUL)
    await asyncio.sleep(0.1)
    assert model.sent > 2
    assert health.failing == []
    health.ended(MODEL, answered=True, sign=Sign.NOTHING)
    await asyncio.sleep(0.1)
    assert health.failing == ["encoder"]


async def test_once_cleared_it_is_not_doubted_again_for_a_while(health: Health, model: Model) -> None:
    end(health, *[Sign.FAILED] * _DOUBTFUL)
    await asyncio.sleep(0.1)
    end(health, *[Sign.FAILED] * 2 * _DOUBTFUL)
    assert health.is_ready(MODEL)
    await asyncio.sleep(0.6)
    end(health, Sign.FAILED)
    assert not health.is_ready(MODEL)


async def test_a_doubted_model_that_hangs_fails(health: Health, model: Model) -> None:
    model.answers = False
    health.began(MODEL, patience_s=0.2)
    for _ in range(_DOUBTFUL):
        health.began(MODEL, patience_s=0.2)
        health.ended(MODEL, answered=True, sign=Sign.FAILED)
    await asyncio.sleep(0.1)
    assert health.failing == []
    await asyncio.sleep(0.3)
    assert health.failing == ["encoder"]
