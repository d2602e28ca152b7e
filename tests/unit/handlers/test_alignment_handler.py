"""The handler's verbs with an engine that needs no weights: it answers a constant map per sentence."""

import dataclasses
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from handlers import alignment_handler
from handlers.alignment_handler import AlignmentHandler
from tests.dicom_files import dicom
from tests.handler_fakes import FakeContext, code, entry, handle, png, with_fake_model
from tests.repository import ROOT
from wronglung.alignment import Alignment
from wronglung.envelope import CONTEXT_ENTRY, REQUEST_ENTRY, RequestContext
from wronglung.images import allowance, isolated
from wronglung.limits import LIMITS
from wronglung.model.checkpoint import load_checkpoint, save_checkpoint
from wronglung.model.random_model import create_random_dual_encoder, create_random_model
from wronglung.supervisor import said
from wronglung.v1 import alignment_pb2 as pb


@pytest.fixture(params=[True, False], ids=["deterministic", "throughput"])
def handler(request: pytest.FixtureRequest) -> AlignmentHandler:
    return with_fake_model(deterministic=request.param)


def test_answers_each_request_of_a_batch_by_its_own(handler: AlignmentHandler) -> None:
    answers = handle(handler, entry("a", image=png(10)), entry("b", image=png(20), sentences=["one", "two"]))
    assert [each.request_id for each in answers] == ["a", "b"]
    first = [np.frombuffer(r.alignment.map.values, "<f4")[0] for each in answers for r in each.response.results]
    assert first == pytest.approx([0.010, 0.020, 0.021])


def test_a_bad_image_fails_alone(handler: AlignmentHandler) -> None:
    answers = handle(handler, entry("a"), entry("bad", image=png()[:40]), entry("c"))
    assert [code(each) for each in answers] == ["OK", "IMAGE_CORRUPT", "OK"]
    assert [each.request_id for each in answers] == ["a", "bad", "c"]


def test_streams_that_hang_their_decoders_cost_a_batch_the_time_of_one_and_their_own_kind_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(isolated, "_PROGRAM", "import time; time.sleep(60)")
    monkeypatch.setattr(isolated, "limits", lambda *_: (1.0, 0.3))
    monkeypatch.setattr(allowance, "_MOST_LOST_S", 0.2)
    handler, hostile = with_fake_model(deterministic=True), dicom(np.zeros((60, 80), np.uint8), coding="jpeg-ls")
    for _ in range(2):  # the second batch is given as much as the first
        images = [hostile, hostile, hostile, hostile, png()]  # two are decoded at once
        answers = handle(handler, *(entry(str(number), image=image) for number, image in enumerate(images)))
        assert [code(each) for each in answers] == ["IMAGE_CORRUPT"] * 2 + ["OVERLOADED"] * 2 + ["OK"]


def test_a_defect_of_the_engine_fails_alone_and_is_logged(
    handler: AlignmentHandler, caplog: pytest.LogCaptureFixture
) -> None:
    answers = handle(handler, entry("a"), entry("unlucky", sentences=["crash"]), entry("c"))
    assert [code(each) for each in answers] == ["OK", "INTERNAL", "OK"]
    assert "unlucky" in answers[1].error.message
    assert "request unlucky failed: RuntimeError" in caplog.text
    assert "a defect" not in caplog.text  # an exception's message can quote what it choked on


@pytest.mark.parametrize("fault", [{"sentences": ["crash"]}, {"image": b"looks damaged"}], ids=["engine", "image"])
def test_without_memory_a_failure_may_be_tried_again_and_the_worker_ends_before_its_next_batch(
    handler: AlignmentHandler, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    """Without memory a good image looks damaged, so what failed says nothing of the request."""
    monkeypatch.setattr(alignment_handler, "can_have", lambda _: False)
    answers = handle(handler, entry("a"), entry("b", **fault))
    assert [code(each) for each in answers] == ["OK", "MODEL_UNAVAILABLE"]
    assert answers[1].error.retry_after_ms > 0
    monkeypatch.setattr(alignment_handler.os, "_exit", Ended.throw)
    with pytest.raises(Ended):
        handle(handler, entry("c"))


def test_memory_is_asked_for_when_an_image_fails_not_when_it_is_answered(
    handler: AlignmentHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = iter([False])
    monkeypatch.setattr(alignment_handler, "can_have", lambda _: next(asked, True))
    answers = handle(handler, entry("a"), entry("b", image=b"looks damaged"))
    assert [code(each) for each in answers] == ["OK", "MODEL_UNAVAILABLE"]


class Ended(Exception):
    """In the place of the end of the process."""

    @classmethod
    def throw(cls, status: int) -> None:
        raise cls(status)


def test_a_defect_in_writing_an_answer_fails_alone(handler: AlignmentHandler, monkeypatch: pytest.MonkeyPatch) -> None:
    write = alignment_handler.wire.response_from_alignment

    def unlucky(alignment: Alignment, request_id: str) -> pb.AlignResponse:
        if request_id == "unlucky":
            raise ValueError("a defect")
        return write(alignment, request_id)

    monkeypatch.setattr(alignment_handler.wire, "response_from_alignment", unlucky)
    answers = handle(handler, entry("a"), entry("unlucky"), entry("c"))
    assert [code(each) for each in answers] == ["OK", "INTERNAL", "OK"]
    assert sum(handler.model.calls) == 3  # type: ignore[attr-defined] # nothing is computed again


def test_an_empty_sentence_fails_alone_inside_its_answer(handler: AlignmentHandler) -> None:
    (answer,) = handle(handler, entry("a", sentences=["a lung", ""]))
    assert [each.WhichOneof("outcome") for each in answer.response.results] == ["alignment", "error"]


def test_bytes_that_are_no_request_are_answered(handler: AlignmentHandler) -> None:
    spoiled = entry("x") | {REQUEST_ENTRY: bytearray(b"\xff\xff\xff")}
    assert [code(each) for each in handle(handler, spoiled)] == ["REQUEST_INVALID"]


def test_what_did_not_come_from_the_gateway_is_refused_by_its_own(handler: AlignmentHandler) -> None:
    answers = handle(handler, entry("a"), {"body": bytearray(b"{}")}, entry("c") | {CONTEXT_ENTRY: bytearray(b"[")})
    assert [code(each) for each in answers] == ["OK", "IMAGE_EMPTY", "IMAGE_EMPTY"]


def test_word_maps_go_to_those_who_asked(handler: AlignmentHandler) -> None:
    answers = handle(handler, entry("a"), entry("b", options=pb.AlignOptions(word_maps=True)))
    assert [len(each.response.results[0].alignment.word_maps) for each in answers] == [0, 1]


def test_an_answer_that_is_too_large_is_replaced_by_an_error(
    handler: AlignmentHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alignment_handler, "LIMITS", dataclasses.replace(LIMITS, answer_bytes=100))
    assert [code(each) for each in handle(handler, entry("a"))] == ["ANSWER_TOO_LARGE"]


def test_says_on_every_item_that_no_stream_follows(handler: AlignmentHandler) -> None:
    context = FakeContext()
    handler.handle([entry("a"), entry("b", image=b"text")], context)
    assert context.headers == {0: {"ts_stream_next": "false"}, 1: {"ts_stream_next": "false"}}


def test_reports_seconds_and_batch_size_once_per_batch(handler: AlignmentHandler) -> None:
    context = FakeContext()
    handler.find_meters(context)
    handler.handle([entry("a"), entry("b")], context)
    assert context.reported["batch_size", "fake"] == 2
    for stage in ("decode", "inference", "encode"):
        assert 0 < context.reported[f"{stage}_seconds", "fake"] < 10


def test_reports_what_each_cache_did_for_the_batch_and_nothing_that_stayed_the_same(handler: AlignmentHandler) -> None:
    context = FakeContext()
    handler.find_meters(context)
    handler.handle([entry("a"), entry("b")], context)
    of_caches = {labels: value for labels, value in context.reported.items() if labels[0].startswith("cache")}
    assert of_caches == {("cache_hits_total", "fake", "image"): 2, ("cache_bytes", "fake", "image"): 700}
    context.reported.clear()
    handler.handle([entry("c")], context)
    of_caches = {labels: value for labels, value in context.reported.items() if labels[0].startswith("cache")}
    assert of_caches == {("cache_hits_total", "fake", "image"): 1}


def test_reports_the_memory_of_its_process(handler: AlignmentHandler) -> None:
    context = FakeContext()
    handler.find_meters(context)
    handler.handle([entry("a")], context)
    assert 10e6 < context.reported["memory_bytes", "fake"] < 100e9


def test_answers_are_given_though_their_figures_cannot_be(
    handler: AlignmentHandler, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise OSError("the patient's name")

    monkeypatch.setattr(handler.model, "caches", broken)
    assert [code(each) for each in handle(handler, entry("a"), entry("b"))] == ["OK", "OK"]
    assert "figures of a batch are lost: OSError" in caplog.text
    assert "patient" not in caplog.text


def test_every_metric_of_the_handler_is_declared_for_torchserve() -> None:
    """One that is not declared would be dropped; one that is declared with other labels would be an error per batch."""
    declared = yaml.safe_load((ROOT / "deploy/torchserve/metrics.yaml").read_text())["model_metrics"]
    labels = {
        (kind, each["name"].removeprefix("wronglung_handler_")): each["dimensions"]
        for kind, metrics in declared.items()
        for each in metrics
    }
    model, cache = ["ModelName"], ["ModelName", "Cache"]
    assert labels == {
        **{
            ("histogram", name): model
            for name in ("decode_seconds", "inference_seconds", "encode_seconds", "batch_size")
        },
        **{("counter", f"cache_{name}_total"): cache for name in ("hits", "misses", "evictions")},
        ("gauge", "cache_bytes"): cache,
        ("gauge", "memory_bytes"): model,
    }


@pytest.fixture
def own_process() -> Iterator[None]:
    """Undo what the handler does to its process, which in use is its own."""
    logger, level, threads = logging.getLogger(), logging.getLogger().level, torch.get_num_threads()
    yield
    logger.setLevel(level)
    torch.set_num_threads(threads)


def worker_context(directory: Path, settings: dict[str, Any]) -> Any:
    return SimpleNamespace(
        metrics=FakeContext().metrics,
        model_name="encoder",
        model_yaml_config=settings,
        system_properties={"model_dir": str(directory), "gpu_id": None},
        manifest={"model": {"modelVersion": "2.0"}},
    )


@pytest.mark.usefixtures("own_process")
def test_a_model_that_cannot_be_loaded_is_reported_in_words_that_the_supervisor_finds(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=alignment_handler.SETUP_FAILED):
        AlignmentHandler().initialize(worker_context(tmp_path, {}))
    assert alignment_handler.SETUP_FAILED == said.SETUP_FAILED


@torch.no_grad()
def spoil(network: torch.nn.Module) -> None:
    """Make the last parameter of its text encoder, which every sentence passes, no number."""
    parameters = [each for name, each in network.named_parameters() if name.startswith("text")]
    parameters[-1].fill_(np.nan)


@pytest.mark.usefixtures("own_process")
def test_weights_that_compute_no_numbers_are_not_served(tmp_path: Path) -> None:
    create_random_model(tmp_path, opt_out=True)
    files = load_checkpoint(tmp_path)
    spoil(files.network)
    save_checkpoint(
        tmp_path, files.network, files.tokenizer, preprocess=files.config.preprocess, cleaning=files.config.cleaning
    )
    with pytest.raises(RuntimeError, match=f"{alignment_handler.SETUP_FAILED}.*no numbers"):
        AlignmentHandler().initialize(worker_context(tmp_path, {}))


@pytest.mark.usefixtures("own_process")
@pytest.mark.parametrize("deterministic", [True, False])
def test_no_value_that_is_no_number_leaves_the_server(tmp_path: Path, deterministic: bool) -> None:
    create_random_model(tmp_path, opt_out=True)
    handler = AlignmentHandler()
    handler.initialize(worker_context(tmp_path, {"handler": {"deterministic": deterministic}}))
    spoil(handler.model._network)
    asked = pb.AlignOptions(word_maps=True)
    (answer,) = handle(handler, entry("a", sentences=["The left lung is clear.", "heart"], options=asked))
    codes = [each.error.code for each in answer.response.results]
    assert codes == [pb.ERROR_CODE_INTERNAL, pb.ERROR_CODE_INTERNAL]


@pytest.mark.usefixtures("own_process")
def test_says_what_it_is_at_while_it_is_set_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    create_random_model(tmp_path, opt_out=True)
    AlignmentHandler().initialize(worker_context(tmp_path, {}))
    said = capsys.readouterr().out.splitlines()
    steps = ("reads its weights", "warms up", "gives its first answer")
    assert [line for line in said if line.startswith(alignment_handler.STAGE)] == [
        f"{alignment_handler.STAGE}: {step}" for step in steps
    ]


@pytest.mark.usefixtures("own_process")
def test_serves_a_model_under_the_name_and_version_of_its_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_random_model(tmp_path, opt_out=True)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    handler = AlignmentHandler()
    handler.initialize(worker_context(tmp_path, {"handler": {"deterministic": False}}))
    (answer,) = handle(handler, entry("a", sentences=["The left lung is clear."]))
    assert (answer.response.model.name, answer.response.model.version) == ("encoder", "2.0")
    assert answer.response.deterministic is False
    assert torch.get_num_threads() == 1


@pytest.mark.usefixtures("own_process")
def test_the_settings_of_a_model_decide_how_it_computes(tmp_path: Path) -> None:
    create_random_model(tmp_path, opt_out=True)
    served = {}
    for precision in ("fp32", "bf16"):
        handler = AlignmentHandler()
        handler.initialize(worker_context(tmp_path, {"handler": {"precision": precision, "image_cache_mib": 0}}))
        (served[precision],) = handle(handler, entry("a"))
        assert handler.model.caches()["image"].bytes == 0
        assert handler.model.caches()["sentence"].bytes > 0
    maps = [each.response.results[0].alignment.map.values for each in served.values()]
    assert maps[0] != maps[1]
    assert len(maps[0]) == len(maps[1])


@pytest.mark.usefixtures("own_process")
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"precison": "bf16"}, "precison: unknown key: did you mean .precision"),
        ({"precision": "fp8"}, "precision"),
        ({"image_cache_mib": -1}, "mib"),
    ],
)
def test_a_wrong_setting_is_named_before_anything_is_served(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    create_random_model(tmp_path, opt_out=True)
    with pytest.raises(RuntimeError, match=f"(?s){alignment_handler.SETUP_FAILED}.*{message}"):
        AlignmentHandler().initialize(worker_context(tmp_path, {"handler": settings}))


@pytest.mark.usefixtures("own_process")
def test_serves_the_other_architecture_likewise_and_refuses_word_maps_in_its_answer(tmp_path: Path) -> None:
    create_random_dual_encoder(tmp_path)
    handler = AlignmentHandler()
    handler.initialize(worker_context(tmp_path, {"handler": {"deterministic": False}}))
    answers = handle(handler, entry("a"), entry("b", options=pb.AlignOptions(word_maps=True)), entry("c"))
    assert [code(each) for each in answers] == ["OK", "REQUEST_INVALID", "OK"]
    assert answers[1].error.field == "options.word_maps"


def test_knows_torchserve_by_one_class_alone() -> None:
    """TorchServe refuses a handler file that defines more than one class."""
    defined = [
        v for v in vars(alignment_handler).values() if getattr(v, "__module__", "") == alignment_handler.__name__
    ]
    assert [each for each in defined if isinstance(each, type)] == [AlignmentHandler]


def test_context_survives_the_envelope_and_rejects_what_is_none() -> None:
    context = RequestContext("a", 12.5, "00-abc")
    assert RequestContext.from_bytes(context.to_bytes()) == context
    for other in (
        b'{"other": 1}',
        b'{"request_id": 5}',
        b'{"request_id": "a", "deadline_monotonic_s": "soon"}',
        b'{"request_id": "a", "traceparent": []}',
        b"[" * 100_000,
    ):
        with pytest.raises(ValueError, match="not a request context"):
            RequestContext.from_bytes(other)
