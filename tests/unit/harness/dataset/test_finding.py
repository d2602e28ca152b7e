"""Sentences made from the name of a finding."""

import pytest

from harness.dataset.finding import finding_boxes, finding_sentence, is_abnormal


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Pleural effusion", "There is a pleural effusion."),
        ("Airspace Opacity", "There is an airspace opacity."),
        ("Enlarged Cardiomediastinum", "There is an enlarged cardiomediastinum."),
        ("Nodule/Mass", "There is a nodule or mass."),
        ("Mass", "There is a mass."),
        ("Edema", "There is edema."),
        ("Atelectasis", "There is atelectasis."),
        ("Pulmonary fibrosis", "There is pulmonary fibrosis."),
        ("Mediastinal shift", "There is mediastinal shift."),
        ("Bronchiectasis", "There is bronchiectasis."),
        ("Infiltration", "There is infiltration."),
        ("Unilateral effusion", "There is a unilateral effusion."),
        ("Aortic enlargement", "There is aortic enlargement."),
        ("Support Devices", "There are support devices."),
        ("increased_reticular_markings", "There are increased reticular markings."),
        ("Other lesion", "There is another lesion."),
        ("Other diseases", "There are other diseases."),
        ("ILD", "There is ILD."),
        ("Enlarged PA", "There is an enlarged PA."),
        ("NG tube", "There is an NG tube."),
        ("PICC", "There is a PICC."),
        ("No Finding", "There is no finding."),
        (" ", ""),
    ],
)
def test_a_class_name_becomes_a_sentence(name, sentence):
    assert finding_sentence(name) == sentence


def test_devices_and_nothing_are_not_abnormal():
    names = ("Edema", "Support Devices", "No finding", "Normal")
    assert [name for name in names if is_abnormal(name)] == ["Edema"]


def test_a_box_is_called_after_its_finding_and_states_that_it_is_there():
    boxes = list(finding_boxes("Nodule/Mass", ((1, 2, 3, 4), None), abnormal=True))
    assert [(box.name, box.label, box.context) for box in boxes] == [
        ("nodule or mass", "nodule or mass", True),
        ("nodule or mass", "abnormal", True),
    ]
    assert [box.label for box in finding_boxes("Pacemaker", ((1, 2, 3, 4), None), abnormal=False)] == ["pacemaker"]
