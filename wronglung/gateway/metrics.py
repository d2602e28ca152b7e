"""Every metric of the gateway, declared once. Times are in seconds."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_SENTENCES = (1, 2, 4, 8, 16, 32, 64, 128, 256)

UNKNOWN_MODEL = "unknown"
"""Label of requests that name no served model: callers must not be able to create time series."""


class Metrics:
    """The gateway's metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "wronglung_requests",
            "Requests, by outcome: OK, CANCELLED (by the caller) or the name of an ErrorCode.",
            ["model", "method", "code"],
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "wronglung_request_seconds",
            "From the arrival of a request to its answer, by outcome as wronglung_requests.",
            ["model", "method", "code"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.queue_seconds = Histogram(
            "wronglung_queue_seconds",
            "How long a request of a stream waited to be admitted.",
            ["model"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.torchserve_seconds = Histogram(
            "wronglung_torchserve_seconds",
            "How long TorchServe took: its queue, decoding and inference.",
            ["model"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.sentences = Histogram(
            "wronglung_request_sentences",
            "Sentences in a request that was admitted.",
            ["model"],
            buckets=_SENTENCES,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "wronglung_in_flight_requests", "Requests at TorchServe now.", ["model"], registry=self.registry
        )
        self.waiting = Gauge(
            "wronglung_waiting_streams", "Streams whose next request waits now.", ["model"], registry=self.registry
        )
        self.ready = Gauge(
            "wronglung_model_ready", "1 if the model answers, else 0.", ["model"], registry=self.registry
        )
        self.default_version = Gauge(
            "wronglung_default_version",
            "1 for the version of a model that callers get who name none, else 0.",
            ["model", "version"],
            registry=self.registry,
        )
        self.canaries = Counter(
            "wronglung_canaries",
            "Canary requests sent to a model, by outcome.",
            ["model", "code"],
            registry=self.registry,
        )
        self.refused_callers = Counter(
            "wronglung_refused_callers", "Calls without a token that is known.", registry=self.registry
        )
        self.lost_log_lines = Counter(
            "wronglung_lost_log_lines",
            "Lines of the gateway's log, audit lines among them, that nothing took: its disk is full.",
            registry=self.registry,
        )
        self.reloads = Counter(
            "wronglung_reloads",
            "Changes of the files of certificates or tokens, by outcome: OK or failed.",
            ["subject", "outcome"],
            registry=self.registry,
        )
        self.reload_failing = Gauge(
            "wronglung_reload_failing",
            "1 while the files of certificates or tokens cannot be used and what was read before is in force, else 0.",
            ["subject"],
            registry=self.registry,
        )
        self.certificate_expiry = Gauge(
            "wronglung_certificate_expiry_timestamp_seconds",
            "When the certificate that is in force expires, in seconds since 1970.",
            ["subject"],
            registry=self.registry,
        )
