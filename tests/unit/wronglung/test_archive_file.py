"""Archives are written block by block, and replace what was there only once they are whole."""

import os
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from wronglung.archive_file import files_below, write_archive

BIG = 24 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "tokenizer").mkdir(parents=True)
    (folder / "weights").write_bytes(b"w" * BIG)
    (folder / "tokenizer" / "tokenizer.json").write_text("{}")
    return folder


def test_what_is_written_can_be_read_by_a_reader_that_cannot_seek(folder: Path, tmp_path: Path) -> None:
    """TorchServe reads archives as a stream, which works only where sizes stand before the data."""
    write_archive(tmp_path / "a.mar", dict(files_below(folder)), {"MANIFEST": "m"}, lambda _: None)
    with zipfile.ZipFile(tmp_path / "a.mar") as archive:
        assert archive.namelist() == ["weights", "tokenizer/tokenizer.json", "MANIFEST"]
        assert archive.testzip() is None
        for entry in archive.infolist():
            assert entry.compress_type == zipfile.ZIP_STORED
            assert not entry.flag_bits & 0x08, "its sizes come after the data"


def test_every_byte_is_told_and_none_is_kept(folder: Path, tmp_path: Path) -> None:
    told: list[int] = []
    tracemalloc.start()
    write_archive(tmp_path / "a.mar", dict(files_below(folder)), {}, told.append)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(told) == BIG + 2
    assert peak < BIG / 4


def test_an_archive_that_could_not_be_finished_leaves_the_old_one(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.mar").write_text("old")

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_archive(tmp_path / "a.mar", dict(files_below(folder)), {}, interrupted)
    assert (tmp_path / "a.mar").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mar", "model"]


def test_links_are_followed_and_hidden_files_left_out(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "more").touch()
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "link").symlink_to(folder / "weights")
    for name in (".weights.tmp", ".git/config", "__pycache__/a.pyc"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    assert set(dict(files_below(folder))) == {"weights", "tokenizer/tokenizer.json", "linked/more", "link"}


def test_a_file_older_than_zip_is_no_obstacle(folder: Path, tmp_path: Path) -> None:
    os.utime(folder / "weights", (0, 0))
    write_archive(tmp_path / "a.mar", dict(files_below(folder)), {}, lambda _: None)
    assert zipfile.is_zipfile(tmp_path / "a.mar")
