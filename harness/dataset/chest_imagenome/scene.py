"""A scene graph of Chest ImaGenome, silver: one JSON file for each image."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.dataset.checks import Unusable
from harness.dataset.chest_imagenome.statements import Corners
from harness.dataset.files import read_whole
from harness.dataset.line import explain

_Coordinate = Annotated[float, Field(allow_inf_nan=False)]
_Name = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    """Files hold much that is not needed here; types are never coerced."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class SceneObject(_Part):
    """A named region with its box in pixels of the radiograph."""

    object_id: _Name
    bbox_name: _Name
    original_x1: _Coordinate
    original_y1: _Coordinate
    original_x2: _Coordinate
    original_y2: _Coordinate

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
