"""Every key of a recipe with its default and its meaning, as a page: read from the classes that check it."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from training.config import AnyRecipe, Recipe
from wronglung.model.strict import StrictModel

HEADING = """\
# Every key of a recipe

Written by `python -m training --keys`, from the classes that check a recipe. How to use them: [training](training.md).
A key without a default must be given."""


def page() -> str:
    """The page, in Markdown."""
    parts = [HEADING, "## Every recipe", _table(Recipe)]
    for recipe in get_args(AnyRecipe):
        kind = get_args(recipe.model_fields["kind"].annotation)[0]
        parts += [f"## `kind: {kind}`", textwrap.fill(_first_line(recipe), 120), _table(recipe, but=Recipe)]
    return "\n\n".join(parts) + "\n"


def _table(model: type[BaseModel], but: type[BaseModel] | None = None) -> str:
    """The keys of a model, without those that are alike in another one."""
    known = set(_rows(but, "")) if but else set()
    rows = [row for row in _rows(model, "") if row not in known]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *dict.fromkeys(rows)])


def _rows(model: type[BaseModel], path: str) -> Iterator[str]:
    meanings = _docstrings(model)
    told = {
        name: field for name, field in model.model_fields.items() if name not in getattr(model, "of_checkpoint", ())
    }
    for name, field in told.items():
        below = list(_models(field.annotation))
        if below and _required_parts(field):
            for part in below:
                yield from _rows(part, f"{path}{name}.")
            continue
        yield f"| `{path}{name}` | {_default(field)} | {_cell(meanings.get(name, ''))} |"
        for part in below:
            yield from _rows(part, f"{path}{name}.")


def _required_parts(field: FieldInfo) -> bool:
    """Whether a section is always there, so that only its keys need words."""
    return not (field.default is None and field.default_factory is None)


def _models(annotation: Any) -> Iterator[type[StrictModel]]:
    """The sections that an annotation allows; data sets of the harness have a page of their own."""
    if inspect.isclass(annotation) and issubclass(annotation, StrictModel):
        yield annotation
    elif get_origin(annotation) in (Union, UnionType, Annotated):
        for part in get_args(annotation):
            yield from _models(part)


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=False)
    if default is PydanticUndefined:
        return ""
    if default is None:
        return "`null`"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{list(default) if isinstance(default, tuple) else default}`"


def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """What stands below each key in the source, its parents' included."""
    found: dict[str, str] = {}
    for parent in reversed(model.__mro__):
        if issubclass(parent, BaseModel) and parent is not BaseModel:
            [tree] = ast.parse(textwrap.dedent(inspect.getsource(parent))).body
            assert isinstance(tree, ast.ClassDef)
            found |= {_name(key): _text(text) for key, text in pairwise(tree.body) if _name(key) and _text(text)}
    return found


def _name(statement: ast.stmt) -> str:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id
    return ""


def _text(statement: ast.stmt) -> str:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return str(statement.value.value)
    return ""


def _first_line(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").partition("\n\n")[0].split())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
