"""The mirrored patient: picture, boxes, names and words change sides together; the heart then lies on the right."""

import re
from dataclasses import replace
from functools import partial

import numpy as np

from harness.case import Box, ImageRecord, Sentence, Triple
from harness.dataset.phantom.dataset import PhantomStudy
from harness.dataset.phantom.markers import letters, mirror_marker, stamp
from harness.dataset.phantom.png import encode_png
from harness.dataset.phantom.regions import mirrored

_OTHER = {"left": "right", "right": "left", "LUL": "RUL", "RUL": "LUL", "LLL": "RLL", "RLL": "LLL"}
_SIDED = re.compile(r"\b(left|right|LUL|RUL|LLL|RLL)\b", re.IGNORECASE)


def mirror(study: PhantomStudy) -> PhantomStudy:
    """The study of the mirrored patient, for augmentation: everything changes sides, so every sentence stays true.

    Letters stay readable and true: an L at the image's right becomes an R at its left. `strata["mirrored"]` of the
    record and of every sentence tells such studies apart.
    """
    record, width = study.record, study.record.width
    unmarked = np.ascontiguousarray(study.unmarked[:, ::-1])
    markers = tuple(mirror_marker(marker, width) for marker in study.markers)
    pixels = stamp(unmarked, markers)
    return PhantomStudy(
        record=_mirror_record(record, letters(markers), partial(encode_png, pixels)),
        pixels=pixels,
        facts=frozenset(_mirror_triple(fact) for fact in study.facts),
        unmarked=unmarked,
        markers=markers,
    )


def mirror_text(text: str) -> str:
    """Exchange left and right, and the lobes' abbreviations, keeping the case."""

    def other(match: re.Match[str]) -> str:
        word = match.group()
        if word.isupper():
            return _OTHER.get(word, word)
        swapped = _OTHER[word.lower()]
        return swapped.capitalize() if word[0].isupper() else swapped

    return _SIDED.sub(other, text)


def _mirror_record(record: ImageRecord, letter: str, load: "partial[bytes]") -> ImageRecord:
    flag = "no" if record.strata.get("mirrored") == "yes" else "yes"
    mark = "" if flag == "no" else "-mirrored"
    return replace(
        record,
        image_id=record.image_id.removesuffix("-mirrored") + mark,
        regions=tuple(_mirror_box(box, record.width) for box in record.regions),
        sentences=tuple(_mirror_sentence(sentence, record.width, flag) for sentence in record.sentences),
        load=load,
        strata={**record.strata, "mirrored": flag, "letter": letter},
    )


def _mirror_sentence(sentence: Sentence, width: int, flag: str) -> Sentence:
    mark = "" if flag == "no" else "-mirrored"
    return replace(
        sentence,
        sentence_id=sentence.sentence_id.removesuffix("-mirrored") + mark,
        text=mirror_text(sentence.text),
        paraphrase=mirror_text(sentence.paraphrase),
        boxes=tuple(_mirror_box(box, width) for box in sentence.boxes),
        triples=tuple(_mirror_triple(triple) for triple in sentence.triples),
        strata={**sentence.strata, "mirrored": flag},
    )


def _mirror_box(box: Box, width: int) -> Box:
    return Box(mirrored(box.name), width - box.x1, box.y0, width - box.x0, box.y1)


def _mirror_triple(triple: Triple) -> Triple:
    return replace(triple, region=mirrored(triple.region))
