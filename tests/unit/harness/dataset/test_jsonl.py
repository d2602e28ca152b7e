"""The JSONL data set: what is read, and what is left out and counted."""

import io
import json
import re

import jsonschema
import pytest
from PIL import Image

from harness.case import Box, Triple
from harness.dataset import checks, line
from harness.dataset.base import Dataset, DatasetError, validate
from harness.dataset.checks import read_patients
from harness.dataset.jsonl import open_jsonl
from harness.runconfig import RunConfig
from tests.harness_fakes import HEIGHT, WIDTH, png
from tests.repository import ROOT
from wronglung.images import header_size


def row(number=0, **changes):
    """One good line, changed as asked."""
    return {
        "image": "a.png",
        "image_id": "a",
        "patient_id": "p",
        "study_id": "st",
        "sentence_id": f"s{number}",
        "sentence": "Opacity in the left lung.",
        "boxes": [{"name": "left lung", "box_xyxy": [180, 30, 300, 220], "label": "opacity", "context": True}],
        "regions": [{"name": "right lung", "box_xyxy": [20, 30, 140, 220]}],
        "negated": False,
    } | changes


@pytest.fixture
def read(tmp_path):
    """Write lines (bytes, text or values) beside one image, and open them."""
    (tmp_path / "a.png").write_bytes(png())

    def write_and_open(*rows, **options):
        lines = [r if isinstance(r, bytes) else json.dumps(r).encode() for r in rows]
        (tmp_path / "data.jsonl").write_bytes(b"\n".join(lines) + b"\n")
        return open_jsonl(tmp_path / "data.jsonl", **options)

    return write_and_open


def test_lines_of_one_image_become_one_record(read):
    dataset = read(row(0), row(1, sentence="No effusion.", negated=True, boxes=[], regions=[]))
    (image,) = dataset
    assert isinstance(dataset, Dataset)
    assert (image.image_id, image.patient_id, image.width, image.height) == ("a", "p", WIDTH, HEIGHT)
    assert image.regions == (Box("right lung", 20, 30, 140, 220),)
    assert [s.sentence_id for s in image.sentences] == ["s0", "s1"]
    assert image.sentences[0].boxes == (Box("left lung", 180, 30, 300, 220),)
    assert image.sentences[0].triples == (Triple("left lung", "opacity", True),)
    assert image.sentences[1].negated
    assert image.load() == png()


def test_one_box_with_several_labels_is_one_box_with_several_triples(read):
    box = {"name": "left lung", "box_xyxy": [1, 2, 3, 4]}
    (image,) = read(row(boxes=[box | {"label": "opacity"}, box | {"label": "abnormal"}, box]))
    (sentence,) = image.sentences
    assert len(sentence.boxes) == 1
    assert [t.label for t in sentence.triples] == ["opacity", "abnormal"]
    assert sentence.abnormal


def bad_box(*xyxy):
    return row(1, boxes=[{"name": "left lung", "box_xyxy": list(xyxy)}])


def bad_mask(**lattice):
    box = {"name": "left lung", "box_xyxy": [10, 10, 20, 20]}
    return row(1, boxes=[box | {"mask": {"rows": 4, "cols": 4, "counts": "0`0"} | lattice}])


@pytest.mark.parametrize(
    ("bad", "kind", "words"),
    [
        (bad_mask(counts="42"), "mask_damaged", "add up to"),
        (bad_mask(counts="`0"), "mask_empty", "outlines nothing"),
        (bad_mask(rows=10**6, cols=10**6), "mask_damaged", "larger than any image"),
        (bad_mask(rows=0), "bad_line", "boxes.0.mask.rows"),
        (bad_mask(counts=[16]), "bad_line", "boxes.0.mask.counts"),
        (bad_box(10, 10, 5, 20), "box_inside_out", "x0 < x1"),
        (bad_box(10, 10, 10, 20), "box_inside_out", "x0 < x1"),
        (bad_box(10, 10, WIDTH + 1, 20), "box_outside_image", f"{WIDTH} x {HEIGHT}"),
        (bad_box(-1, 10, 20, 20), "box_outside_image", "reaches out"),
        (bad_box(1, 2, 3), "bad_line", "boxes.0.box_xyxy"),
        (bad_box(1, 2, 3, "4"), "bad_line", "boxes.0.box_xyxy.3"),
        (bad_box(1, 2, 3, float("nan")), "bad_line", "boxes.0.box_xyxy.3"),
        (bad_box(1, 2, 3, True), "bad_line", "boxes.0.box_xyxy.3"),
        (row(0), "sentence_id_repeated", "'s0'"),
        (row(1, image_id="b", image="missing.png"), "image_missing", "missing.png"),
        (row(1, image_id="b", image="data.jsonl"), "image_unreadable", "data.jsonl"),
        (row(1, patient_id="q"), "image_contradicts", "patient_id"),
        (row(1, sentence="   "), "sentence_blank", "spaces"),
        (row(1, sentence=""), "bad_line", "sentence"),
        (row(1, sentence=7), "bad_line", "sentence"),
        (row(1, negated="no"), "bad_line", "negated"),
        ({k: v for k, v in row(1).items() if k != "patient_id"}, "bad_line", "patient_id: Field required"),
        (b'{"image": "\xff"}', "bad_utf8", "UTF-8"),
        (b'{"image": ', "bad_line", "JSON"),
        ([1, 2], "bad_line", "line:"),
    ],
)
def test_a_line_with_anything_wrong_is_left_out_and_counted(read, bad, kind, words):
    dataset = read(row(0), bad)
    report = validate(dataset)
    assert report.found.sentences == 1
    assert dict(dataset.findings.left_out) == {kind: 1}
    (example,) = dataset.findings.examples[kind]
    assert example.startswith("line 2: ")
    assert words in example
    assert f"1 × {kind}" in "\n".join(report.lines())


def test_what_is_wrong_with_a_line_is_told_without_its_text(read):
    dataset = read(row(0), row(1, sentence=["Confidential findings."]))
    assert "Confidential" not in str(dataset.findings.examples)


def test_a_bad_region_costs_only_the_region(read):
    regions = [{"name": "far away", "box_xyxy": [0, 0, 9999, 5]}, {"name": "right lung", "box_xyxy": [0, 0, 9, 5]}]
    dataset = read(row(0, regions=regions))
    (image,) = dataset
    assert [r.name for r in image.regions] == ["right lung"]
    assert dataset.findings.left_out == {"region_box_outside_image": 1}


def test_regions_may_be_repeated_but_not_contradicted(read):
    other = [{"name": "left lung", "box_xyxy": [0, 0, 9, 5]}]
    dataset = read(row(0, regions=[]), row(1), row(2), row(3, regions=other))
    (image,) = dataset
    assert [r.name for r in image.regions] == ["right lung"]
    assert dataset.findings.left_out == {"regions_contradict": 1}
    assert dataset.findings.examples["regions_contradict"][0].startswith("line 4: ")
    assert len(image.sentences) == 4


def test_shares_of_the_image_instead_of_pixels_are_pointed_out(read):
    shares = [{"name": "left lung", "box_xyxy": [0.1, 0.2, 0.5, 0.9]}]
    assert read(row(0, regions=shares), row(1, regions=shares)).findings.warnings == {"box_within_a_pixel": 1}
    dataset = read(row(0, boxes=shares))
    assert dataset.findings.warnings == {"box_within_a_pixel": 1}
    assert "not shares of the image" in dataset.findings.examples["box_within_a_pixel"][0]


def test_a_statement_that_is_made_and_denied_is_pointed_out(read):
    box = {"name": "left lung", "box_xyxy": [1, 2, 3, 4], "label": "opacity"}
    dataset = read(row(0, boxes=[box, box | {"context": False}]))
    assert dataset.findings.warnings == {"statement_contradicts": 1}


@pytest.mark.parametrize("data", [b"[", json.dumps([row(0)]).encode()])
def test_a_list_instead_of_lines_is_pointed_out(read, data):
    (example,) = read(data).findings.examples["bad_line"]
    assert example.endswith("(a list begins here: write one object a line)")


def test_unknown_keys_are_pointed_out_and_ignored(read):
    dataset = read(row(0, negeted=True))
    assert dataset.findings.warnings == {"unknown_key": 1}
    assert "negeted" in dataset.findings.examples["unknown_key"][0]
    assert len(dataset) == 1


def test_inclusive_maxima_become_half_open(read):
    (image,) = read(bad_box(0, 0, WIDTH - 1, HEIGHT - 1), inclusive_maxima=True)
    assert image.sentences[0].boxes[0].xyxy == (0, 0, WIDTH, HEIGHT)


def test_maxima_copied_by_mistake_are_pointed_out(read):
    rows = [row(i, boxes=[{"name": "left lung", "box_xyxy": [1, 2, 100 + i, 100 + i]}], regions=[]) for i in range(20)]
    assert "y1_equals_x1" in read(*rows).findings.warnings
    rows = [row(i, boxes=[{"name": "left lung", "box_xyxy": [1, 2, 100 + i, 101 + i]}], regions=[]) for i in range(20)]
    assert not read(*rows).findings.warnings


def test_patients_that_a_model_was_finetuned_on_are_left_out(read, tmp_path):
    (tmp_path / "patients.txt").write_text("p\n\nother\n", encoding="utf-8-sig")
    dataset = read(row(0), row(1, patient_id="q", image_id="b"), seen_patients=read_patients(tmp_path / "patients.txt"))
    assert [image.patient_id for image in dataset] == ["q"]
    assert dataset.findings.left_out == {"patient_in_finetuning_set": 1}


def test_a_list_of_patients_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "patients.txt").write_bytes(b"\xff\n")
    with pytest.raises(DatasetError, match=r"patients\.txt: byte 0 is not UTF-8"):
        read_patients(tmp_path / "patients.txt")


def test_the_size_of_a_large_image_is_read_from_its_first_bytes(tmp_path, monkeypatch):
    whole = png(width=700, height=700)
    path = tmp_path / "large"
    asked = []
    monkeypatch.setattr(checks, "header_size", lambda data: asked.append(len(data)) or header_size(data))
    for data, reads in ((jpeg_of(whole) + bytes(checks.HEADER_BYTES), 1), (whole, 2)):
        assert len(data) > checks.HEADER_BYTES
        path.write_bytes(data)
        assert checks.image_size(path) == (700, 700)
        assert len(asked) == reads  # a PNG may say how it is turned behind its pixels
        asked.clear()


def jpeg_of(data):
    buffer = io.BytesIO()
    Image.open(io.BytesIO(data)).save(buffer, "JPEG")
    return buffer.getvalue()


def test_only_the_first_examples_of_a_kind_are_kept(read):
    dataset = read(*(row(i, sentence="") for i in range(9)))
    assert dataset.findings.left_out == {"bad_line": 9}
    assert len(dataset.findings.examples["bad_line"]) == 5


def test_the_digest_follows_the_content(read):
    first, again, changed = read(row(0)).digest, read(row(0)).digest, read(row(0, sentence="Other.")).digest
    assert first == again != changed


def test_a_second_wording_is_kept_and_told_apart_by_the_digest(read):
    plain, worded = read(row(0)), read(row(0, paraphrase="Said otherwise."))
    assert [s.paraphrase for r in plain for s in r.sentences] == [""]
    assert [s.paraphrase for r in worded for s in r.sentences] == ["Said otherwise."]
    assert plain.digest != worded.digest


def test_a_blank_second_wording_leaves_its_sentence_out(read):
    assert read(row(0, paraphrase="  ")).findings.left_out == {"paraphrase_blank": 1}


def test_blank_lines_are_nothing(read):
    dataset = read(row(0), b"", b"  ")
    assert len(dataset) == 1
    assert not dataset.findings.left_out


def test_the_shipped_schema_is_the_readers_own():
    shipped = (line.__file__).replace("line.py", "jsonl.schema.json")
    with open(shipped, encoding="utf-8") as file:
        assert file.read() == line.json_schema_text()


def test_the_page_for_users_shows_a_line_that_is_read_and_names_every_key():
    page = (ROOT / "docs" / "bring-your-own-data.md").read_text(encoding="utf-8")
    example = page.split("```json\n")[1].split("```")[0]
    assert line.parse_line(example.encode()).boxes[1].label == "abnormal"
    assert keys_of_table(page.split("## Check it first")[0]) == set(line.Line.model_fields)


def test_the_page_for_users_names_every_key_of_a_run_file():
    page = (ROOT / "docs" / "bring-your-own-data.md").read_text(encoding="utf-8")
    assert keys_of_table(page.split("\n## Run it\n")[1].split("\n## ")[0]) == set(RunConfig.model_fields)


def keys_of_table(text: str) -> set[str]:
    """The names in the first column of a page's tables."""
    firsts = [row.split("|")[1] for row in text.splitlines() if row.startswith("| `")]
    return set(re.findall(r"`(\w+)`", "".join(firsts)))


def test_the_shipped_schema_accepts_what_the_reader_accepts():
    jsonschema.Draft202012Validator.check_schema(line.json_schema())
    jsonschema.validate(row(), line.json_schema())
    for bad in (bad_box(1, 2, 3), row(sentence=""), row(negated="no")):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, line.json_schema())
