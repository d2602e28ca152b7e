"""PadChest-GR: what is read, whose boxes count, and broken copies."""

import gzip

import pytest

from harness.case import Triple
from harness.dataset.export.affirmed import finding_of
from harness.settings import ConfigError
from tests.layout_copies import Copy, assert_same_scores, kinds, phantoms, scores


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    return Copy("padchest_gr", tmp_path_factory.mktemp("padchest_gr") / "copy")


def test_maps_score_as_on_the_phantoms_themselves(copy):
    """Boxes are in shares of the image: the second reader's lie within the first one's."""
    natives = {record.image_id: record for record in phantoms()}
    pairs, expected = [], []
    for record in copy.open():
        native = natives.get(record.image_id.removesuffix(".png"))
        if native is None:
            assert not any(sentence.boxes for sentence in record.sentences)
            continue
        assert record.patient_id == native.patient_id
        for mine, theirs in zip(record.sentences, native.sentences, strict=True):
            assert mine.text == theirs.text
            assert mine.abnormal == theirs.abnormal == bool(mine.boxes)
            if mine.boxes:
                assert [box.xyxy for box in mine.boxes[: len(theirs.boxes)]] == [box.xyxy for box in theirs.boxes]
                pairs.append((record, mine.boxes))
                expected.append((native, theirs.boxes))
    for profile in ("exact", "paper"):
        assert_same_scores(scores(pairs, profile), scores(expected, profile))


def boxes(dataset):
    return [sentence.boxes for record in dataset for sentence in record.sentences]


def test_the_boxes_of_one_reader_count_alone_when_asked_for(copy):
    first, second, union = (boxes(copy.open(reader=reader)) for reader in ("first", "second", "union"))
    assert union == [(*a, *b) for a, b in zip(first, second, strict=True)]
    assert first != second


def test_the_agreement_of_the_readers_is_told(copy):
    (note,) = copy.open().findings.notes
    assert "both marked" in note
    assert "with a mean IoU of 0.81; the boxes of all readers count together" in note
    assert "only those of 'first' count" in copy.open(reader="first").findings.notes[0]


def test_without_a_table_each_image_is_a_patient_and_that_is_told(copy):
    copy_without = copy.options.partition(",patients")[0]
    dataset = copy.broken(copy.bytes(), patients="null")
    assert copy_without != copy.options
    assert {record.patient_id for record in dataset} == {record.image_id for record in dataset}
    assert f"{len(dataset)} images have no patient id" in dataset.findings.notes[-1]


def test_spanish_sentences_are_read_when_asked_for(copy):
    def translate(reports):
        reports[0]["findings"][0]["sentence_es"] = "Derrame pleural izquierdo."

    dataset = copy.with_document(translate, language="es")
    assert [s.text for r in dataset for s in r.sentences] == ["Derrame pleural izquierdo."]


@pytest.mark.parametrize(
    ("finding", "abnormal"),
    [
        ({"labels": ["pleural effusion"], "boxes": [[0, 0, 0.5, 0.5]]}, True),
        ({"labels": ["pleural effusion"], "boxes": []}, False),
        ({"labels": ["Normal"], "boxes": [[0, 0, 0.5, 0.5]]}, False),
        ({"labels": ["pleural effusion"], "boxes": [[0, 0, 0.5, 0.5]], "abnormal": False}, False),
        ({"labels": [], "boxes": [[0, 0, 0.5, 0.5]]}, True),
    ],
)
def test_a_finding_is_abnormal_if_the_file_says_so_or_else_if_it_has_boxes(copy, finding, abnormal):
    def replace(reports):
        reports[:1] = [reports[0] | {"findings": [{"sentence_en": "Text."} | finding]}]

    sentence = next(iter(copy.with_document(replace))).sentences[0]
    assert sentence.abnormal == abnormal
    name = finding["labels"][0].lower() if finding["labels"] else "finding"
    assert (Triple(name, name, True) in sentence.triples) == bool(finding["boxes"])


def test_a_sentence_states_each_of_its_labels_of_every_box(copy):
    def replace(reports):
        finding = {"sentence_en": "Text.", "labels": ["Mass", "pleural effusion", ""], "boxes": [[0, 0, 0.5, 0.5]]}
        reports[:1] = [reports[0] | {"findings": [finding]}]

    sentence = next(iter(copy.with_document(replace))).sentences[0]
    assert [(t.region, t.label) for t in sentence.triples] == [
        ("mass", "mass"),
        ("mass", "abnormal"),
        ("pleural effusion", "pleural effusion"),
        ("pleural effusion", "abnormal"),
    ]
    assert [box.name for box in sentence.boxes] == ["mass", "pleural effusion"]


def boxed(reports):
    return next(f for r in reports for f in r["findings"] if f["boxes"])


def edit(**values):
    return lambda reports: boxed(reports).update(values)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        (edit(boxes=[[0.1, 0.1, 1.2, 0.5]]), "box_outside_image", "shares of the image"),
        (edit(boxes=[[100, 100, 200, 200]]), "box_outside_image", "0 … 1"),
        (edit(boxes=[[0.5, 0.1, 0.2, 0.5]]), "box_inside_out", "x0 < x1"),
        (edit(extra_boxes=[[0.5, 0.1, 0.5, 0.5]]), "box_inside_out", "x0 < x1"),
        (edit(boxes=[[0.1, 0.1, 0.2]]), "bad_entry", "boxes.0"),
        (edit(boxes=[[0.1, 0.1, 0.2, "0.4"]]), "bad_entry", "boxes.0.3"),
        (edit(boxes=None), "bad_entry", "boxes"),
        (edit(sentence_en=None), "sentence_blank", "spaces"),
        (edit(sentence_en=7), "bad_entry", "sentence_en"),
    ],
)
def test_a_finding_with_anything_wrong_is_left_out_and_counted(copy, change, kind, words):
    dataset = copy.with_document(change)
    assert kinds(dataset) == {kind: 1}
    (example,) = dataset.findings.examples[kind]
    assert ".findings[" in example
    assert words in example
    assert len(boxes(dataset)) == len(boxes(copy.open())) - 1


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda reports: reports.append(reports[0]), "image_id_repeated"),
        (lambda reports: reports[0].update(ImageID="gone.png"), "image_missing"),
        (lambda reports: reports[0].pop("ImageID"), "bad_entry"),
        (lambda reports: reports.append("text"), "bad_entry"),
    ],
)
def test_a_report_with_anything_wrong_is_left_out_and_counted(copy, change, kind):
    assert kinds(copy.with_document(change)) == {kind: 1}


def test_maxima_copied_by_mistake_are_seen_in_shares_too(copy):
    def copied(reports):
        reports[0]["findings"] = [
            {"sentence_en": f"Sentence {i}.", "boxes": [[0.1, 0.2, 0.5 + i / 300, 0.5 + i / 300]], "labels": ["mass"]}
            for i in range(99)
        ]

    assert kinds(copy.with_document(copied)) == {"y1_equals_x1": 1}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data[: len(data) // 2], "cut off"),
        (lambda data: gzip.compress(data)[:-20], "damaged or cut off"),
        (lambda data: data.replace(b"Text", b"\xff").replace(b".", b"\xff", 1), "not UTF-8"),
        (lambda data: b'{"StudyID": "a"}', "must hold a list, got dict"),
    ],
)
def test_a_file_that_is_not_whole_is_refused(copy, change, words):
    with pytest.raises(ConfigError, match=words):
        copy.broken(change(copy.bytes()))


def test_phantom_findings_keep_their_names(copy):
    names = {finding_of(s) for r in phantoms() for s in r.sentences} - {None}
    assert {box.name for each in boxes(copy.open()) for box in each} == names
