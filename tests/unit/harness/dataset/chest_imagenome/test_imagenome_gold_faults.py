"""Broken copies of Chest ImaGenome's gold set: each fault is named and counted, and survived or refused."""

import csv
import gzip
import shutil

import pytest
from PIL import Image

from harness.dataset.base import DatasetError, validate
from harness.dataset.chest_imagenome.gold import BOXES, SCALING, STATEMENTS
from harness.dataset.chest_imagenome.splits import AVOID, SPLITS
from harness.dataset.export.chest_imagenome import JPEG_ROOT, ROOT
from tests.imagenome_copies import phantoms, read_gold


def rewrite(path, change, delimiter=","):
    """Change a table: `change` gets its rows, each a dictionary, and changes them or gives others."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter=delimiter)
        rows = list(reader)
        names = list(reader.fieldnames)
    changed = change(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows if changed is None else changed)


def rewrite_statements(copy, change):
    rewrite(copy / ROOT / STATEMENTS, change, "\t")


def of_first_sentence(rows):
    return [row for row in rows if row["row_id"] == rows[0]["row_id"]]


def with_value(column, value, *, every_row=False):
    """A change of one value, in the first row or in all rows of the first sentence."""

    def change(rows):
        for row in of_first_sentence(rows) if every_row else rows[:1]:
            row[column] = value

    return change


SENTENCES = sum(len(record.sentences) for record in phantoms("gold"))
OF_FIRST_IMAGE = len(phantoms("gold")[0].sentences)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (with_value("coord_original", "[10, 10, 99999, 20]", every_row=True), "box_outside_image", "reaches out"),
        (with_value("coord_original", "[-1, 10, 20, 20]", every_row=True), "box_outside_image", "reaches out"),
        (with_value("coord_original", "[50, 10, 20, 20]", every_row=True), "box_inside_out", "x0 < x1"),
        (with_value("coord_original", "[50, 10, 60]"), "bad_coordinates", "[x1, y1, x2, y2]"),
        (with_value("coord_original", "[1, 2, NaN, 4]"), "bad_coordinates", "[x1, y1, x2, y2]"),
        (with_value("coord_original", "__import__('os')"), "bad_coordinates", "[x1, y1, x2, y2]"),
        (with_value("coord_original", ""), "bad_coordinates", "[x1, y1, x2, y2]"),
        (with_value("context", "maybe"), "bad_context", "yes or no, got 'maybe'"),
        (with_value("bbox", ""), "value_missing", "bbox or label_name is empty"),
        (with_value("label_name", ""), "value_missing", "bbox or label_name is empty"),
        (with_value("sentence", "  ", every_row=True), "sentence_blank", "no characters"),
        (with_value("image_id", "../../secret.dcm", every_row=True), "bad_id", "letters, digits and dashes"),
        (with_value("patient_id", "p1", every_row=True), "bad_id", "must be numbers"),
        (with_value("study_id", "59999999", every_row=True), "image_missing", "neither"),
    ],
)
def test_a_sentence_with_anything_wrong_is_left_out_as_a_whole(copy, change, kind, words):
    rewrite_statements(copy, change)
    dataset = read_gold(copy)
    assert validate(dataset).found.sentences == SENTENCES - 1
    assert dataset.findings.left_out == {kind: 1}
    (example,) = dataset.findings.examples[kind]
    assert example.startswith(f"{STATEMENTS.name} line 2: ")
    assert words in example


def test_boxes_can_be_cut_at_the_edge_of_the_image(copy):
    rewrite_statements(copy, with_value("coord_original", "[-5, 10, 99999, 20]", every_row=True))
    rewrite(copy / ROOT / BOXES, with_value("original_x2", "99999"))
    dataset = read_gold(copy, clip_boxes=True)
    first = next(iter(dataset))
    boxes = {box.xyxy for box in first.sentences[0].boxes}
    assert boxes == {(0, 10, first.width, 20)}
    assert first.regions[0].x1 == first.width
    assert not dataset.findings.left_out
    assert dataset.findings.warnings["box_clipped"] == len(first.sentences[0].triples)


def test_a_box_outside_the_image_altogether_cannot_be_cut(copy):
    rewrite_statements(copy, with_value("coord_original", "[99990, 10, 99999, 20]", every_row=True))
    dataset = read_gold(copy, clip_boxes=True)
    assert dataset.findings.left_out == {"box_outside_image": 1}
    assert "box_clipped" not in dataset.findings.warnings


@pytest.mark.parametrize("column", ["sentence", "patient_id", "study_id"])
def test_another_text_patient_or_study_under_one_id_is_left_out(copy, column):
    rewrite_statements(copy, lambda rows: [rows[0], rows[0] | {column: "10000099"}, *rows[1:]])
    dataset = read_gold(copy)
    assert dataset.findings.left_out == {"sentence_contradicts": 1}
    assert "line 3 gives it another" in dataset.findings.examples["sentence_contradicts"][0]


def test_one_region_with_two_boxes_is_left_out(copy):
    rewrite_statements(copy, lambda rows: [rows[0] | {"coord_original": "[1, 1, 9, 9]"}, *rows])
    found = read_gold(copy).findings
    assert found.left_out == {"box_contradicts": 1}


def test_the_same_row_twice_is_one_statement(copy):
    before = read_gold(copy).digest
    rewrite_statements(copy, lambda rows: [rows[0], *rows])
    dataset = read_gold(copy)
    assert dataset.digest == before
    assert not dataset.findings.left_out


def test_what_the_annotators_do_not_confirm_is_no_statement(copy):
    (before, *_) = read_gold(copy)
    rewrite_statements(copy, with_value("relation", "0"))
    dataset = read_gold(copy)
    (after, *_) = dataset
    assert dataset.findings.left_out == {"relation_not_1": 1}
    assert len(after.sentences) == len(before.sentences)
    assert after.sentences[0].triples == before.sentences[0].triples[1:]


def row_ids(copy):
    """The sentence of each row."""
    with (copy / ROOT / STATEMENTS).open(encoding="utf-8", newline="") as file:
        return [(row["image_id"], row["row_id"]) for row in csv.DictReader(file, delimiter="\t")]


@pytest.mark.parametrize(
    ("spoil", "kind", "words", "doubtful"),
    [
        (lambda line: line.replace(b"finalreport", b"final\xffreport"), "bad_utf8", "save the file as UTF-8", 1),
        (lambda line: line[: line.rindex(b"\t")] + b"\n", "bad_line", "13 values, the heading has 14", 1),
        (lambda line: line[:12] + b"\n", "bad_line", "2 values, the heading has 14", 2),
    ],
)
def test_a_row_that_cannot_be_read_costs_its_whole_sentence(copy, spoil, kind, words, doubtful):
    ids = row_ids(copy)
    number = next(i for i in range(1, len(ids)) if ids[i] == ids[i - 1] != ids[i + 1])  # the last of several
    path = copy / ROOT / STATEMENTS
    lines = path.read_bytes().splitlines(keepends=True)
    lines[number + 1] = spoil(lines[number + 1])
    path.write_bytes(b"".join(lines))
    dataset = read_gold(copy)
    assert dataset.findings.left_out == {kind: 1, "sentence_incomplete": doubtful}
    (example,) = dataset.findings.examples[kind]
    assert example.startswith(f"{STATEMENTS.name} line {number + 2}: ")
    assert words in example
    kept = {sentence.sentence_id for record in dataset for sentence in record.sentences}
    assert len(kept) == SENTENCES - doubtful
    image_id, row_id = ids[number]
    assert f"dicom_{image_id.removesuffix('.dcm')}_sent_{row_id}" not in kept


def test_a_row_without_ids_is_left_out(copy):
    rewrite_statements(copy, lambda rows: [*rows, rows[0] | {"row_id": ""}])
    found = read_gold(copy).findings
    assert found.left_out == {"value_missing": 1, "sentence_incomplete": 1}


def test_an_image_that_is_missing_costs_its_sentences(copy):
    next((copy / JPEG_ROOT).rglob("s50000001/*.jpg")).unlink()
    dataset = read_gold(copy)
    assert dataset.findings.left_out == {"image_missing": OF_FIRST_IMAGE}
    assert "neither" in dataset.findings.examples["image_missing"][0]
    assert len(dataset) == len(phantoms("gold")) - 1


def test_an_image_that_is_none_costs_its_sentences(copy):
    next((copy / JPEG_ROOT).rglob("s50000001/*.jpg")).write_bytes(b"\xff\xd8\xff\xe0 cut off")
    assert read_gold(copy).findings.left_out == {"image_unreadable": OF_FIRST_IMAGE}


@pytest.mark.parametrize("times", [0.5, 0.9, 2])
def test_an_image_that_is_not_in_its_original_size_costs_its_sentences(copy, times):
    picture = next((copy / JPEG_ROOT).rglob("s50000001/*.jpg"))
    with Image.open(picture) as image:
        resized = image.resize([round(size * times) for size in image.size])
    resized.save(picture)
    dataset = read_gold(copy, clip_boxes=True)
    assert dataset.findings.left_out == {"image_resized": OF_FIRST_IMAGE}
    assert "use images in their original size" in dataset.findings.examples["image_resized"][0]


def test_patients_that_the_silver_splits_train_on_are_left_out_unless_avoided(copy):
    def add_gold_patient(rows):
        rows.append(rows[0] | {"subject_id": "10000001"})

    rewrite(copy / ROOT / SPLITS / "train.csv", add_gold_patient)
    assert not read_gold(copy).findings.left_out
    rewrite(copy / ROOT / SPLITS / AVOID, lambda rows: [row for row in rows if row["subject_id"] != "10000001"])
    dataset = read_gold(copy)
    assert set(dataset.findings.left_out) == {"patient_in_finetuning_set"}
    assert "10000001" not in {record.patient_id for record in dataset}


def test_patients_of_a_finetuning_set_are_left_out(copy, tmp_path):
    (tmp_path / "seen.txt").write_text("10000002\n")
    dataset = read_gold(copy, finetuned_patients=tmp_path / "seen.txt")
    assert set(dataset.findings.left_out) == {"patient_in_finetuning_set"}
    assert {record.patient_id for record in dataset} == {"10000001", "10000003"}


def test_without_the_splits_it_is_said_that_nobody_can_tell(copy):
    shutil.rmtree(copy / ROOT / SPLITS)
    dataset = read_gold(copy)
    assert dataset.findings.warnings == {"splits_missing": 1}
    assert len(dataset) == len(phantoms("gold"))


def test_exchanged_columns_of_the_regions_are_pointed_out(copy):
    def in_the_usual_order(rows):
        for row in rows:
            x1, y1, x2, y2 = (row[f"original_{corner}"] for corner in ("x1", "y1", "x2", "y2"))
            row.update(original_x1=x1, original_x2=y1, original_y1=x2, original_y2=y2)

    rewrite(copy / ROOT / BOXES, in_the_usual_order)
    found = read_gold(copy).findings
    assert found.warnings["box_differs"]
    assert {"region_box_outside_image", "region_box_inside_out"} & set(found.left_out)


def test_exchanged_columns_of_the_statements_are_pointed_out(copy):
    def exchange(rows):
        for row in rows:
            row["coord224"] = str([int(part) for part in row["coord224"].strip("[]").split(",")][::-1])

    rewrite_statements(copy, exchange)
    assert read_gold(copy).findings.warnings["coord224_differs"]
    (copy / ROOT / SCALING).unlink()
    assert not read_gold(copy).findings.warnings


def test_a_scaling_that_is_no_number_is_left_out(copy):
    rewrite(copy / ROOT / SCALING, with_value_of("ratio", "wide"))
    assert read_gold(copy).findings.left_out == {"bad_scaling": 1}


def with_value_of(column, value):
    def change(rows):
        rows[0][column] = value

    return change


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("original_x1", "left", "region_bad_coordinates"),
        ("original_x2", "99999", "region_box_outside_image"),
        ("bbox_name", "", "region_value_missing"),
    ],
)
def test_a_region_with_anything_wrong_costs_only_itself(copy, column, value, kind):
    whole = read_gold(copy)
    rewrite(copy / ROOT / BOXES, with_value_of(column, value))
    dataset = read_gold(copy)
    assert dataset.findings.left_out == {kind: 1}
    assert validate(dataset).found.sentences == validate(whole).found.sentences
    assert sum(len(r.regions) for r in dataset) == sum(len(r.regions) for r in whole) - 1


def test_a_region_that_is_named_twice_is_the_first_one(copy):
    (before, *_) = read_gold(copy)
    rewrite(copy / ROOT / BOXES, lambda rows: [*rows, rows[0] | {"original_x1": "0"}])
    dataset = read_gold(copy)
    assert next(iter(dataset)).regions == before.regions
    assert dataset.findings.left_out == {"region_repeated": 1}


def test_maxima_copied_by_mistake_are_pointed_out(copy):
    def copy_maxima(rows):
        for row in rows:
            x1, y1, x2, _ = (int(part) for part in row["coord_original"].strip("[]").split(","))
            row["coord_original"] = str([x1, y1, x2, x2])

    def copy_maxima_of_regions(rows):
        for row in rows:
            row["original_y2"] = row["original_x2"]

    rewrite_statements(copy, copy_maxima)
    rewrite(copy / ROOT / BOXES, copy_maxima_of_regions)
    assert read_gold(copy).findings.warnings["y1_equals_x1"] == 1


@pytest.mark.parametrize("table", [STATEMENTS, BOXES])
def test_a_table_that_is_missing_or_lacks_a_column_is_refused(copy, table):
    path = copy / ROOT / table
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("image_id", "image", 1), encoding="utf-8")
    with pytest.raises(DatasetError, match="no column 'image_id'"):
        read_gold(copy)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=table.name):
        read_gold(copy)


def test_a_packed_table_is_read_and_one_that_is_cut_off_is_refused(copy):
    path = copy / ROOT / STATEMENTS
    whole = read_gold(copy).digest
    packed = gzip.compress(path.read_bytes())
    path.write_bytes(packed)
    assert read_gold(copy).digest == whole
    path.write_bytes(packed[:-20])
    with pytest.raises(DatasetError, match="cut off"):
        read_gold(copy)


def test_a_folder_of_images_that_is_not_there_is_refused(copy):
    with pytest.raises(FileNotFoundError, match=r"point dataset\.images at"):
        read_gold(copy, images="nowhere")
    assert len(read_gold(copy, images=f"{JPEG_ROOT}/files")) == len(phantoms("gold"))


def test_a_root_without_the_gold_set_is_refused(copy):
    with pytest.raises(FileNotFoundError, match=r"point dataset\.root at"):
        read_gold(copy, root="nowhere")
