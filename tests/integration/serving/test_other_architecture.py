"""A dual encoder behind the same handler, gateway, client and harness as GLoRIA."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.collector import Collector, collecting
from tests.repository import ROOT
from tests.serving import Instance, serving
from wronglung import images
from wronglung.client import AlignmentClient
from wronglung.errors import RequestInvalid
from wronglung.model import load_model
from wronglung.model.random_model import create_random_dual_encoder
from wronglung.v1 import alignment_pb2 as pb

pytestmark = pytest.mark.integration

HARNESS = [sys.executable, "-c", "import sys; from harness.cli import main; sys.exit(main())"]
SENTENCES = ["There is a small right pleural effusion.", "The heart is not enlarged."]


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as running:
        yield running


@pytest.fixture(scope="module")
def dual_server(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Instance]:
    """It sends spans, which changes nothing else."""
    store = tmp_path_factory.mktemp("dual_store")
    create_random_dual_encoder(store / "dual")
    with serving(store, ["dual"], environment={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.target}) as instance:
        yield instance


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (250, 333), dtype=np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def test_served_floats_are_those_of_this_process_to_the_last_bit(dual_server: Instance, jpeg: bytes) -> None:
    with AlignmentClient(dual_server.target) as client:
        served = client.align(jpeg, SENTENCES, model="dual")
    (local,) = load_model(dual_server.store / "dual").align([images.decode(jpeg)], [SENTENCES])
    assert served.maps.shape == (2, 7, 7)
    for field in ("maps", "opt_out", "local_similarity", "global_similarity"):
        assert getattr(served, field).tobytes() == getattr(local, field).tobytes(), field
    assert (served.words, served.frame, served.model) == (local.words, local.frame, local.model)


def test_a_callers_trace_reaches_the_worker_and_its_spans_the_collector(
    dual_server: Instance, collector: Collector, jpeg: bytes
) -> None:
    trace, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    collector.received.clear()
    with dual_server.stub() as stub:
        asked = pb.AlignRequest(model_name="dual", image=jpeg, sentences=SENTENCES)
        stub.Align(asked, timeout=60, metadata=(("traceparent", f"00-{trace}-{caller}-01"),))
    names = ("wronglung.v1.AlignmentService/Align", "torchserve", "decode", "inference")
    server, client, decode, inference = collector.spans(*names, trace_id=trace)
    assert [span.parent_span_id.hex() for span in (server, client)] == [caller, server.span_id.hex()]
    assert decode.parent_span_id == inference.parent_span_id == client.span_id
    assert {service for service, _ in collector.received} == {"wronglung-gateway", "wronglung-handler"}
    assert not any(sentence in collector.text() for sentence in SENTENCES)


def test_word_maps_that_it_does_not_have_are_refused_by_name(dual_server: Instance, jpeg: bytes) -> None:
    with AlignmentClient(dual_server.target) as client, pytest.raises(RequestInvalid, match=r"options\.word_maps"):
        client.align(jpeg, SENTENCES, model="dual", word_maps=True)


def test_the_harness_evaluates_it(dual_server: Instance, tmp_path: Path) -> None:
    settings = ("models=[dual]", "dataset.patients=4", "resamples=200", "subsets=[all]", "gallery={random: 1}")
    command = [*HARNESS, "run", str(ROOT / "harness" / "runs" / "demo.yaml"), "--out", str(tmp_path / "run")]
    command += [part for setting in settings for part in ("--set", setting)]
    environment = {**os.environ, "WRONGLUNG_TARGET": dual_server.target}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "run" / "summary.json").read_bytes())
    assert summary["failures"] == {}
    assert 0 < summary["models"]["dual"]["none"]["all"]["exact"]["auroc"]["mean"] < 1
