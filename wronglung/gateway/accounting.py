"""One line in the books per request, whatever became of it."""

import logging
import time

from wronglung.envelope import is_late
from wronglung.errors import DeadlineExceeded, InternalError, WronglungError
from wronglung.gateway.metrics import UNKNOWN_MODEL, Metrics

_log = logging.getLogger(__name__)


class Record:
    """One request from its arrival to its answer.

    Args:
        metrics: where to count.
        method: "Align" or "AlignStream".
        deadline_s: when the caller stops waiting, on the monotonic clock; None: never.
        request_id: stands for the request in the logs until its own id is known.
    """

    def __init__(self, metrics: Metrics, method: str, deadline_s: float | None, request_id: str = "") -> None:
        self._metrics = metrics
        self._method = method
        self._deadline_s = deadline_s
        self._started = time.monotonic()
        self.request_id = request_id
        self.model = UNKNOWN_MODEL

    def close(self, code: str = "OK") -> None:
        """The request was answered by this code."""
        seconds = time.monotonic() - self._started
        self._metrics.requests.labels(self.model, self._method, code).inc()
        self._metrics.request_seconds.labels(self.model, self._method).observe(seconds)

    def close_abandoned(self) -> None:
        """The caller waits no longer: because its deadline has passed, or of its own accord."""
        self.close(DeadlineExceeded.code if is_late(self._deadline_s) else "CANCELLED")

    def close_failed(self, error: BaseException) -> WronglungError:
        """The request failed; returns the error to answer by. A defect of the gateway is logged and hidden."""
        if not isinstance(error, WronglungError):
            _log.error("request failed", exc_info=error, extra={"request_id": self.request_id})
            error = InternalError(f"the server failed; its log has the details under {self.request_id!r}")
        elif isinstance(error, InternalError):
            _log.error("model failed", extra={"request_id": self.request_id, "model": self.model, "error": str(error)})
        self.close(error.code)
        return error
