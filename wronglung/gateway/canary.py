"""The smallest real request: a canary that shows whether a model answers."""

import logging
import time
import uuid
from io import BytesIO

from PIL import Image

from wronglung.envelope import RequestContext
from wronglung.errors import WronglungError
from wronglung.gateway.metrics import Metrics
from wronglung.gateway.pipeline import parse_answer
from wronglung.gateway.upstream import TorchServeClient
from wronglung.served import ServedModel
from wronglung.v1 import alignment_pb2 as pb

_SENTENCE = "The lungs are clear."
_log = logging.getLogger(__name__)


class Canary:
    """Sends canaries straight to TorchServe, past admission.

    Args:
        upstream: TorchServe.
        metrics: where to count.
    """

    def __init__(self, upstream: TorchServeClient, metrics: Metrics) -> None:
        self._upstream = upstream
        self._metrics = metrics
        self._image = _tiny_image()

    async def send(self, model: ServedModel, timeout_s: float) -> bool:
        """Whether the model answers within `timeout_s` seconds."""
        code = await self._outcome(model, timeout_s)
        self._metrics.canaries.labels(model.label, code).inc()
        return code == "OK"

    async def _outcome(self, model: ServedModel, timeout_s: float) -> str:
        request = pb.AlignRequest(model_name=model.name, image=self._image, sentences=[_SENTENCE])
        context = RequestContext(f"canary-{uuid.uuid4().hex}", deadline_monotonic_s=time.monotonic() + timeout_s)
        try:
            body = request.SerializeToString()
            answer = await self._upstream.predict(model.name, model.version, body, context, timeout_s)
            response = parse_answer(answer, context.request_id)
        except WronglungError as error:
            _log.debug("canary failed", extra={"model": model.label, "error": str(error)})
            return error.code
        failed = _first_error(response)
        if failed is None:
            return "OK"
        _log.warning("canary answered by an error", extra={"model": model.label, "error": failed.message})
        return pb.ErrorCode.Name(failed.code)


def _first_error(answer: pb.AlignStreamResponse) -> pb.Error | None:
    """What went wrong with the whole or with its sentence, if anything did."""
    if answer.HasField("error"):
        return answer.error
    return next((result.error for result in answer.response.results if result.HasField("error")), None)


def _tiny_image() -> bytes:
    buffer = BytesIO()
    Image.new("L", (32, 32), 128).save(buffer, "PNG")
    return buffer.getvalue()
