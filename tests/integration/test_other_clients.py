"""The contract as others meet it: a client in another language, and one that asks for reflection."""

import base64
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.needs import skip, tool
from tests.repository import ROOT
from tests.serving import Instance
from wronglung import images
from wronglung.client import AlignmentClient
from wronglung.model import load_model

NODE = ROOT / "tests" / "contract" / "node"
SENTENCES = ["There is a small right pleural effusion.", "", "The heart is enlarged."]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A landscape PNG of noise."""
    pixels = np.random.default_rng(3).integers(0, 256, (310, 420), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    path = tmp_path_factory.mktemp("image") / "noise.png"
    path.write_bytes(file.getvalue())
    return path


def node_modules() -> Path:
    modules = NODE / "node_modules"
    if not modules.is_dir():
        skip("node_modules", "run `npm ci --prefix tests/contract/node`")
    return modules


def node_align(server: Instance, model: str, image: Path, sentences: list[str]) -> dict[str, Any]:
    node_modules()
    command = [tool("node"), NODE / "align.mjs", server.target, ROOT / "proto", model, image, *sentences]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.integration
@pytest.mark.parametrize("model", ["encoder", "encoder-optout"])
def test_a_javascript_client_gets_the_floats_of_the_python_client_and_of_the_model(
    server: Instance, image: Path, model: str
) -> None:
    other = node_align(server, model, image, SENTENCES)
    with AlignmentClient(server.target) as client:
        ours = client.align(image, SENTENCES, model=model)
    (local,) = load_model(server.store / model).align([images.decode(image.read_bytes())], [SENTENCES])
    assert other["digest"] == ours.model.weights_digest
    assert tuple(other["covered"][key] for key in ("x0", "y0", "x1", "y1")) == ours.frame.covered
    assert "error" in other["results"][1]
    for index in (0, 2):
        values = np.frombuffer(base64.b64decode(other["results"][index]["map"]), "<f4").reshape(ours.maps[index].shape)
        np.testing.assert_array_equal(values, ours.maps[index])
        np.testing.assert_array_equal(values, local.maps[index])
        assert np.float32(other["results"][index]["opt_out_mass"]) == local.opt_out[index]
        assert tuple(other["results"][index]["words"]) == local.words[index]


@pytest.mark.integration
def test_a_javascript_client_gets_the_status_of_a_bad_request(server: Instance, image: Path) -> None:
    not_found = 5
    assert node_align(server, "nobody", image, SENTENCES)["status"] == not_found


@pytest.mark.integration
def test_a_client_without_the_proto_files_finds_the_service_by_reflection(server: Instance) -> None:
    url = f"http://{server.target}/wronglung.v1.AlignmentService/ListModels"
    command = [tool("buf"), "curl", "--protocol", "grpc", "--http2-prior-knowledge", "--data", "{}", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert {each["identity"]["name"] for each in json.loads(done.stdout)["models"]} == set(server.models)
