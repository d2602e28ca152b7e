"""One line of our JSONL format: one sentence of one report, with its boxes.

`jsonl.schema.json` beside this file is the same as a JSON Schema, for tools in any language; a test keeps them equal.
"""

import json
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Coordinate = Annotated[float, Field(allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    """Types are never coerced. Unknown keys are kept aside, so that they can be pointed out."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)

    def unknown_keys(self) -> Iterator[str]:
        """Names of the keys that the format does not know."""
        yield from self.model_extra or {}


class Lattice(_Strict):
    """A mask: rows × cols equal cells laid over a box, and which of them belong to what is outlined."""

    rows: int = Field(ge=1)
    cols: int = Field(ge=1)
    counts: str = Field(description="COCO's compressed run lengths of the cells, column by column, outside first.")


class NamedBox(_Strict):
    """A named anatomical region of the image."""

    name: Name = Field(description='What the box is around, e.g. "left lung". Sides are the patient\'s.')
    box_xyxy: tuple[Coordinate, Coordinate, Coordinate, Coordinate] = Field(
        description="[x0, y0, x1, y1] in pixels of the image as a reader sees it (EXIF orientation applied), origin "
        "top left, half-open: x1 and y1 lie just outside. x0 < x1, y0 < y1, inside the image."
    )
    mask: Lattice | None = Field(default=None, description="The part of the box that is meant; without it all of it.")


class SentenceBox(NamedBox):
    """A region that the sentence speaks of, and what it says of it."""

    label: str = Field(default="", description='What the sentence states, e.g. "lung opacity"; empty: only the place.')
    context: bool = Field(default=True, description="Whether the sentence states that the label is there or is not.")


class Line(_Strict):
    """One sentence of one report. Lines of one image repeat its ids and need not be neighbours."""

    image: Name = Field(description="Path of the image file (JPEG, PNG or DICOM), relative to this file's folder.")
    image_id: Name = Field(description="Unique for the image.")
    patient_id: Name = Field(description="Intervals are computed over patients: give each person one id.")
    study_id: Name = Field(description="The examination that the report belongs to.")
    sentence_id: Name = Field(description="Unique in the file.")
    sentence: Name = Field(description="The text that is sent to the models.")
    paraphrase: str = Field(default="", description="The same statement in other words, if there are any.")
    boxes: tuple[SentenceBox, ...] = Field(description="Where the sentence's words are true. May be empty.")
    regions: tuple[NamedBox, ...] = Field(default=(), description="All named boxes of the image; one line is enough.")
    negated: bool = Field(default=False, description="The sentence states that something is absent.")
    strata: dict[str, str] = Field(default_factory=dict, description="Free labels by which results may be split.")


def parse_line(data: bytes) -> Line:
    """Read one line.

    Raises:
        UnicodeDecodeError: it is not UTF-8.
        ValueError: it is not JSON, or not of this format; the message names each key at fault.
    """
    data.decode("utf-8")
    try:
        return Line.model_validate_json(data)
    except ValidationError as error:
        hint = " (a list begins here: write one object a line)" if data.lstrip().startswith(b"[") else ""
        raise ValueError(explain(error) + hint) from error


def explain(error: ValidationError) -> str:
    """The faults as ``key.path: what is wrong``, joined by semicolons; values are left out: they may be private."""
    return "; ".join(
        f"{'.'.join(map(str, fault['loc'])) or 'line'}: {fault['msg']}" for fault in error.errors(include_input=False)
    )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a line."""
    schema = Line.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "wronglung JSONL line"
    return schema


def json_schema_text() -> str:
    """The text of `jsonl.schema.json`."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
