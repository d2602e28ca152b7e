"""Specification of the command line: what it prints, and how it fails."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.client_fakes import Service, serving
from wronglung import cli, errors
from wronglung.alignment import Alignment, ModelIdentity
from wronglung.commands import align
from wronglung.geometry import letterbox
from wronglung.v1 import alignment_pb2 as pb


def alignment() -> Alignment:
    maps = np.full((2, 19, 19), 0.5 / 360, np.float32)
    maps[0, 4, 10] = 0.5
    maps[1] = np.nan
    nothing = np.float32("nan")
    return Alignment(
        maps=maps,
        opt_out=np.array([0.125, nothing], np.float32),
        local_similarity=np.array([1.5, nothing], np.float32),
        global_similarity=np.array([-0.25, nothing], np.float32),
        words=(("[CLS]", "opacity"), ()),
        truncated=np.array([True, False]),
        errors=(None, errors.SentenceEmpty("nothing is left")),
        frame=letterbox(400, 300),
        model=ModelIdentity("encoder", "1.0", "ab" * 32),
    )


def test_the_table_says_where_the_peak_is_in_original_pixels() -> None:
    table = align.as_table(alignment(), ["Opacity.", ""])
    x0, y0, x1, y1 = letterbox(400, 300).cell(4, 10, 19, 19)
    assert f"{(x0 + x1) / 2:.0f}, {(y0 + y1) / 2:.0f}" in table
    assert "0.1250" in table
    assert "cut at the model's limit" in table


def test_the_table_says_why_a_sentence_has_no_map() -> None:
    assert "nothing is left" in align.as_table(alignment(), ["Opacity.", ""])


def test_json_holds_the_maps_and_is_json() -> None:
    document = json.loads(json.dumps(align.as_json(alignment(), ["Opacity.", ""]), allow_nan=False))
    first, second = document["sentences"]
    np.testing.assert_array_equal(np.array(first["map"], np.float32), alignment().maps[0])
    assert second["error"]["code"] == "ERROR_CODE_SENTENCE_EMPTY"


def test_a_missing_file_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["align", str(tmp_path / "none.png"), "a b"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_no_server_says_how_to_start_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "--target", "127.0.0.1:1", "--timeout", "1"]) == 1
    assert "wronglung serve" in capsys.readouterr().err


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([command, "--help"])
    assert end.value.code == 0
    assert "usage: wronglung" in capsys.readouterr().out


def test_help_loads_no_torch() -> None:
    code = "import sys; from wronglung.cli import build_parser; build_parser(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


@pytest.mark.parametrize(
    ("x", "y", "words"),
    [(0.0, 0.0, "upper left"), (0.5, 0.5, "centre"), (0.5, 0.9, "lower centre"), (1.0, 0.5, "middle right")],
)
def test_a_place_in_words(x: float, y: float, words: str) -> None:
    assert align.in_words(x, y) == words


def test_a_picture_is_drawn_beside_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (10, 10), dtype=np.uint8)
    image, picture = tmp_path / "chest.png", tmp_path / "out.png"
    Image.fromarray(pixels).save(image)
    with serving(Service()) as target:
        command = ["align", str(image), "an opacity", "a mass", "--target", target, "--overlay", str(picture)]
        assert cli.main(command) == 0
    assert "an opacity" in capsys.readouterr().out
    assert Image.open(picture).width == 2 * (768 + 8) + 8


def test_models_waits_until_all_are_ready(capsys: pytest.CaptureFixture[str]) -> None:
    class Loading(Service):
        def ListModels(self, request: pb.ListModelsRequest, context: Any) -> pb.ListModelsResponse:
            self.calls += 1
            identity = pb.ModelIdentity(name="encoder", version="1.0")
            return pb.ListModelsResponse(models=[pb.Model(identity=identity, ready=self.calls > 1)])

    with serving(Loading()) as target:
        assert cli.main(["models", "--target", target, "--wait", "20"]) == 0
    with serving(Loading()) as target:
        assert cli.main(["models", "--target", target]) == 1
    assert [line.split()[2] for line in capsys.readouterr().out.splitlines()] == ["ready", "not"]


def test_of_several_versions_the_default_is_marked(capsys: pytest.CaptureFixture[str]) -> None:
    class Versions(Service):
        def ListModels(self, request: pb.ListModelsRequest, context: Any) -> pb.ListModelsResponse:
            listed = [("encoder", "1.0", False), ("encoder", "1.1", True), ("wronglung-1", "1.0", True)]
            models = [
                pb.Model(identity=pb.ModelIdentity(name=name, version=version), ready=True, is_default=default)
                for name, version, default in listed
            ]
            return pb.ListModelsResponse(models=models)

    with serving(Versions()) as target:
        assert cli.main(["models", "--target", target]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["encoder 1.0", "encoder 1.1 (default)", "wronglung-1 1.0"]


def test_a_caller_who_may_use_no_model_is_told_so(capsys: pytest.CaptureFixture[str]) -> None:
    class Nothing(Service):
        def ListModels(self, request: pb.ListModelsRequest, context: Any) -> pb.ListModelsResponse:
            return pb.ListModelsResponse()

    with serving(Nothing()) as target:
        assert cli.main(["models", "--target", target]) == 1
    said = capsys.readouterr()
    assert (said.out, "may use none of its models" in said.err) == ("", True)
