"""Readiness: canaries where there is nothing else to go by, real successes where there is."""

import asyncio
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from tests.gateway_fakes import (
    MODELS,
    Failure,
    FakeTorchServe,
    Job,
    RunningGateway,
    failure_of,
    healthy,
    request,
    running_gateway,
)
from wronglung.gateway.health import SERVICE, Health, Rhythm
from wronglung.gateway.metrics import Metrics
from wronglung.gateway.service import Most
from wronglung.served import Catalogue, ServedModel
from wronglung.v1 import alignment_pb2 as pb

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
QUICK = Rhythm(idle_s=0.2, failing_s=0.01, timeout_s=1)


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[RunningGateway]:
    async with running_gateway(tmp_path, FakeTorchServe()) as running:
        yield running


async def status(front: RunningGateway, service: str) -> Any:
    response = await health_pb2_grpc.HealthStub(front.channel).Check(health_pb2.HealthCheckRequest(service=service))
    return response.status


async def dead(_: Job) -> pb.AlignStreamResponse:
    raise Failure(grpc.StatusCode.INTERNAL, "Worker died.")


async def test_every_model_and_the_whole_are_serving_once_their_canaries_were_answered(front: RunningGateway) -> None:
    assert front.health_reports[0] == ["encoder", "encoder-optout"]
    for service in ("", SERVICE, f"{SERVICE}/encoder", f"{SERVICE}/encoder-optout"):
        assert await status(front, service) == SERVING


async def test_a_model_that_is_not_served_is_not_found(front: RunningGateway) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await status(front, f"{SERVICE}/other")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_dead_model_is_not_ready_until_a_canary_succeeds_again(front: RunningGateway) -> None:
    front.torchserve.behaviour = front.torchserve.canaries = dead
    await failure_of(front.stub.Align(request(model_name="encoder")))
    assert await status(front, f"{SERVICE}/encoder") == NOT_SERVING
    assert await status(front, f"{SERVICE}/encoder-optout") == SERVING
    assert await status(front, "") == NOT_SERVING
    _, error, _ = await failure_of(front.stub.Align(request(model_name="encoder")))
    assert error.code == pb.ERROR_CODE_MODEL_UNAVAILABLE
    assert len(front.torchserve.jobs) == 1  # the second was not sent to a model known to be dead
    front.torchserve.canaries = FakeTorchServe().canaries
    await front.ready()
    assert await status(front, f"{SERVICE}/encoder") == SERVING


async def test_a_model_whose_canary_gets_no_map_is_not_ready(front: RunningGateway) -> None:
    tried = asyncio.Semaphore(0)

    async def without_map(job: Job) -> pb.AlignStreamResponse:
        tried.release()
        failed = pb.SentenceResult(error=pb.Error(code=pb.ERROR_CODE_INTERNAL, message="no number"))
        return pb.AlignStreamResponse(response=pb.AlignResponse(results=[failed]))

    front.torchserve.behaviour, front.torchserve.canaries = dead, without_map
    await failure_of(front.stub.Align(request(model_name="encoder")))
    async with asyncio.timeout(10):
        for _ in range(3):
            await tried.acquire()
    assert await status(front, f"{SERVICE}/encoder") == NOT_SERVING


async def test_a_bad_request_says_nothing_of_the_models_health(front: RunningGateway) -> None:
    async def corrupt(job: Job) -> pb.AlignStreamResponse:
        return pb.AlignStreamResponse(error=pb.Error(code=pb.ERROR_CODE_IMAGE_CORRUPT, message="cut off"))

    front.torchserve.behaviour = corrupt
    await failure_of(front.stub.Align(request()))
    assert await status(front, f"{SERVICE}/encoder") == SERVING


@pytest.mark.parametrize("most", [Most(calls=6), Most(streams=6)], ids=["calls", "streams"])
async def test_a_server_full_of_calls_refuses_more_and_still_looks_well(tmp_path: Path, most: Most) -> None:
    async with running_gateway(tmp_path, FakeTorchServe(), most=most) as front:
        streams = [front.stub.AlignStream() for _ in range(3)]
        for stream in streams:
            await stream.write(request("a"))
            await stream.read()
        too_many = [front.stub.AlignStream().read(), *([front.stub.Align(request())] if most.calls == 6 else [])]
        for one_too_many in too_many:
            code, error, _ = await failure_of(one_too_many)
            assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert error.code == pb.ERROR_CODE_OVERLOADED
            assert error.retry_after_ms > 0
        assert await status(front, SERVICE) == SERVING
        assert len((await front.stub.ListModels(pb.ListModelsRequest())).models) == 2
        for stream in streams:
            await stream.done_writing()
            assert await stream.read() is grpc.aio.EOF
        assert (await front.stub.Align(request("b"))).request_id == "b"


async def test_list_models_describes_what_is_served(front: RunningGateway) -> None:
    front.torchserve.behaviour = front.torchserve.canaries = dead
    await failure_of(front.stub.Align(request(model_name="encoder-optout")))
    listed = (await front.stub.ListModels(pb.ListModelsRequest())).models
    assert [(m.identity.name, m.ready, m.has_opt_out) for m in listed] == [
        ("encoder", True, False),
        ("encoder-optout", False, True),
    ]
    assert {(m.grid_rows, m.grid_cols, m.frame_width, m.frame_height, m.max_word_pieces) for m in listed} == {
        (19, 19, 224, 224, 97)
    }


async def test_reflection_knows_the_contract(front: RunningGateway) -> None:
    call = reflection_pb2_grpc.ServerReflectionStub(front.channel).ServerReflectionInfo
    asked = [reflection_pb2.ServerReflectionRequest(list_services="")]
    (reply,) = [each async for each in call(iter(asked))]
    names = {service.name for service in reply.list_services_response.service}
    assert names >= {SERVICE, "grpc.health.v1.Health"}


async def test_a_stop_reports_not_serving_before_it_refuses_anything(tmp_path: Path) -> None:
    async with running_gateway(tmp_path, FakeTorchServe()) as front:
        watch = health_pb2_grpc.HealthStub(front.channel).Watch(health_pb2.HealthCheckRequest(service=""))
        assert (await watch.read()).status == SERVING
        stopping = asyncio.create_task(front.gateway.stop())
        assert (await watch.read()).status == NOT_SERVING
        watch.cancel()
        await stopping


async def test_a_worker_that_hangs_turns_its_model_unready_and_later_calls_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(_: Job) -> pb.AlignStreamResponse:
        await asyncio.sleep(60)
        raise AssertionError

    monkeypatch.setattr("wronglung.gateway.load._SHORTEST_PATIENCE_S", 0.3)
    monkeypatch.setattr("wronglung.gateway.load._SECONDS_PER_UNIT", 0.0)
    async with running_gateway(tmp_path, FakeTorchServe(hang), drain_s=0.1) as front:
        hanging = front.stub.Align(request())
        async with asyncio.timeout(5):
            while front.health_reports[-1] != ["encoder"]:
                await asyncio.sleep(0.01)
        assert await status(front, f"{SERVICE}/encoder") == NOT_SERVING
        _, error, _ = await failure_of(front.stub.Align(request()))
        assert error.code == pb.ERROR_CODE_MODEL_UNAVAILABLE
        assert len(front.torchserve.jobs) == 1
        hanging.cancel()


async def test_a_watcher_that_fails_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(model: ServedModel, timeout_s: float) -> bool:
        raise ZeroDivisionError

    health = Health(Catalogue(MODELS[:1]), broken, Metrics(), lambda _: None, QUICK)
    await health.start()
    await asyncio.sleep(0.05)
    await health.drain()
    assert "not watched any longer" in caplog.text
    assert "ZeroDivisionError" in caplog.text


async def test_a_model_whose_worker_says_it_must_be_replaced_is_not_ready_until_a_canary_succeeds(
    front: RunningGateway,
) -> None:
    async def exhausted(job: Job) -> pb.AlignStreamResponse:
        error = pb.Error(code=pb.ERROR_CODE_MODEL_UNAVAILABLE, message="replaced: try again", retry_after_ms=1000)
        return pb.AlignStreamResponse(request_id=job.context.request_id, error=error)

    front.torchserve.behaviour = exhausted
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await front.stub.Align(request())
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert not front.gateway.health.is_ready(MODELS[0])
    front.torchserve.behaviour = healthy
    async with asyncio.timeout(5):
        while not front.gateway.health.is_ready(MODELS[0]):
            await asyncio.sleep(0.01)


async def test_metrics_count_requests_by_model_method_and_code(front: RunningGateway) -> None:
    await front.stub.Align(request())
    await front.stream([request("a"), request("b", image=b"text"), request("c", model_name="nobody knows this")])
    page = await asyncio.to_thread(lambda: urllib.request.urlopen(front.metrics_url).read().decode())
    for line in (
        'wronglung_requests_total{code="OK",method="Align",model="encoder"} 1.0',
        'wronglung_requests_total{code="OK",method="AlignStream",model="encoder"} 1.0',
        'wronglung_requests_total{code="ERROR_CODE_IMAGE_FORMAT_UNSUPPORTED",method="AlignStream",model="encoder"} 1.0',
        'wronglung_requests_total{code="ERROR_CODE_MODEL_UNKNOWN",method="AlignStream",model="unknown"} 1.0',
        'wronglung_model_ready{model="encoder"} 1.0',
        'wronglung_in_flight_requests{model="encoder"} 0.0',
        'wronglung_request_sentences_count{model="encoder"} 2.0',
    ):
        assert line in page
    assert "nobody knows this" not in page


async def counted(front: RunningGateway, method: str, code: str) -> float:
    """How many requests to the model "encoder" ended like this."""
    page = await asyncio.to_thread(lambda: urllib.request.urlopen(front.metrics_url).read().decode())
    start = f'wronglung_requests_total{{code="{code}",method="{method}",model="encoder"}} '
    return sum(float(line.removeprefix(start)) for line in page.splitlines() if line.startswith(start))


@pytest.mark.parametrize(("timeout_s", "code"), [(0.3, "ERROR_CODE_DEADLINE_EXCEEDED"), (60.0, "CANCELLED")])
async def test_metrics_tell_a_deadline_that_passed_from_a_caller_who_left(
    front: RunningGateway, timeout_s: float, code: str
) -> None:
    async def forever(_: Job) -> pb.AlignStreamResponse:
        await asyncio.sleep(60)
        raise AssertionError

    front.torchserve.behaviour = forever
    unary = front.stub.Align(request("unary"), timeout=timeout_s)
    stream = front.stub.AlignStream(iter([request(f"s{i}") for i in range(6)]), timeout=timeout_s)
    async with asyncio.timeout(5):
        while len(front.torchserve.jobs) < 6:  # five of the stream, whose sixth waits for room
            await asyncio.sleep(0.01)
    if code == "CANCELLED":
        unary.cancel()
        stream.cancel()
    async with asyncio.timeout(10):
        while (await counted(front, "Align", code), await counted(front, "AlignStream", code)) != (1, 6):
            await asyncio.sleep(0.05)


async def test_a_watch_that_nobody_reads_delays_no_other(front: RunningGateway) -> None:
    stuck = asyncio.Event()

    async def take_nothing(_: object) -> None:
        await stuck.wait()

    board = front.gateway.health.board
    blocked = asyncio.create_task(board.follow(lambda: SERVING, take_nothing))
    watch = health_pb2_grpc.HealthStub(front.channel).Watch(health_pb2.HealthCheckRequest())
    assert (await watch.read()).status == SERVING
    async with asyncio.timeout(2):
        front.torchserve.behaviour = front.torchserve.canaries = dead
        await failure_of(front.stub.Align(request()))
        assert (await watch.read()).status == NOT_SERVING
        assert await status(front, "") == NOT_SERVING
        await front.gateway.health.drain()
    assert not blocked.done()
    stuck.set()
    board.end_watches()


async def test_watches_are_bounded_and_a_check_is_always_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wronglung.gateway.server._WATCHES", 6)
    async with running_gateway(tmp_path, FakeTorchServe()) as front:
        stub = health_pb2_grpc.HealthStub(front.channel)
        watches = [stub.Watch(health_pb2.HealthCheckRequest()) for _ in range(3)]  # half: all of them are one caller's
        for watch in watches:
            assert (await watch.read()).status == SERVING
        code, error, _ = await failure_of(stub.Watch(health_pb2.HealthCheckRequest()).read())
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert error.retry_after_ms > 0
        assert await status(front, "") == SERVING
        watches[0].cancel()
        await asyncio.sleep(0.1)
        assert (await stub.Watch(health_pb2.HealthCheckRequest()).read()).status == SERVING
