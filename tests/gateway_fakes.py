"""A TorchServe without Java or models, and a gateway in front of it, both in the test's own process."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.rpc import error_details_pb2, status_pb2
from PIL import Image

from wronglung.client.transport import open_aio_channel
from wronglung.envelope import CONTEXT_ENTRY, REQUEST_ENTRY, RequestContext
from wronglung.gateway.metrics import Metrics
from wronglung.gateway.server import Gateway, Settings
from wronglung.served import MODELS_FILE, ServedModel, write_models
from wronglung.torchserve.inference_pb2 import PredictionResponse, PredictionsRequest
from wronglung.torchserve.inference_pb2_grpc import add_InferenceAPIsServiceServicer_to_server
from wronglung.v1 import alignment_pb2 as pb
from wronglung.v1.alignment_pb2_grpc import AlignmentServiceStub

MODELS = tuple(
    ServedModel(name, "1.0", "ab" * 32, name == "encoder-optout", 19, 19, 224, 224, max_word_pieces=97)
    for name in ("encoder", "encoder-optout")
)
CANARY = "canary-"


def png(width: int = 8, height: int = 8) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (width, height), 100).save(buffer, "PNG")
    return buffer.getvalue()


def request(request_id: str = "", **fields: Any) -> pb.AlignRequest:
    """A good request, unless `fields` spoil it."""
    good = {"model_name": "encoder", "image": png(), "sentences": ["The left lung is clear."]}
    return pb.AlignRequest(request_id=request_id, **(good | fields))


@dataclass(frozen=True)
class Job:
    """One request as it reached TorchServe."""

    model: str
    version: str
    body: bytes
    context: RequestContext

    @property
    def is_canary(self) -> bool:
        return self.context.request_id.startswith(CANARY)


class Failure(Exception):
    """Makes the fake TorchServe end a call by a status."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code, self.details = code, details


def answer(job: Job) -> pb.AlignStreamResponse:
    """What a healthy handler answers."""
    results = [pb.SentenceResult(alignment=pb.SentenceAlignment())] * len(
        pb.AlignRequest.FromString(job.body).sentences
    )
    response = pb.AlignResponse(request_id=job.context.request_id, results=results, deterministic=True)
    return pb.AlignStreamResponse(request_id=job.context.request_id, response=response)


Behaviour = Callable[[Job], Awaitable[pb.AlignStreamResponse]]


async def healthy(job: Job) -> pb.AlignStreamResponse:
    return answer(job)


@dataclass
class FakeTorchServe:
    """Answers by `behaviour`, canaries by `canaries`; remembers what it was sent."""

    behaviour: Behaviour = healthy
    canaries: Behaviour = healthy
    jobs: list[Job] = field(default_factory=list)
    at_work: int = 0
    most_at_work: int = 0

    async def Predictions(self, envelope: PredictionsRequest, context: Any) -> PredictionResponse:
        entries = envelope.input
        job = Job(
            envelope.model_name,
            envelope.model_version,
            entries[REQUEST_ENTRY],
            RequestContext.from_bytes(entries[CONTEXT_ENTRY]),
        )
        try:
            if job.is_canary:
                return PredictionResponse(prediction=(await self.canaries(job)).SerializeToString())
            return PredictionResponse(prediction=(await self._work(job)).SerializeToString())
        except Failure as failure:
            await context.abort(failure.code, failure.details)
            raise

    async def _work(self, job: Job) -> pb.AlignStreamResponse:
        self.jobs.append(job)
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            return await self.behaviour(job)
        finally:
            self.at_work -= 1

    @asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncIterator[str]:
        """Serve on a port, by default any free one; gives the address."""
        server = grpc.aio.server()
        add_InferenceAPIsServiceServicer_to_server(self, server)
        port = server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            await server.stop(None)


@dataclass
class RunningGateway:
    """A gateway, the fake behind it and a stub in front of it."""

    gateway: Gateway
    torchserve: FakeTorchServe
    channel: grpc.aio.Channel
    metrics_url: str
    health_reports: list[list[str]]
    target: str

    @property
    def stub(self) -> Any:
        return AlignmentServiceStub(self.channel)

    async def ready(self) -> None:
        """Wait until every model answers its canaries."""
        async with asyncio.timeout(10):
            while not self.health_reports or self.health_reports[-1]:
                await asyncio.sleep(0.01)

    async def stream(self, requests: Sequence[pb.AlignRequest], **options: Any) -> dict[str, pb.AlignStreamResponse]:
        """Send all over one stream; answers by id."""
        return {each.request_id: each async for each in self.stub.AlignStream(iter(requests), **options)}


@asynccontextmanager
async def running_gateway(
    directory: Path,
    torchserve: FakeTorchServe,
    models: Sequence[ServedModel] = MODELS,
    *,
    drain_s: float = 5.0,
    credentials: grpc.ChannelCredentials | None = None,
    **settings: Any,
) -> AsyncIterator[RunningGateway]:
    """A gateway on a free port in front of a fake TorchServe, with every model ready; plaintext without credentials."""
    write_models(models, directory)
    reports: list[list[str]] = []
    async with torchserve.listening() as target:
        gateway_settings = Settings(directory / MODELS_FILE, target, port=0, drain_s=drain_s, **settings)
        gateway = Gateway(gateway_settings, on_health=lambda failing: reports.append(list(failing)), metrics=Metrics())
        port, metrics_port = await gateway.start()
        metrics_url = f"http://127.0.0.1:{metrics_port}/metrics"
        target = f"127.0.0.1:{port}"
        async with open_aio_channel(target, credentials) as channel:
            running = RunningGateway(gateway, torchserve, channel, metrics_url, reports, target)
            await running.ready()
            try:
                yield running
            finally:
                await gateway.stop()


async def failure_of(call: Awaitable[Any]) -> tuple[grpc.StatusCode, pb.Error, status_pb2.Status]:
    """How a unary call fails: its code, the contract's `Error` and the whole status."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        trailers = dict(error.trailing_metadata() or ())
        status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
        detail = pb.Error()
        assert status.details[0].Unpack(detail)
        return error.code(), detail, status
    raise AssertionError("the call succeeded")


def retry_delay_ms(status: status_pb2.Status) -> int:
    """The advice in a status when to retry."""
    info = error_details_pb2.RetryInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    return info.retry_delay.ToMilliseconds()
