"""The backend's gRPC service: TorchServe's `Predictions`, and nothing else of it."""

import asyncio
from typing import Any

import grpc
import grpc.aio

from wronglung.limits import LIMITS
from wronglung.plain.pool import WorkerDied, Workers
from wronglung.plain.reports import Page
from wronglung.plain.settings import PlainSettings
from wronglung.torchserve.inference_pb2 import PredictionResponse, PredictionsRequest
from wronglung.torchserve.inference_pb2_grpc import (
    InferenceAPIsServiceServicer,
    add_InferenceAPIsServiceServicer_to_server,
)

_ENVELOPE_BYTES = 1024 * 1024
_LONGEST_S = 3600.0
"""To finish at a stop; the guard that started this process has less patience."""
_OPTIONS = [
    ("grpc.so_reuseport", 0),
    ("grpc.max_receive_message_length", LIMITS.message_bytes + _ENVELOPE_BYTES),
    ("grpc.max_send_message_length", -1),
]


class PlainService(InferenceAPIsServiceServicer):
    """Hands requests to workers, in the words of TorchServe where it fails: the gateway knows those."""

    def __init__(self, workers: dict[tuple[str, str], Workers], page: Page) -> None:
        self._workers = workers
        self._page = page

    async def Predictions(
        self, request: PredictionsRequest, context: "grpc.aio.ServicerContext[Any, Any]"
    ) -> PredictionResponse:
        """One request, to one model in one version."""
        workers = self._workers.get((request.model_name, request.model_version))
        if workers is None:
            await context.abort(grpc.StatusCode.INTERNAL, "Model not found")
        try:
            answer = await workers.answer(dict(request.input))
        except WorkerDied:
            await context.abort(grpc.StatusCode.INTERNAL, "Worker died.")
        self._page.add(answer.reports)
        return PredictionResponse(prediction=answer.body)


class PlainServer:
    """A backend: its workers and the port it listens on, once they have loaded their models."""

    def __init__(self, settings: PlainSettings) -> None:
        self._settings = settings
        self.page = Page(settings.metrics)
        self._workers = {(model.name, model.version): Workers(settings, model) for model in settings.models}
        self._server: grpc.aio.Server | None = None

    async def start(self) -> None:
        """Load the models, then listen.

        Raises:
            WorkerDied: one cannot be loaded.
            RuntimeError: the port is taken.
        """
        await asyncio.gather(*(workers.start() for workers in self._workers.values()))
        # Not before: a server of gRPC that is never started crashes the process when it is thrown away.
        self._server = grpc.aio.server(options=_OPTIONS)
        add_InferenceAPIsServiceServicer_to_server(  # type: ignore[no-untyped-call]
            PlainService(self._workers, self.page), self._server
        )
        self._server.add_insecure_port(f"127.0.0.1:{self._settings.port}")
        await self._server.start()

    async def stop(self) -> None:
        """Answer what was taken on, then end."""
        if self._server is not None:
            await self._server.stop(_LONGEST_S)
        for workers in self._workers.values():
            workers.stop()
