"""Scene graphs in the layout of Chest ImaGenome, silver."""

import json
from typing import Any

from harness.case import Box
from harness.dataset.export.mimic_cxr import Filed
from harness.dataset.export.whole_pixels import Square, whole
from harness.dataset.phantom.vocabulary import DEVICE_WORDS

SECTION = "finalreport"


def category(label: str) -> str:
    """What kind of label it is, as Chest ImaGenome divides them."""
    if label in ("normal", "abnormal"):
        return "nlp"
    if label in DEVICE_WORDS:
        return "devices" if label == "pacemaker" else "tubesandlines"
    return "anatomicalfinding"


def scene_graph(filed: Filed, small: int) -> bytes:
    """The JSON of one image: its regions, and what each sentence says of them; `small` is the side of the copies."""
    record = filed.record
    tree = {
        "image_id": filed.dicom_id,
        "viewpoint": filed.view,
        "patient_id": int(filed.patient_id),
        "study_id": int(filed.study_id),
        "gender": "",
        "age_decile": "",
        "reason_for_exam": "",
        "StudyOrder": 1,
        "StudyDateTime": "",
        "objects": [_object(filed, box, small) for box in record.regions],
        "attributes": [said for box in record.regions if (said := _attributes(filed, box.name))["phrases"]],
        "relationships": [],
    }
    return (json.dumps(tree, indent=1) + "\n").encode()


def _object_id(filed: Filed, region: str) -> str:
    return f"{filed.dicom_id}_{region}"


def _object(filed: Filed, box: Box, small: int) -> dict[str, Any]:
    original = whole(box)
    copy = Square(filed.record.width, filed.record.height, small).place(original)
    named: dict[str, Any] = {"object_id": _object_id(filed, box.name), "bbox_name": box.name, "name": box.name}
    for prefix, (x1, y1, x2, y2) in (("", copy), ("original_", original)):
        values = {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "width": x2 - x1, "height": y2 - y1}
        named.update({f"{prefix}{key}": value for key, value in values.items()})
    return named


def _attributes(filed: Filed, region: str) -> dict[str, Any]:
    """What the report says of a region; the lists run in step."""
    said: dict[str, Any] = {
        "object_id": _object_id(filed, region),
        "bbox_name": region,
        region: True,
        "name": region,
        "attributes": [],
        "phrases": [],
        "phrase_IDs": [],
        "sections": [],
    }
    for number, sentence in enumerate(filed.record.sentences):
        labels = [
            f"{category(triple.label)}|{'yes' if triple.context else 'no'}|{triple.label}"
            for triple in sentence.triples
            if triple.region == region
        ]
        if labels:
            said["attributes"].append(labels)
            said["phrases"].append(sentence.text)
            said["phrase_IDs"].append(f"{filed.study_id}|{number}")
            said["sections"].append(SECTION)
    return said
