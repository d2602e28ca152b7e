"""What a plain backend is told travels in a file."""

from pathlib import Path

import pytest

from wronglung.plain.settings import PlainModel, PlainSettings

MODEL = PlainModel(
    "m@1.1", "m", "1.1", Path("store/m@1.1"), Path("store/m@1.1/model-config.yaml"), workers=2, longest_s=3
)
SETTINGS = PlainSettings(1, 2, Path("handler.py"), Path("metrics.yaml"), Path("logs"), [MODEL])


def test_what_is_written_is_read(tmp_path: Path) -> None:
    SETTINGS.write(tmp_path / "plain.json")
    assert PlainSettings.read(tmp_path / "plain.json") == SETTINGS


@pytest.mark.parametrize("text", ["{}", "[]", '{"models": [{"label": "m"}]}', "nothing of the kind"])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "plain.json").write_text(text)
    with pytest.raises(ValueError):
        PlainSettings.read(tmp_path / "plain.json")
