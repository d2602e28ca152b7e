"""What reaches TorchServe, and what does not."""

import asyncio
import time
from typing import Any, cast

import pytest

from tests.gateway_fakes import MODELS, Job, answer, request
from wronglung.envelope import RequestContext
from wronglung.errors import DeadlineExceeded, ModelUnavailable, Overloaded
from wronglung.gateway.call import Call
from wronglung.gateway.health import _DOUBTFUL, Health, Sign
from wronglung.gateway.intake import Intake
from wronglung.gateway.metrics import Metrics
from wronglung.gateway.pipeline import Checked, Pipeline
from wronglung.gateway.upstream import TorchServeClient
from wronglung.served import Catalogue, ServedModel
from wronglung.tracing import Untraced
from wronglung.v1 import alignment_pb2 as pb
from wronglung.wire import error_to_pb

MODEL = MODELS[0]


class Recorder:
    """In the place of TorchServe: notes what arrives, and answers it."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.left_undone = 0
        """So many requests it does nothing for, as the handler does beside damaged images."""

    async def predict(self, model: str, version: str, body: bytes, context: RequestContext, timeout_s: float) -> bytes:
        self.jobs.append(Job(model, version, body, context))
        if len(self.jobs) <= self.left_undone:
            error = error_to_pb(Overloaded("damaged images took its time", retry_after_ms=1000))
            return pb.AlignStreamResponse(request_id=context.request_id, error=error).SerializeToString()
        return answer(self.jobs[-1]).SerializeToString()


class Bench:
    """A pipeline before a recorder, with a model that is ready."""

    def __init__(self) -> None:
        async def canary(model: ServedModel, timeout_s: float) -> bool:
            raise AssertionError("health was not started")

        self.torchserve, self.intake = Recorder(), Intake()
        catalogue, metrics = Catalogue([MODEL]), Metrics()
        self.health = Health(catalogue, canary, metrics, lambda _: None)
        upstream = cast(TorchServeClient, self.torchserve)
        self.pipeline = Pipeline(catalogue, upstream, self.health, metrics, Untraced())
        self.health.began(MODEL, patience_s=60)
        self.health.ended(MODEL, answered=True, sign=Sign.WELL)

    async def checked(self, deadline_s: float | None) -> Checked:
        """A request that passed every check, whose caller waits until then on the monotonic clock."""
        asked = request("a")
        message = await self.intake.hold(asked.SerializeToString())
        return await self.pipeline.check(message, asked, MODEL, Call("Align", "a", deadline_s), "a")

    async def sent(self, deadline_s: float | None) -> Any:
        checked = await self.checked(deadline_s)
        return await self.pipeline.dispatch(checked, self.pipeline.admit_now(checked))


async def test_a_request_whose_deadline_passed_while_it_waited_for_room_is_not_sent() -> None:
    bench = Bench()
    with pytest.raises(DeadlineExceeded, match="before the work was begun"):
        await bench.sent(time.monotonic() - 0.001)
    assert bench.torchserve.jobs == []
    assert bench.intake.held == 0
    assert bench.health.is_ready(MODEL)


@pytest.mark.parametrize("left_s", [60.0, None])
async def test_one_that_has_time_is(left_s: float | None) -> None:
    bench = Bench()
    deadline = None if left_s is None else time.monotonic() + left_s
    assert (await bench.sent(deadline)).HasField("response")
    assert [job.context.deadline_monotonic_s for job in bench.torchserve.jobs] == [deadline]
    assert bench.intake.held == 0


@pytest.mark.parametrize("sign", [Sign.DOWN, Sign.FAILED], ids=["down", "in doubt"])
async def test_whose_turn_comes_when_the_model_is_no_longer_ready_is_refused_and_leaves_its_place(sign: Sign) -> None:
    bench = Bench()
    checked = [await bench.checked(None) for _ in range(9)]
    places = [await bench.pipeline.admit_in_turn(each) for each in checked[:6]]
    waiting = [asyncio.create_task(bench.pipeline.admit_in_turn(each)) for each in checked[6:]]
    await asyncio.sleep(0)
    for _ in range(_DOUBTFUL):
        bench.health.began(MODEL, patience_s=60)
        bench.health.ended(MODEL, answered=True, sign=sign)
    admission = bench.pipeline._admissions[MODEL]
    latency_s = admission._latency_s
    places.pop().leave(None)
    for each in waiting:
        with pytest.raises(ModelUnavailable, match="not ready") as refused:
            await each
        assert refused.value.retry_after_ms > 0
    assert admission.load.requests == len(places)
    assert admission._latency_s == latency_s  # no request was done in no time
    assert bench.torchserve.jobs == []


async def test_what_was_left_undone_beside_damaged_images_is_sent_again() -> None:
    bench = Bench()
    bench.torchserve.left_undone = 1
    assert (await bench.sent(time.monotonic() + 60)).HasField("response")
    assert len(bench.torchserve.jobs) == 2


async def test_what_is_left_undone_twice_is_told_when_to_come_again() -> None:
    bench = Bench()
    bench.torchserve.left_undone = 9
    told = await bench.sent(time.monotonic() + 60)
    assert (told.error.code, told.error.retry_after_ms) == (pb.ERROR_CODE_OVERLOADED, 1000)
    assert len(bench.torchserve.jobs) == 2
    assert bench.intake.held == 0


async def test_what_has_no_time_to_be_sent_again_is_told_while_its_caller_waits() -> None:
    bench = Bench()
    bench.torchserve.left_undone = 1
    told = await bench.sent(time.monotonic() + 0.9)
    assert told.error.code == pb.ERROR_CODE_OVERLOADED
    assert len(bench.torchserve.jobs) == 1


def test_a_model_that_nobody_asked_yet_is_shown_at_rest() -> None:
    """Those who scale by it would take it for lost."""
    metrics = Metrics()
    Pipeline(Catalogue([MODEL]), cast(Any, None), cast(Any, None), metrics, Untraced())
    assert [sample.value for sample in next(iter(metrics.in_flight.collect())).samples] == [0]
