"""Broken copies of Chest ImaGenome's silver set, and that it is read as a stream."""

import gc
import gzip
import json
import shutil

import pytest
from PIL import Image

from harness.case import ImageRecord
from harness.dataset.base import DatasetError, validate
from harness.dataset.chest_imagenome.silver import SCENES, scene_path
from harness.dataset.chest_imagenome.splits import AVOID, SPLITS
from harness.dataset.export.chest_imagenome import DICOM_ROOT, JPEG_ROOT, ROOT
from tests.imagenome_copies import phantoms, read_silver

IMAGES = len(phantoms("test"))


@pytest.fixture
def scene(copy):
    """The scene graph of the first image of the test split."""
    return scene_path(copy / ROOT, next(iter(read_silver(copy))).image_id)


def rewrite(path, change):
    """Change a scene graph in place."""
    tree = json.loads(path.read_bytes())
    change(tree)
    path.write_text(json.dumps(tree), encoding="utf-8")


def cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def pack_and_cut(path):
    path.write_bytes(gzip.compress(path.read_bytes())[:-40])


def spoil_text(path):
    path.write_bytes(path.read_bytes().replace(b"finalreport", b"final\xffreport", 1))


def changed(change):
    return lambda path: rewrite(path, change)


def use_an_object_id_twice(tree):
    tree["objects"].append(tree["objects"][0] | {"original_x1": 0})


@pytest.mark.parametrize(
    ("spoil", "kind", "words"),
    [
        (lambda path: path.unlink(), "scene_graph_missing", "_SceneGraph.json"),
        (cut, "bad_scene_graph", "JSON"),
        (pack_and_cut, "bad_scene_graph", "cut off"),
        (spoil_text, "bad_utf8", "not UTF-8"),
        (changed(lambda tree: tree.pop("objects")), "bad_scene_graph", "objects: Field required"),
        (changed(lambda tree: tree["objects"][0].pop("original_y2")), "bad_scene_graph", "objects.0.original_y2"),
        (changed(lambda tree: tree["objects"][0].update(original_y2="9")), "bad_scene_graph", "objects.0.original_y2"),
        (changed(lambda tree: tree["attributes"][0]["phrases"].pop()), "bad_scene_graph", "not equally long"),
        (changed(use_an_object_id_twice), "bad_scene_graph", "used twice"),
    ],
)
def test_a_scene_graph_that_cannot_be_used_costs_its_image(copy, scene, spoil, kind, words):
    spoil(scene)
    dataset = read_silver(copy)
    assert dataset.findings.left_out == {kind: 1}
    assert words in dataset.findings.examples[kind][0]
    assert "test.csv line 2" in dataset.findings.examples[kind][0]
    assert len(dataset) == IMAGES - 1 == sum(1 for _ in dataset)


def first_region(tree):
    return tree["attributes"][0]


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (lambda tree: first_region(tree)["attributes"][0].append("yes|opacity"), "bad_attribute", "got 'yes|opacity'"),
        (lambda tree: first_region(tree)["attributes"][0].append("nlp|maybe|normal"), "bad_context", "'maybe'"),
        (lambda tree: tree["attributes"].append(first_region(tree) | {"phrases": [" "] * 9}), "bad_scene_graph", ""),
    ],
)
def test_a_statement_that_cannot_be_read_costs_its_sentence(copy, scene, change, kind, words):
    sentences = validate(read_silver(copy)).found.sentences
    rewrite(scene, change)
    dataset = read_silver(copy)
    assert dataset.findings.left_out == {kind: 1}
    assert words in dataset.findings.examples[kind][0]
    if kind != "bad_scene_graph":
        assert validate(dataset).found.sentences == sentences - 1


def test_a_region_without_a_box_costs_the_sentences_that_speak_of_it(copy, scene):
    sentences = validate(read_silver(copy)).found.sentences
    tree = json.loads(scene.read_bytes())
    region = first_region(tree)
    rewrite(scene, lambda tree: tree["objects"].remove(object_of(tree, region)))
    dataset = read_silver(copy)
    count = len(region["phrases"])
    assert dataset.findings.left_out == {"region_without_box": count}
    assert region["bbox_name"] in dataset.findings.examples["region_without_box"][0]
    assert validate(dataset).found.sentences == sentences - count


def object_of(tree, region):
    return next(found for found in tree["objects"] if found["object_id"] == region["object_id"])


def test_a_box_outside_the_image_costs_its_sentences_and_the_region(copy, scene):
    region = first_region(json.loads(scene.read_bytes()))
    rewrite(scene, lambda tree: object_of(tree, region).update(original_x2=99_999))
    found = read_silver(copy).findings
    assert found.left_out == {"box_outside_image": len(region["phrases"]), "region_box_outside_image": 1}


def test_boxes_can_be_cut_at_the_edge_of_the_image(copy, scene):
    region = first_region(json.loads(scene.read_bytes()))
    rewrite(scene, lambda tree: object_of(tree, region).update(original_x2=99_999))
    dataset = read_silver(copy, clip_boxes=True)
    first = next(iter(dataset))
    assert next(box for box in first.regions if box.name == region["bbox_name"]).x1 == first.width
    assert dataset.findings.warnings["box_clipped"] >= len(region["phrases"])
    assert not dataset.findings.left_out


def test_two_texts_under_one_id_are_left_out(copy, scene):
    def repeat_id(tree):
        other = dict(first_region(tree), phrases=["Other."], attributes=[["nlp|yes|normal"]], sections=["finalreport"])
        tree["attributes"].append(other | {"phrase_IDs": first_region(tree)["phrase_IDs"][:1]})

    rewrite(scene, repeat_id)
    assert read_silver(copy).findings.left_out == {"sentence_contradicts": 1}


def test_a_blank_sentence_is_left_out(copy, scene):
    def blank(tree):
        said = dict(first_region(tree), phrases=[" "], attributes=[[]], sections=[], phrase_IDs=["1|99"])
        tree["attributes"].append(said)

    rewrite(scene, blank)
    assert read_silver(copy).findings.left_out == {"sentence_blank": 1}


def test_a_sentence_without_attributes_keeps_its_place(copy, scene):
    def add(tree):
        said = dict(first_region(tree), phrases=["As before."], attributes=[[]], sections=[], phrase_IDs=["1|99"])
        tree["attributes"].append(said)

    rewrite(scene, add)
    last = next(iter(read_silver(copy))).sentences[-1]
    assert last.text == "As before."
    assert [box.name for box in last.boxes] == [first_region(json.loads(scene.read_bytes()))["bbox_name"]]
    assert last.triples == ()


def listed(copy, name):
    return (copy / ROOT / SPLITS / name).read_text(encoding="utf-8").splitlines()


def add_line(copy, name, line):
    with (copy / ROOT / SPLITS / name).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def test_patients_of_the_gold_set_are_left_out(copy):
    gold = listed(copy, AVOID)[1]
    add_line(copy, "test.csv", f"99,{gold}")
    dataset = read_silver(copy)
    assert dataset.findings.left_out == {"patient_in_gold_set": 1}
    assert len(dataset) == IMAGES


def test_patients_of_two_splits_are_left_out_of_the_later_one(copy):
    first = listed(copy, "test.csv")[1]
    add_line(copy, "valid.csv", first)
    dataset = read_silver(copy)
    patient = first.split(",")[1]
    assert set(dataset.findings.left_out) == {"patient_in_both_sets"}
    assert "train.csv or valid.csv" in dataset.findings.examples["patient_in_both_sets"][0]
    assert patient not in {record.patient_id for record in dataset}
    assert patient in {record.patient_id for record in read_silver(copy, split="valid")}


def test_a_line_of_another_split_that_cannot_be_read_is_counted(copy):
    add_line(copy, "train.csv", "7,10000099")
    assert read_silver(copy).findings.left_out == {"bad_line": 1}
    add_line(copy, AVOID, "10000099")
    assert read_silver(copy).findings.left_out == {"bad_line": 2}


def test_patients_of_a_finetuning_set_are_left_out(copy, tmp_path):
    patient = listed(copy, "test.csv")[1].split(",")[1]
    (tmp_path / "seen.txt").write_text(patient)
    dataset = read_silver(copy, finetuned_patients=tmp_path / "seen.txt")
    assert set(dataset.findings.left_out) == {"patient_in_finetuning_set"}
    assert dataset.findings.notes == ["1 of 1 patients that a model was trained on have images here"]
    assert patient not in {record.patient_id for record in dataset}


def test_an_image_that_is_listed_twice_counts_once(copy):
    add_line(copy, "test.csv", listed(copy, "test.csv")[1])
    dataset = read_silver(copy)
    assert dataset.findings.left_out == {"image_id_repeated": 1}
    assert len(dataset) == IMAGES


def test_an_image_that_is_missing_is_left_out(copy, scene):
    image_id = scene.name.removesuffix("_SceneGraph.json")
    next((copy / DICOM_ROOT).rglob(f"{image_id}.dcm")).unlink()
    assert read_silver(copy).findings.left_out == {"image_missing": 1}


@pytest.mark.parametrize("times", [0.5, 0.8, 2])
def test_an_image_that_is_not_in_its_original_size_is_left_out(copy, scene, times):
    picture = next((copy / JPEG_ROOT).rglob(f"{scene.name.removesuffix('_SceneGraph.json')}.jpg"))
    with Image.open(picture) as image:
        resized = image.resize([round(size * times) for size in image.size])
    resized.save(picture)
    dataset = read_silver(copy, JPEG_ROOT, clip_boxes=True)
    assert dataset.findings.left_out == {"image_resized": 1}


def test_without_copies_of_the_boxes_no_size_is_checked(copy, scene):
    before = read_silver(copy).digest

    def remove_copies(tree):
        for region in tree["objects"]:
            for name in ("x1", "y1", "x2", "y2"):
                del region[name]

    rewrite(scene, remove_copies)
    assert read_silver(copy).digest == before


def test_an_image_that_is_none_costs_its_sentences(copy, scene):
    image_id = scene.name.removesuffix("_SceneGraph.json")
    next((copy / DICOM_ROOT).rglob(f"{image_id}.dcm")).write_bytes(bytes(128) + b"DICM")
    assert set(read_silver(copy).findings.left_out) == {"image_unreadable"}


def test_maxima_copied_by_mistake_are_pointed_out(copy):
    def copy_maxima(tree):
        for region in tree["objects"]:
            region["original_y2"] = region["original_x2"]

    for path in (copy / ROOT / SCENES).iterdir():
        rewrite(path, copy_maxima)
    assert read_silver(copy).findings.warnings == {"y1_equals_x1": 1}


def test_what_is_not_there_is_refused(copy):
    (copy / ROOT / SPLITS / "valid.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"valid\.csv"):
        read_silver(copy)
    shutil.rmtree(copy / ROOT / SCENES)
    with pytest.raises(FileNotFoundError, match=r"unpack scene_graph\.zip"):
        read_silver(copy)


def test_a_scene_graph_that_changes_after_it_was_checked_is_an_error(copy, scene):
    dataset = read_silver(copy)
    cut(scene)
    with pytest.raises(DatasetError, match="changed while it was being read"):
        list(dataset)


def test_no_record_is_kept(copy):
    def records():
        gc.collect()
        return sum(isinstance(found, ImageRecord) for found in gc.get_objects())

    before = records()
    dataset = read_silver(copy, split="train")
    assert records() == before
    assert max(records() - before for _ in dataset) <= 2
    assert len(dataset) > 2
