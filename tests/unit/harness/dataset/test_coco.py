"""COCO: what is read, where the sentence comes from, and broken copies."""

import gzip

import pytest

from harness.dataset.export.affirmed import affirmed
from harness.dataset.finding import finding_sentence
from harness.settings import ConfigError
from tests.layout_copies import Copy, assert_same_scores, by_finding, kinds, phantoms, scores


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return Copy("coco", tmp_path_factory.mktemp("coco") / "copy")


def test_maps_score_as_on_the_phantoms_themselves(copy):
    pairs, expected = [], []
    for native, record in zip(phantoms(), copy.open(), strict=True):
        assert (record.patient_id, record.study_id) == (native.patient_id, native.study_id)
        stated = [sentence for _, sentence in affirmed(native)]
        assert [sentence.text for sentence in record.sentences] == [sentence.text for sentence in stated]
        pairs += [(record, sentence.boxes) for sentence in record.sentences]
        expected += [(native, sentence.boxes) for sentence in stated]
    for profile in ("exact", "paper"):
        assert_same_scores(scores(pairs, profile), scores(expected, profile))


def test_without_captions_sentences_are_made_from_the_categories(copy):
    def strip(document):
        for annotation in document["annotations"]:
            del annotation["caption"]

    pairs, expected = [], []
    for native, record in zip(phantoms(), copy.with_document(strip), strict=True):
        stated = by_finding(native)
        assert [sentence.text for sentence in record.sentences] == [finding_sentence(label) for label in stated]
        for sentence, natives in zip(record.sentences, stated.values(), strict=True):
            pairs.append((record, sentence.boxes))
            expected.append((native, tuple(box for each in natives for box in each.boxes)))
    assert_same_scores(scores(pairs), scores(expected))


def test_label_text_comes_before_a_caption(copy):
    def label(document):
        document["annotations"][0]["label_text"] = "The label."

    assert next(iter(copy.with_document(label))).sentences[0].text == "The label."


def test_a_caption_without_category_or_box_is_a_sentence_that_is_not_scored(copy):
    def caption(document):
        document["annotations"][0] = {"id": 1, "image_id": 1, "caption": "Alone."}
        document["annotations"][0]["image_id"] = document["annotations"][1]["image_id"]

    dataset = copy.with_document(caption)
    (sentence,) = (s for record in dataset for s in record.sentences if s.text == "Alone.")
    assert (sentence.boxes, sentence.abnormal) == ((), False)


def test_an_image_without_a_patient_counts_as_one_and_that_is_told(copy):
    def anonymous(document):
        for image in document["images"]:
            del image["patient_id"], image["study_id"]

    dataset = copy.with_document(anonymous)
    assert all(record.patient_id == record.study_id == record.image_id for record in dataset)
    assert f"{len(dataset)} images have no patient id" in dataset.findings.notes[0]


def edit(**values):
    return lambda document: document["annotations"][0].update(values)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (edit(bbox=[1, 2, 9999, 4]), "box_outside_image", "reaches out"),
        (edit(bbox=[5, 5, 0, 4]), "box_inside_out", "x0 < x1"),
        (edit(bbox=[5, 5, 4]), "bad_entry", "bbox"),
        (edit(bbox=[5, 5, "4", 4]), "bad_entry", "bbox.2"),
        (edit(image_id=99), "image_unknown", "99"),
        (edit(caption=None, category_id=99), "category_unknown", "99"),
        (edit(caption=None, category_id=None), "category_unknown", "None"),
        (edit(caption="  "), "sentence_blank", "spaces"),
        (lambda d: d["annotations"][0].pop("image_id"), "bad_entry", "image_id"),
    ],
)
def test_an_annotation_with_anything_wrong_is_left_out_and_counted(copy, change, kind, words):
    dataset = copy.with_document(change)
    assert kinds(dataset) == {kind: 1}
    (example,) = dataset.findings.examples[kind]
    assert example.startswith("annotations[0]: ")
    assert words in example


def test_ids_that_stand_twice_are_counted_and_what_they_mean_left_out(copy):
    def twice(document):
        document["annotations"][1]["id"] = document["annotations"][0]["id"]

    assert kinds(copy.with_document(twice)) == {"annotation_id_repeated": 2}
    dataset = copy.with_document(lambda d: d["images"].append(d["images"][-1]))
    assert kinds(dataset)["image_id_repeated"] == 2
    assert kinds(dataset).keys() <= {"image_id_repeated", "image_unknown"}
    assert kinds(copy.with_document(lambda d: d["categories"].append(d["categories"][0])))["category_id_repeated"] == 2


def test_an_image_of_another_size_than_the_file_says_is_left_out(copy):
    def enlarge(document):
        for image in document["images"]:
            if image["id"] == document["annotations"][-1]["image_id"]:
                image["width"] = 4000

    assert set(kinds(copy.with_document(enlarge))) == {"image_size_contradicts"}


def test_an_image_that_is_missing_is_counted(copy):
    def lose(document):
        for image in document["images"]:
            if image["id"] == document["annotations"][-1]["image_id"]:
                image["file_name"] = "gone.png"

    assert set(kinds(copy.with_document(lose))) == {"image_missing"}


def test_maxima_copied_by_mistake_are_pointed_out(copy):
    def copied(document):
        first = document["annotations"][0]
        document["annotations"] = [
            first | {"id": i, "caption": f"Sentence {i}.", "bbox": [5, 3, 20 + i, 22 + i]} for i in range(30)
        ]

    assert kinds(copy.with_document(copied)) == {"y1_equals_x1": 1}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data[: len(data) // 2], "cut off"),
        (lambda data: gzip.compress(data)[:-20], "damaged or cut off"),
        (lambda data: data.replace(b'"annotations"', b'"notes"'), "list under 'annotations', got the keys 'info'"),
        (lambda data: data.replace(b"phantoms", b"phant\xff"), "not UTF-8"),
    ],
)
def test_a_file_that_is_not_whole_is_refused(copy, change, words):
    with pytest.raises(ConfigError, match=words):
        copy.broken(change(copy.bytes()))


def test_zero_is_an_id_like_any_other(copy):
    def number(document):
        for image in document["images"]:
            image.update(patient_id=0, study_id=0)

    dataset = copy.with_document(number)
    assert {(record.patient_id, record.study_id) for record in dataset} == {("0", "0")}
    assert not dataset.findings.notes


def test_a_caption_of_several_categories_states_each_of_its_own_box(copy):
    def caption(document):
        document["categories"] += [{"id": "n", "name": "Nodule"}, {"id": "d", "name": "Support Devices"}]
        image = document["annotations"][0]["image_id"]
        document["annotations"] = [
            {"id": i, "image_id": image, "category_id": category, "caption": "Both.", "bbox": [10 * i, 10, 5, 5]}
            for i, category in enumerate(("n", "d"))
        ]

    ((sentence,),) = (record.sentences for record in copy.with_document(caption))
    assert [(t.region, t.label) for t in sentence.triples] == [
        ("nodule", "nodule"),
        ("nodule", "abnormal"),
        ("support devices", "support devices"),
    ]
    assert [(box.name, box.x0) for box in sentence.boxes] == [("nodule", 0), ("support devices", 10)]


def test_a_folder_of_images_that_is_not_there_is_named(copy):
    with pytest.raises(ConfigError, match=r"no folder nowhere: point dataset\.images at"):
        copy.open(images="nowhere")
