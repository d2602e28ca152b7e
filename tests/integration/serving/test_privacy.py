"""Nothing that a caller sends stands in any file or page of a real server, be it TorchServe's or a worker's."""

import io
import urllib.request
from pathlib import Path
from typing import Any

import grpc
import pytest
from PIL import Image, PngImagePlugin

from tests.serving import Instance
from wronglung.v1 import alignment_pb2 as pb

pytestmark = pytest.mark.integration

SECRET = "Zacharias"
SENTENCE = f"{SECRET} has a small right pleural effusion."


def marked_image(broken: bool = False) -> bytes:
    info, buffer = PngImagePlugin.PngInfo(), io.BytesIO()
    info.add_text("PatientName", SECRET)
    Image.new("L", (64, 64), 90).save(buffer, "PNG", pnginfo=info)
    whole = buffer.getvalue()
    return whole[:-40] if broken else whole


def request(**fields: Any) -> pb.AlignRequest:
    good = {"request_id": "told", "model_name": "encoder", "image": marked_image(), "sentences": [SENTENCE]}
    return pb.AlignRequest(**(good | fields))


ASKED = {
    "good": request(),
    "word maps": request(options=pb.AlignOptions(word_maps=True)),
    "broken in its data": request(image=marked_image(broken=True)),
    "no image": request(image=SENTENCE.encode()),
    "long": request(sentences=[SENTENCE * 100]),
    "no such model": request(model_name=SENTENCE),
}


def test_nothing_that_was_sent_stands_in_a_log_or_a_metric(server: Instance) -> None:
    said = []
    with server.stub() as stub:
        for asked in ASKED.values():
            call = stub.Align.future(asked, timeout=60)
            said.append(f"{call.code()} {call.details()} {call.trailing_metadata()}")
        items = [pb.AlignRequest(request_id=name) for name in ASKED]
        for item, asked in zip(items, ASKED.values(), strict=True):
            item.MergeFrom(asked)
            item.request_id = f"item {item.request_id}"
        said += [str(each.error) for each in stub.AlignStream(iter(items), timeout=60)]
    logs = list(Path(server.java.cwd(), "logs").glob("*.log"))
    written = {log.name: log.read_text(errors="replace") for log in logs}
    page = urllib.request.urlopen(server.metrics_url, timeout=10).read().decode()
    assert {"ts_log.log", "model_log.log", "console.log"} <= set(written)
    assert '"request_id": "told"' in server.say()
    assert any("IMAGE_CORRUPT" in each or "INVALID_ARGUMENT" in each for each in said)
    everything = {"stderr": server.say(), "errors": "\n".join(said), "metrics": page, **written}
    assert [name for name, text in everything.items() if SECRET in text] == []
    assert grpc.StatusCode.OK.name in said[0]
