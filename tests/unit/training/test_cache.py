"""Pictures of any data set are developed once, streamed to disk, and whole or absent."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.case import Box, ImageRecord, Triple
from harness.dataset.base import Findings
from harness.dataset.catalogue import open_dataset, parse_dataset
from harness.mask import BoxMask
from harness.settings import ConfigError
from tests.harness_fakes import HEIGHT, LEFT_LUNG, RIGHT_LUNG, WIDTH, png, record, sentence, write_jsonl
from tests.png_files import GREY
from tests.png_files import png as png_file
from training.cache import _in_order, load_studies
from training.pictures import Darkroom, Undeveloped
from training.sources import Source
from wronglung.images import decode

DARKROOM = Darkroom(side=64, stretch=False, mirrored=True)


def damage(image: Path) -> None:
    """Spoil the pixels of a file, which keeps its header and its length."""
    data = bytearray(image.read_bytes())
    data[400:420] = bytes(20)
    image.write_bytes(data)


def developed(one: ImageRecord, darkroom: Darkroom = DARKROOM) -> list[tuple[object, ...]]:
    result = darkroom.record(one)
    assert not isinstance(result, Undeveloped)
    return list(result)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Four images, of which one is damaged behind its header."""
    path = write_jsonl(tmp_path_factory.mktemp("data"), 4)
    damage(path.parent / "1.png")
    return Source(open_dataset(parse_dataset(f"jsonl:{path}")), "four")


def test_bad_pictures_are_counted_and_named(source: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored = load_studies(source, DARKROOM, tmp_path, workers=1)
    assert len(stored.studies) == len(stored.squares) == 2 * 3
    told = capsys.readouterr().err
    assert "left out: 1 × image_unreadable" in told
    again = load_studies(source, DARKROOM, tmp_path, workers=1)
    assert told.endswith(capsys.readouterr().err)  # the second time too, but without a bar
    assert list(again.studies) == list(stored.studies)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_is_stored_is_what_was_developed(source: Source, tmp_path: Path) -> None:
    stored = load_studies(source, DARKROOM, tmp_path, workers=1)
    own = [view for one in source.dataset for view in (DARKROOM.record(one) if "1" not in one.image_id else [])]
    assert [study for study, _ in own] == list(stored.studies)  # type: ignore[misc]
    assert (np.stack([square for _, square in own]) == stored.squares).all()  # type: ignore[misc]
    assert stored.studies[-1] == stored.studies[5] == stored.studies[4:][1]


def test_a_run_that_breaks_off_leaves_nothing_under_the_name(tmp_path: Path) -> None:
    class Breaks:
        name, digest, findings = "breaks", "0", Findings()

        def __len__(self) -> int:
            return 2

        def __iter__(self) -> Iterator[ImageRecord]:
            raise ConnectionError("the disk is gone")

    with pytest.raises(ConnectionError):
        load_studies(Source(Breaks(), "breaks"), DARKROOM, tmp_path, workers=1)
    assert list(tmp_path.iterdir()) == []


def test_a_data_set_without_a_usable_picture_is_refused(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path, 1)
    damage(tmp_path / "0.png")
    with pytest.raises(ConfigError, match="no study that can be learned from"):
        load_studies(Source(open_dataset(parse_dataset(str(path))), "none"), DARKROOM, tmp_path / "c", workers=1)


def test_items_are_taken_only_a_little_ahead() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for i in range(100):
            taken.append(i)
            yield i

    results = _in_order(abs, items(), workers=1)  # type: ignore[arg-type]
    assert next(results) == 0
    assert len(taken) <= 12
    assert list(results) == list(range(1, 100))


def test_a_mirror_image_changes_sides_in_picture_words_and_truth() -> None:
    mask = BoxMask(1, 2, "011")
    opacity = replace(sentence("s", "Opacity in the right lung.", RIGHT_LUNG, label="opacity"))
    opacity = replace(opacity, boxes=(replace(RIGHT_LUNG, mask=mask),), paraphrase="The right lung is opaque.")
    (own, square), (other, flipped) = developed(record(0, opacity))  # type: ignore[misc]
    assert (square[:, ::-1] == flipped).all()
    [mirrored] = other.sentences  # type: ignore[attr-defined]
    assert mirrored.text == "Opacity in the left lung."
    assert mirrored.paraphrase == "The left lung is opaque."
    assert mirrored.triples == (Triple("left lung", "opacity", True),)
    [box], [before] = mirrored.boxes, own.sentences[0].boxes  # type: ignore[attr-defined]
    assert box.name == "left lung"
    assert (box.x0, box.x1) == pytest.approx((64 - before.x1, 64 - before.x0))
    assert box.mask == mask.mirrored()


def test_the_middle_lobe_has_no_mirror_image() -> None:
    spoken = [sentence("a", "Opacity in the RML.", RIGHT_LUNG), sentence("b", "Clear left lung.", LEFT_LUNG)]
    _, (other, _) = developed(record(0, *spoken))  # type: ignore[misc]
    assert [s.text for s in other.sentences] == ["Clear right lung."]  # type: ignore[attr-defined]


def test_boxes_lie_on_the_same_part_of_the_square() -> None:
    [(study, square)] = developed(record(0), Darkroom(64, False, False))  # type: ignore[misc]
    assert study.image_rect == (0, 6, 64, 57)  # type: ignore[attr-defined]
    assert not square[:6].any()  # type: ignore[index]
    assert not square[57:].any()  # type: ignore[index]
    scale = 64 / WIDTH
    x0, y0, x1, y1 = study.sentences[0].boxes[0].xyxy  # type: ignore[attr-defined]
    assert (x0, x1) == pytest.approx((RIGHT_LUNG.x0 * scale, RIGHT_LUNG.x1 * scale))
    assert (y0, y1) == pytest.approx((RIGHT_LUNG.y0 * 51 / HEIGHT + 6, RIGHT_LUNG.y1 * 51 / HEIGHT + 6))


def test_sixteen_bits_become_the_nearest_eight() -> None:
    deep = np.minimum(decode(png(3)).astype(np.int64) * 257 + 100, 65535).astype(np.uint16)
    one = replace(record(3), load=lambda: png_file(deep, 16, GREY))
    shallow = developed(record(3), Darkroom(64, False, False))[0][1]
    difference = np.abs(developed(one, Darkroom(64, False, False))[0][1].astype(int) - shallow)  # type: ignore[attr-defined,operator]
    assert difference.max() <= 1


def test_a_picture_of_another_size_than_its_record_is_left_out() -> None:
    result = DARKROOM.record(replace(record(0), width=WIDTH + 1))
    assert isinstance(result, Undeveloped)
    assert result.kind == "image_resized"
    gone = DARKROOM.record(replace(record(0), load=lambda: Path("absent.png").read_bytes()))
    assert isinstance(gone, Undeveloped)
    assert gone.kind == "image_missing"


def test_a_box_may_be_called_anything() -> None:
    box = Box("nodule", 1, 1, 5, 5)
    _, (other, _) = developed(record(0, sentence("s", "A nodule.", box)))  # type: ignore[misc]
    assert other.sentences[0].boxes[0].name == "nodule"  # type: ignore[attr-defined]
