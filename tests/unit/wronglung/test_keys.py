"""A fault in a file of settings is told by the key as it stands in the file."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Discriminator, Field, RootModel, Tag

from wronglung.keys import locate, suggest


class Circle(BaseModel):
    kind: Literal["circle"]
    radius: float
    colour: Literal["red", "box"] = "red"


class Box(BaseModel):
    kind: Literal["box"]
    sides: tuple[float, float]


class Near(BaseModel):
    metres: float


class Far(BaseModel):
    miles: float


class Settings(BaseModel):
    shape: Annotated[Circle | Box, Field(discriminator="kind")]
    shapes: list[Box] = []
    named: dict[str, Circle] = {}
    either: dict[str, Annotated[Circle | Box, Field(discriminator="kind")]] = {}
    place: Annotated[Annotated[Near, Tag("near")] | Annotated[Far, Tag("far")], Discriminator(str)]
    shape_or_none: Box | None = None


TOP = set(Settings.model_fields)


class File(RootModel[Settings]):
    pass


@pytest.mark.parametrize(
    ("location", "key", "known"),
    [
        ((), "", TOP),
        (("shap",), "shap", TOP),
        (("shape", "box", "side"), "shape.side", {"kind", "sides"}),
        (("shape", "circle", "radios"), "shape.radios", {"kind", "radius", "colour"}),
        (("shapes", 1, "side"), "shapes.1.side", {"kind", "sides"}),
        (("named", "first", "radios"), "named.first.radios", {"kind", "radius", "colour"}),
        (("named", "shape", "radios"), "named.shape.radios", {"kind", "radius", "colour"}),
        (("named", "kind", "radios"), "named.kind.radios", {"kind", "radius", "colour"}),
        (("either", "box", "box", "side"), "either.box.side", {"kind", "sides"}),
        (("either", "colour", "circle", "radios"), "either.colour.radios", {"kind", "radius", "colour"}),
        (("shape", "box"), "shape", {"kind", "sides"}),
        (("place", "far"), "place", {"miles"}),
        (("place", "far", "mile"), "place.mile", {"miles"}),
        (("shape_or_none", "side"), "shape_or_none.side", {"kind", "sides"}),
    ],
    ids=lambda value: str(value) if isinstance(value, tuple | str) else "",
)
def test_a_place_is_told_without_the_members_of_unions_with_the_keys_that_are_known_there(
    location: tuple[int | str, ...], key: str, known: set[str]
) -> None:
    for kind in (Settings, File):
        told, names = locate(kind, location)
        assert (told, set(names)) == (key, known)


def test_the_nearest_name_is_suggested_or_all_are_told() -> None:
    assert suggest("radios", ["kind", "radius"]) == ": did you mean 'radius'?"
    assert suggest("xyz", ["kind", "radius"]) == ": choose from kind, radius"
