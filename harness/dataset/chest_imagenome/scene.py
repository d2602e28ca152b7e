"""A scene graph of Chest ImaGenome, silver: one JSON file for each image."""

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.dataset.checks import Unusable, image_size
from harness.dataset.chest_imagenome.scaling import SIDE, resized
from harness.dataset.chest_imagenome.statements import Corners
from harness.dataset.files import read_whole
from harness.dataset.line import explain

LEAST_COPY = 30
"""Pixels of the 224: of smaller copies the rounding shows."""
SIZE_TOLERANCE = 0.1

_Coordinate = Annotated[float, Field(allow_inf_nan=False)]
_Name = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    """Files hold much that is not needed here; types are never coerced."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class SceneObject(_Part):
    """A named region with its box in pixels of the radiograph, and often a copy of it on 224 × 224 pixels."""

    object_id: _Name
    bbox_name: _Name
    original_x1: _Coordinate
    original_y1: _Coordinate
    original_x2: _Coordinate
    original_y2: _Coordinate
    x1: _Coordinate | None = None
    y1: _Coordinate | None = None
    x2: _Coordinate | None = None
    y2: _Coordinate | None = None

    @property
    def corners(self) -> Corners:
        """x1, y1, x2, y2."""
        return self.original_x1, self.original_y1, self.original_x2, self.original_y2


class SceneAttributes(_Part):
    """What the report says of one region: its lists run in step, an entry for each sentence."""

    object_id: _Name
    bbox_name: _Name
    attributes: tuple[tuple[str, ...], ...]
    phrases: tuple[str, ...]
    phrase_IDs: tuple[_Name, ...]
    sections: tuple[str, ...] = ()

    def sentences(self) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
        """Id, text, section and attributes of each.

        Raises:
            Unusable: the lists are not equally long.
        """
        count = len(self.phrase_IDs)
        sections = self.sections or ("",) * count
        if not len(self.attributes) == len(self.phrases) == len(sections) == count:
            message = f"attributes, phrases and phrase_IDs of {self.bbox_name!r} are not equally long"
            raise Unusable("bad_scene_graph", message)
        yield from zip(self.phrase_IDs, self.phrases, sections, self.attributes, strict=True)


class SceneGraph(_Part):
    """The regions of an image, and what its report says of them."""

    objects: tuple[SceneObject, ...]
    attributes: tuple[SceneAttributes, ...]

    def check_image(self, path: Path) -> None:
        """Check that an image has the size of the one that the boxes were drawn on, as far as the copies on 224 × 224
        tell: they are whole numbers, but copies of MIMIC-CXR are mostly shrunk to half and less.

        Raises:
            Unusable: it has another size, is missing, or is none.
        """
        ratios = [
            (small - least) / (original - low)
            for part in self.objects
            for least, small, low, original in (
                (part.x1, part.x2, part.original_x1, part.original_x2),
                (part.y1, part.y2, part.original_y1, part.original_y2),
            )
            if least is not None and small is not None and small - least >= LEAST_COPY and original > low
        ]
        if not ratios:
            return
        width, height = image_size(path)
        if abs(max(width, height) * statistics.median(ratios) / SIDE - 1) > SIZE_TOLERANCE:
            raise resized(width, height)

    def objects_by_id(self) -> dict[str, SceneObject]:
        """Every region by its id.

        Raises:
            Unusable: an id stands for two.
        """
        found: dict[str, SceneObject] = {}
        for scene_object in self.objects:
            if found.setdefault(scene_object.object_id, scene_object) is not scene_object:
                raise Unusable("bad_scene_graph", f"object_id of {scene_object.bbox_name!r} is used twice")
        return found


def read_scene(path: Path) -> SceneGraph:
    """Read a scene graph, packed by gzip or not.

    Raises:
        Unusable: there is no such file, it is cut off, or it is none; the message names each key at fault.
    """
    try:
        data = read_whole(path)
        data.decode("utf-8")
        return SceneGraph.model_validate_json(data)
    except OSError as error:
        raise Unusable("scene_graph_missing", f"cannot read {path.name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Unusable("bad_utf8", f"{path.name}: byte {error.start} is not UTF-8: copy it again") from error
    except ValidationError as error:
        raise Unusable("bad_scene_graph", f"{path.name}: {explain(error)}") from error
    except ValueError as error:
        raise Unusable("bad_scene_graph", f"{path.name}: {error}") from error
