"""The handler of TorchServe, and of the plain backend: decode → engine → encode.

Four verbs, `set_up`, `decode`, `predict` and `encode`, do the work and know nothing of TorchServe; `initialize` and
`handle` are what it calls. Every request of a batch is answered by its own serialised `AlignStreamResponse`, a result
or an error: one exception would fail the whole batch, and over gRPC no other status reaches the caller.
"""

import dataclasses
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SETUP_FAILED = "WRONGLUNG SET-UP FAILED"
"""Printed when the model cannot be served; the supervisor looks for it so that a start fails at once."""
STAGE = "WRONGLUNG STAGE"
"""Printed before the name of a step of the set-up, so that a start can say what it waits for."""

try:
    import numpy.typing as npt
    import psutil
    import torch
    from google.protobuf.message import DecodeError

    from wronglung import wire
    from wronglung.ahead import one_ahead
    from wronglung.alignment import Alignment
    from wronglung.defects import where
    from wronglung.envelope import CONTEXT_ENTRY, REQUEST_ENTRY, RequestContext
    from wronglung.errors import (
        RETRY_MS,
        AnswerTooLarge,
        DeadlineExceeded,
        InternalError,
        ModelUnavailable,
        RequestInvalid,
        WronglungError,
    )
    from wronglung.images.allowance import Allowance
    from wronglung.limits import LIMITS
    from wronglung.memory import can_have
    from wronglung.model import AlignmentModel, load_model
    from wronglung.model.cache import CacheFigures
    from wronglung.model.compute import ComputeConfig, compute_config
    from wronglung.tracing import Tracer, Untraced, open_tracer
    from wronglung.v1 import alignment_pb2 as pb
except ImportError as error:  # TorchServe would take it for "no such handler" and look for one of its own
    raise RuntimeError(f"{SETUP_FAILED}: this worker cannot import what it needs: {error}") from error

_log = logging.getLogger("wronglung.handler")

Decoded = tuple[pb.AlignRequest, npt.NDArray[Any]]
Entry = tuple[bytes | bytearray, RequestContext]

_BREATH_BYTES = 64 << 20
"""What a worker must still be able to get from the system. Without it, good images look damaged and answers fail."""
_MOST_DECODERS = 4
"""Images of one batch that are decoded at the same time, where all of them are computed together."""

_HISTOGRAMS = ("decode_seconds", "inference_seconds", "encode_seconds", "batch_size")
_COUNTERS = ("cache_hits_total", "cache_misses_total", "cache_evictions_total")
_GAUGES = ("cache_bytes", "memory_bytes")


class AlignmentHandler:
    """Serves one model in one worker process, one call at a time."""

    def __init__(self) -> None:
        self.model: AlignmentModel
        self._meters: dict[str, Any] = {}
        self._caches: dict[str, CacheFigures] = {}
        self._decode_s: list[float] = []
        self._predict_s = self._encode_s = 0.0
        self._decoders = _decoders()
        self._allowance = Allowance()
        self._tracer: Tracer = Untraced()
        self._exhausted = False

    # The four verbs.

    def set_up(self, directory: Path, name: str, version: str, device: str, compute: ComputeConfig) -> None:
        """Load the model from its files, to be served under a name and version, and warm it up; see `load_model`."""
        _begin("reads its weights")
        self.model = load_model(directory, device, name=name, version=version, **compute.model_dump())
        _begin("warms up")
        self.model.warm_up()
        _begin("gives its first answer")

    def decode(self, body: bytes | bytearray) -> Decoded:
        """Read a request and the pixels of its image.

        Raises:
            WronglungError: the request or its image is at fault, or images beside it were.
        """
        try:
            request = pb.AlignRequest.FromString(bytes(body))
        except DecodeError as error:
            raise RequestInvalid("the message is not an AlignRequest") from error
        return request, self._allowance.decode(request.image)

    def predict(self, batch: Sequence[Decoded]) -> list[Alignment]:
        """Compute the maps of one or more requests."""
        return self.model.align(
            [pixels for _, pixels in batch],
            [list(request.sentences) for request, _ in batch],
            word_maps=any(request.options.word_maps for request, _ in batch),
        )

    def encode(self, outcome: Alignment | WronglungError, request_id: str, word_maps: bool = False) -> bytes:
        """Write one answer."""
        if isinstance(outcome, WronglungError):
            return pb.AlignStreamResponse(request_id=request_id, error=wire.error_to_pb(outcome)).SerializeToString()
        wanted = outcome if word_maps else dataclasses.replace(outcome, word_maps=None)
        response = wire.response_from_alignment(wanted, request_id)
        answer = pb.AlignStreamResponse(request_id=request_id, response=response).SerializeToString()
        if len(answer) > LIMITS.answer_bytes:
            too_large = AnswerTooLarge(f"the answer would pass {LIMITS.answer_bytes} bytes: ask for fewer word maps")
            return self.encode(too_large, request_id)
        return answer

    # TorchServe.

    def initialize(self, context: Any) -> None:
        """Set up. TorchServe calls this once, in a fresh process."""
        logging.getLogger().setLevel(logging.WARNING)  # TorchServe prints a line per request otherwise
        logging.getLogger("ts.metrics.caching_metric").setLevel(logging.INFO)  # metrics travel as lines, too
        settings = context.model_yaml_config or {}
        torch.set_num_threads(_threads(settings))
        try:
            self._tracer = open_tracer("wronglung-handler")
            self.find_meters(context)
            self.set_up(
                Path(context.system_properties["model_dir"]),
                str(context.model_name),
                str(context.manifest["model"]["modelVersion"]),
                _device(context.system_properties.get("gpu_id")),
                compute_config(settings, "model-config.yaml"),
            )
        except Exception as error:
            raise RuntimeError(f"{SETUP_FAILED}: {error}") from error

    def find_meters(self, context: Any) -> None:
        """Find the metrics that `metrics.yaml` declares for us; what is missing there is an error now, not later."""
        kinds = {"histogram": _HISTOGRAMS, "counter": _COUNTERS, "gauge": _GAUGES}
        self._meters = {
            name: context.metrics.get_metric(f"wronglung_handler_{name}", _kind(kind))
            for kind, names in kinds.items()
            for name in names
        }

    def handle(self, data: Sequence[Mapping[str, Any]], context: Any) -> list[bytes]:
        """Answer a batch; never raises, for one item or for all.

        A worker that ran out of memory before ends here: TorchServe starts another one, and the gateway, which has sent
        a canary, tells callers that they may try again.
        """
        if self._exhausted:
            os._exit(1)
        for index in range(len(data)):  # without it, a streaming call would kill the worker
            context.set_response_header(index, "ts_stream_next", "false")
        self._decode_s, self._predict_s, self._encode_s, self._allowance = [], 0.0, 0.0, Allowance()
        entries = [_open(entry) for entry in data]
        try:
            answers = self._answer_all(entries)
        except Exception as error:  # of no item: no thread could be started, say
            answers = [self._encode(self._judged(error, each.request_id), each) for _, each in entries]
            self._decoders.shutdown(cancel_futures=True)  # else what waits would go on into the next batch
            self._decoders = _decoders()
        self._report_unless_it_fails(context, len(data))
        return answers

    def _answer_all(self, entries: Sequence[Entry]) -> list[bytes]:
        if len(entries) == 1:
            return [self._answer(entries[0], partial(self._decode, entries[0]))]
        if self.model.deterministic:
            return self._answer_in_turn(entries)
        return self._answer_together(entries)

    def _answer_in_turn(self, entries: Sequence[Entry]) -> list[bytes]:
        """One after the other; while one is computed, the image of the next is decoded."""
        decoded = one_ahead(self._decoders, self._decode, entries)
        return [self._answer(entry, result) for entry, result in zip(entries, decoded, strict=True)]

    def _answer(self, entry: Entry, decoded: Callable[[], Decoded]) -> bytes:
        fit = self._fit(entry, decoded)
        if isinstance(fit, WronglungError):
            return self._encode(fit, entry[1])
        try:
            (alignment,) = self._predict([fit], [entry[1]])
        except Exception as error:
            return self._encode(self._judged(error, entry[1].request_id), entry[1])
        return self._write(entry, fit, alignment)

    def _fit(self, entry: Entry, decoded: Callable[[], Decoded]) -> Decoded | WronglungError:
        """What is to be computed; or what is answered instead, where it could not be decoded, or not in time."""
        _, context = entry
        try:
            fit = decoded()
            _refuse_expired(context)
        except Exception as error:
            return self._judged(error, context.request_id)
        return fit

    def _write(self, entry: Entry, decoded: Decoded, alignment: Alignment) -> bytes:
        (_, context), (request, _) = entry, decoded
        try:
            return self._encode(alignment, context, request.options.word_maps)
        except Exception as error:
            return self._encode(self._judged(error, context.request_id), context)

    def _judged(self, error: Exception, request_id: str) -> WronglungError:
        """What to answer for an item that failed. Without memory a failure says nothing of the item, whatever it is."""
        if not can_have(_BREATH_BYTES):
            _log.error("this worker is out of memory and will end: %s", where(error))
            self._exhausted = True
            return ModelUnavailable(
                "the model's worker ran out of memory and is replaced: try again", retry_after_ms=RETRY_MS
            )
        if isinstance(error, WronglungError):
            return error
        _log.error("request %s failed: %s", request_id, where(error))
        return InternalError(f"the server failed on this request; its log has the details under {request_id!r}")

    def _answer_together(self, entries: Sequence[Entry]) -> list[bytes]:
        """One pass through the model for all that are fit for it; the others are told what is wrong with them."""
        decoding = [self._decoders.submit(self._decode, entry) for entry in entries]
        wait(decoding)  # for all, whatever fails: none may go on into the next batch
        fit = [self._fit(entry, each.result) for entry, each in zip(entries, decoding, strict=True)]
        together = [(entry, each) for entry, each in zip(entries, fit, strict=True) if isinstance(each, tuple)]
        answers = iter(self._compute_together(together) if together else [])
        return [
            self._encode(each, context) if isinstance(each, WronglungError) else next(answers)
            for (_, context), each in zip(entries, fit, strict=True)
        ]

    def _compute_together(self, fit: Sequence[tuple[Entry, Decoded]]) -> list[bytes]:
        """Their answers. If anything is wrong with computing them together, each is computed alone."""
        try:
            alignments = self._predict([decoded for _, decoded in fit], [context for (_, context), _ in fit])
            return [
                self._write(entry, decoded, alignment)
                for (entry, decoded), alignment in zip(fit, alignments, strict=True)
            ]
        except Exception:  # whatever it is, it comes up again, with a name, when its own request is answered
            return [self._answer(entry, partial(_same, decoded)) for entry, decoded in fit]

    def _decode(self, entry: Entry) -> Decoded:
        body, context = entry
        _refuse_expired(context)
        started = time.perf_counter()
        try:
            with self._tracer.span("decode", context.trace):
                decoded = self.decode(body)
        except Exception as error:  # judged now: when it is answered, there may be memory again
            raise self._judged(error, context.request_id) from error
        self._decode_s.append(time.perf_counter() - started)  # from several threads
        return decoded

    def _predict(self, batch: Sequence[Decoded], contexts: Sequence[RequestContext]) -> list[Alignment]:
        started = time.perf_counter()
        with ExitStack() as spans:
            for context in contexts:
                span = spans.enter_context(self._tracer.span("inference", context.trace))
                span.set({"wronglung.batch_size": len(batch)})
            alignments = self.predict(batch)
        self._predict_s += time.perf_counter() - started
        return alignments

    def _encode(self, outcome: Alignment | WronglungError, context: RequestContext, word_maps: bool = False) -> bytes:
        started = time.perf_counter()
        answer = self.encode(outcome, context.request_id, word_maps)
        self._encode_s += time.perf_counter() - started
        return answer

    def _report_unless_it_fails(self, context: Any, batch_size: int) -> None:
        """The answers are made: nothing that goes wrong here may take them from their callers."""
        try:
            self._report(context, batch_size)
        except Exception as error:
            _log.error("the figures of a batch are lost: %s", where(error))

    def _report(self, context: Any, batch_size: int) -> None:
        """Hand the figures of one batch to TorchServe; each costs a line on the worker's standard output."""
        name = str(context.model_name)
        self._meters["decode_seconds"].add_or_update(sum(self._decode_s), [name])
        self._meters["inference_seconds"].add_or_update(self._predict_s, [name])
        self._meters["encode_seconds"].add_or_update(self._encode_s, [name])
        self._meters["batch_size"].add_or_update(batch_size, [name])
        caches = self.model.caches()
        for cache, now in caches.items():
            self._report_cache([name, cache], now, self._caches.get(cache, CacheFigures(0, 0, 0, 0)))
        self._caches = caches
        self._meters["memory_bytes"].add_or_update(psutil.Process().memory_info().rss, [name])

    def _report_cache(self, labels: list[str], now: CacheFigures, before: CacheFigures) -> None:
        """What changed since the batch before. Of what stayed the same nothing is said: a line would be in vain."""
        for figure in ("hits", "misses", "evictions"):
            if more := getattr(now, figure) - getattr(before, figure):
                self._meters[f"cache_{figure}_total"].add_or_update(more, labels)
        if now.bytes != before.bytes:
            self._meters["cache_bytes"].add_or_update(now.bytes, labels)


def _decoders() -> ThreadPoolExecutor:
    """Its threads are started when there is work for them."""
    return ThreadPoolExecutor(_MOST_DECODERS, "decoder")


def _begin(stage: str) -> None:
    """Tell the supervisor; a worker's standard output goes into a log that it reads."""
    sys.stdout.write(f"{STAGE}: {stage}\n")
    sys.stdout.flush()


def _open(entry: Mapping[str, Any]) -> Entry:
    """Request and context. What did not come from the gateway becomes an empty request, to be refused by its own."""
    try:
        return entry[REQUEST_ENTRY], RequestContext.from_bytes(entry[CONTEXT_ENTRY])
    except (KeyError, ValueError):
        return b"", RequestContext("")


def _kind(name: str) -> Any:
    """A kind of metric as TorchServe has it; where TorchServe is not installed, another server takes the name."""
    if find_spec("ts") is None:
        return name
    from ts.metrics.metric_type_enum import MetricTypes

    return MetricTypes(name)


def _same(decoded: Decoded) -> Decoded:
    """It is decoded already."""
    return decoded


def _refuse_expired(context: RequestContext) -> None:
    if context.expired:
        raise DeadlineExceeded("the deadline passed before the work was begun: allow more time, or send less at once")


def _device(gpu_id: int | None) -> str:
    return f"cuda:{gpu_id}" if gpu_id is not None and torch.cuda.is_available() else "cpu"


def _threads(model_settings: Mapping[str, Any]) -> int:
    """Threads to compute with: what the supervisor says, else this model's workers share the cores."""
    if from_supervisor := os.environ.get("OMP_NUM_THREADS"):
        return int(from_supervisor)
    return max(1, len(os.sched_getaffinity(0)) // max(1, int(model_settings.get("maxWorkers", 1))))
