"""Nothing that a caller sends is told again: not in a log, a metric or an error, whatever becomes of the request."""

import asyncio
import logging
import struct
import urllib.request
import zlib
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.gateway_fakes import Failure, FakeTorchServe, Job, RunningGateway, png, request, running_gateway
from wronglung.gateway.logs import JsonFormatter, log_to_stderr
from wronglung.v1 import alignment_pb2 as pb

SECRET = "SECRET"
SENTENCE = f"{SECRET} finding in the left lung."
OTHER_METADATA = (("traceparent", SECRET), ("x-note", SECRET))


def marked_png() -> bytes:
    """A good PNG with a text in it."""
    good, text = png(), b"tEXt" + SECRET.encode()
    chunk = struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text))
    return good[:33] + chunk + good[33:]


def marked(request_id: str = "", **fields: Any) -> pb.AlignRequest:
    return request(request_id, **({"image": marked_png(), "sentences": [SENTENCE]} | fields))


MISTAKES = {
    "text for an image": marked(image=SENTENCE.encode()),
    "a broken image": marked(image=marked_png()[:60]),
    "no image": marked(image=b""),
    "a sentence for a model": marked(model_name=SENTENCE),
    "a sentence for a version": marked(model_version=SENTENCE),
    "too many sentences": marked(sentences=[SENTENCE] * 257),
    "a long sentence": marked(sentences=[SENTENCE * 100]),
    "too many word maps": marked(sentences=[SENTENCE * 9] * 256, options=pb.AlignOptions(word_maps=True)),
}
"""Ids are the one thing of a caller that is told again."""


async def choke(job: Job) -> pb.AlignStreamResponse:
    raise Failure(grpc.StatusCode.UNAVAILABLE, "Prediction failed")


async def die(job: Job) -> pb.AlignStreamResponse:
    raise Failure(grpc.StatusCode.INTERNAL, "Worker died.")


async def never(_: Job) -> pb.AlignStreamResponse:
    await asyncio.sleep(60)
    raise AssertionError


class Told:
    """Everything that was told, to be searched."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog
        self._errors: list[str] = []

    async def hear(self, call: Any) -> None:
        """Remember what an answer that is an error says."""
        try:
            answer = await call
        except grpc.aio.AioRpcError as error:
            self._errors.append(f"{error.details()} {error.trailing_metadata()}")
        except asyncio.CancelledError:
            pass
        else:
            assert answer.IsInitialized()

    def hear_items(self, answers: dict[str, pb.AlignStreamResponse]) -> None:
        self._errors += [str(each.error) for each in answers.values()]

    async def everything(self, front: RunningGateway) -> str:
        formatter = JsonFormatter()
        logs = [formatter.format(record) for record in self._caplog.records]
        page = await asyncio.to_thread(lambda: urllib.request.urlopen(front.metrics_url).read().decode())
        return "\n".join([*logs, *self._errors, page])


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Told:
    before = list(logging.getLogger().handlers)
    log_to_stderr("debug", lambda: None)
    logging.getLogger().handlers = before  # those that pytest reads
    caplog.set_level(logging.DEBUG)
    return Told(caplog)


async def test_nothing_that_was_sent_is_told_whatever_becomes_of_it(
    tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_gateway(tmp_path, FakeTorchServe()) as front:
        align = front.stub.Align
        await told.hear(align(marked("audited"), metadata=OTHER_METADATA))
        for mistake in MISTAKES.values():
            await told.hear(align(mistake, metadata=OTHER_METADATA))
        told.hear_items(await front.stream([_named(each, f"item {i}") for i, each in enumerate(MISTAKES.values())]))
        front.torchserve.behaviour = never
        await told.hear(align(marked(), timeout=0.2))
        for behaviour in (choke, die):
            front.torchserve.behaviour = behaviour
            await told.hear(align(marked()))
        monkeypatch.setattr("wronglung.gateway.checks.check_answer_size", _quote)
        await told.hear(align(marked("a defect")))
        everything = await told.everything(front)
    for expected in ("audited", "a defect", "ValueError", "ERROR_CODE_SENTENCE_TOO_LONG", "DEADLINE_EXCEEDED"):
        assert expected in everything
    assert SECRET not in everything


def _named(item: pb.AlignRequest, request_id: str) -> pb.AlignRequest:
    named = pb.AlignRequest()
    named.CopyFrom(item)
    named.request_id = request_id
    return named


def _quote(asked: pb.AlignRequest, _model: object) -> None:
    """A defect whose message quotes the report."""
    raise ValueError(f"cannot handle {asked.sentences[0]}")
