"""Structured inputs at a real server, among good requests: ``python -m tests.fuzz.served [--requests 3000]``.

Every input is answered by a result or a typed error that blames the request, every good request by the same bits, and
no worker is replaced.
"""

import argparse
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import grpc

from tests.fuzz.seeds import png
from tests.fuzz.targets import TARGETS, structured
from tests.repository import ROOT
from tests.serving import Instance, serving
from wronglung import wire
from wronglung.v1 import alignment_pb2 as pb

_MODEL = "encoder"
_SENTENCES = ("There is a small right pleural effusion.", "The left lung is clear.")
_IMAGES = ("png", "jpeg", "dicom", "png", "jpeg", "dicom", "isolated")
_GOOD_EVERY = 3
_TIMEOUT_S = 60
_ALLOWED = {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}
_SERVICE = "/wronglung.v1.AlignmentService/"


def bombard(server: Instance, requests: int, seed: int) -> Counter[str]:
    """Send so many requests, half of them with odd images in a stream, half odd in themselves; count the outcomes."""
    workers, rng = server.workers, random.Random(seed)
    options = [("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(server.target, options=options) as channel:
        outcomes = _stream_images(channel, requests // 2, rng) + _send_messages(channel, requests - requests // 2, rng)
    assert server.workers == workers, "a worker was replaced"
    return outcomes


def _good(request_id: str) -> pb.AlignRequest:
    return pb.AlignRequest(request_id=request_id, model_name=_MODEL, image=png()[0], sentences=_SENTENCES)


def _stream_images(channel: grpc.Channel, count: int, rng: random.Random) -> Counter[str]:
    def sent() -> Iterator[pb.AlignRequest]:
        for number in range(count):
            request = _good(f"good {number}" if number % _GOOD_EVERY == 0 else f"odd {number}")
            if number % _GOOD_EVERY:
                request.image = structured(TARGETS[rng.choice(_IMAGES)], rng)
            yield request

    stream = channel.stream_stream(
        _SERVICE + "AlignStream", pb.AlignRequest.SerializeToString, pb.AlignStreamResponse.FromString
    )
    answers = {answer.request_id: answer for answer in stream(sent(), timeout=_TIMEOUT_S + count)}
    assert len(answers) == count, f"{len(answers)} answers to {count} images"
    _check_same([answer.response for key, answer in answers.items() if key.startswith("good")])
    return Counter(_outcome(answer) for answer in answers.values())


def _outcome(answer: pb.AlignStreamResponse) -> str:
    if answer.HasField("response"):
        wire.alignment_from_response(answer.response)  # raises if it is not sound
        return "answered"
    code = pb.ErrorCode.Name(answer.error.code)
    assert code.startswith("ERROR_CODE_IMAGE_"), f"{code}: {answer.error.message}"
    return code


def _send_messages(channel: grpc.Channel, count: int, rng: random.Random) -> Counter[str]:
    align = channel.unary_unary(_SERVICE + "Align", _as_it_is, _as_it_is)
    outcomes: Counter[str] = Counter()
    good = []
    for number in range(count):
        is_good = number % _GOOD_EVERY == 0
        body = _good("good").SerializeToString() if is_good else structured(TARGETS["request"], rng)
        call: Any = align.future(body, timeout=_TIMEOUT_S)
        code = call.code()
        assert code in _ALLOWED, f"{code}: {call.details()}"
        assert not is_good or code is grpc.StatusCode.OK, call.details()
        if is_good:
            good.append(pb.AlignResponse.FromString(call.result()))
        outcomes["answered" if code is grpc.StatusCode.OK else code.name] += 1
    _check_same(good)
    return outcomes


def _as_it_is(body: bytes) -> bytes:
    return body


def _check_same(answers: list[pb.AlignResponse]) -> None:
    """Each sentence has a map, and all have the same."""
    assert all(result.HasField("alignment") for answer in answers for result in answer.results)
    results = {tuple(result.SerializeToString(deterministic=True) for result in answer.results) for answer in answers}
    assert len(results) == 1, f"{len(results)} different answers to the same good request"


def main() -> None:
    """Start a server, send, print the outcomes."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.served", description=__doc__)
    parser.add_argument("--requests", type=int, default=3000, help="a third of them good (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the inputs (%(default)s)")
    arguments = parser.parse_args()
    with serving(ROOT / "model_store", (_MODEL,)) as server:
        for outcome, count in sorted(bombard(server, arguments.requests, arguments.seed).items()):
            print(f"{count:6}  {outcome}")  # noqa: T201 - a command


if __name__ == "__main__":
    main()
