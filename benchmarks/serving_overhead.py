"""What serving costs: the model in this process, behind TorchServe, and behind TorchServe and the gateway.

Requests are studies of the phantom set with their own sentences. The model computes on one thread everywhere, so the
ratios say what the transport takes away, or gives back by letting the parts work at the same time.
"""

import itertools
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from harness.dataset.phantom import PhantomDataset
from wronglung import images
from wronglung.envelope import CONTEXT_ENTRY, REQUEST_ENTRY, RequestContext
from wronglung.home import project_home
from wronglung.model import load_model
from wronglung.torchserve.inference_pb2 import PredictionsRequest
from wronglung.torchserve.inference_pb2_grpc import InferenceAPIsServiceStub
from wronglung.v1 import alignment_pb2 as pb
from wronglung.v1.alignment_pb2_grpc import AlignmentServiceStub

MODEL = "encoder"
STUDIES = 24
ALONE = 100
TOGETHER = 400
WINDOW = 16

Call = Callable[[pb.AlignRequest], object]


@dataclass(frozen=True, slots=True)
class Figures:
    """One way of serving: latency of single calls in milliseconds, and requests per second of many at once."""

    p50_ms: float
    p95_ms: float
    per_second: float


def main() -> None:
    """Print start-up time, latency and throughput of the three ways, and their ratios."""
    requests = _requests()
    size = statistics.mean(len(request.image) for request in requests) / 1024
    print(
        f"{STUDIES} phantom studies, {size:.0f} KiB and {_sentences(requests):.1f} sentences on average, 1 model thread"
    )
    in_process = _in_process(requests)
    with _server() as (gateway, torchserve, startup_s):
        direct, served = _direct(torchserve, requests), _through_gateway(gateway, requests)
    print(f"start of TorchServe and gateway until {MODEL} answered: {startup_s:.1f} s")
    print(f"{'':24}{'p50 ms':>9}{'p95 ms':>9}{'req/s':>9}{'of the model alone':>20}")
    for name, figures in {
        "in this process": in_process,
        "TorchServe": direct,
        "TorchServe and gateway": served,
    }.items():
        share = figures.per_second / in_process.per_second
        print(f"{name:24}{figures.p50_ms:9.1f}{figures.p95_ms:9.1f}{figures.per_second:9.1f}{share:20.0%}")
    print(f"the gateway serves {served.per_second / direct.per_second:.0%} of what TorchServe alone does")


def _requests() -> list[pb.AlignRequest]:
    records = itertools.islice(PhantomDataset(seed=0, split="test", patients=STUDIES), STUDIES)
    return [
        pb.AlignRequest(model_name=MODEL, image=record.load(), sentences=[each.text for each in record.sentences])
        for record in records
    ]


def _sentences(requests: list[pb.AlignRequest]) -> float:
    return statistics.mean(len(request.sentences) for request in requests)


def _in_process(requests: list[pb.AlignRequest]) -> Figures:
    model = load_model(project_home() / "model_store" / MODEL)
    return _measure(lambda r: model.align([images.decode(r.image)], [list(r.sentences)]), requests, None)


def _direct(target: str, requests: list[pb.AlignRequest]) -> Figures:
    with grpc.insecure_channel(target) as channel:
        predictions = InferenceAPIsServiceStub(channel).Predictions  # type: ignore[no-untyped-call]

        def many(sent: Iterator[pb.AlignRequest]) -> None:
            waiting = [predictions.future(_envelope(r)) for r in itertools.islice(sent, WINDOW)]
            for call in waiting:  # grows while it is read: one is sent for each that is answered
                call.result()
                waiting.extend(predictions.future(_envelope(r)) for r in itertools.islice(sent, 1))

        return _measure(lambda r: predictions(_envelope(r)), requests, many)


def _through_gateway(target: str, requests: list[pb.AlignRequest]) -> Figures:
    with grpc.insecure_channel(target) as channel:
        stub = AlignmentServiceStub(channel)  # type: ignore[no-untyped-call]

        def many(sent: Iterator[pb.AlignRequest]) -> None:
            for answer in stub.AlignStream(sent):
                if answer.HasField("error"):
                    raise RuntimeError(answer.error.message)

        return _measure(stub.Align, requests, many)


def _measure(
    call: Call, requests: list[pb.AlignRequest], many: Callable[[Iterator[pb.AlignRequest]], None] | None
) -> Figures:
    """Single calls one after the other, then `many` at once (None: the single calls' own rate)."""
    for request in requests:  # warm up, also the model's cache of sentences, which all three ways share
        call(request)
    seconds = []
    for request in itertools.islice(itertools.cycle(requests), ALONE):
        started = time.perf_counter()
        call(request)
        seconds.append(time.perf_counter() - started)
    p50, p95 = (1000 * statistics.quantiles(seconds, n=100)[q - 1] for q in (50, 95))
    if many is None:
        return Figures(p50, p95, ALONE / sum(seconds))
    started = time.perf_counter()
    many(_numbered(requests, TOGETHER))
    return Figures(p50, p95, TOGETHER / (time.perf_counter() - started))


def _numbered(requests: list[pb.AlignRequest], count: int) -> Iterator[pb.AlignRequest]:
    for index, request in enumerate(itertools.islice(itertools.cycle(requests), count)):
        numbered = pb.AlignRequest(request_id=str(index))
        numbered.MergeFrom(request)
        yield numbered


def _envelope(request: pb.AlignRequest) -> PredictionsRequest:
    entries = {REQUEST_ENTRY: request.SerializeToString(), CONTEXT_ENTRY: RequestContext("benchmark").to_bytes()}
    return PredictionsRequest(model_name=MODEL, input=entries)


@contextmanager
def _server() -> Iterator[tuple[str, str, float]]:
    """A server for one model: the gateway's and TorchServe's address, and the seconds until it was ready."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "wronglung.cli", "serve", "--models", MODEL, "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            logs, gateway = (_await_words(process, words) for words in (r"logs in (\S+)", r"ready on ([^\s,]+)"))
            settings = (Path(logs).parent / "config.properties").read_text(encoding="utf-8")
            port = re.search(r"grpc_inference_port=(\d+)", settings)
            assert port is not None
            yield gateway, f"127.0.0.1:{port[1]}", time.perf_counter() - started
        finally:
            process.terminate()


def _await_words(process: "subprocess.Popen[str]", pattern: str) -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(pattern, line):
            return found[1]
    raise RuntimeError(f"the server ended with status {process.wait()}")


if __name__ == "__main__":
    main()
