"""What a recipe starts from: a model's folder, or another recipe whose run comes first."""

import hashlib
import json
from collections.abc import Iterator, Set
from pathlib import Path

from harness.dataset.phantom import GENERATOR_VERSION
from harness.settings import ConfigError
from training.config import AnyRecipe, Recipe, load_recipe, reseeded
from training.dataconfig import PhantomData
from training.sources import check_apart, open_sources, patients
from training.truth import REPORTS_VERSION
from wronglung.model.checkpoint import CONFIG_FILE, read_config

SCHEMAS = {"few_shot": 2}
"""By kind of recipe: raised whenever the same recipe gives other weights than before, since a default or the way in
which it is trained has changed; 1 where nothing has. few_shot 2: the validation loss is a mean over sentences."""
REPOSITORY = Path(__file__).resolve().parents[1]


def model_to_start_from(recipe: Recipe) -> Path | None:
    """The folder of a model, if that is what `start_from` names.

    Raises:
        ConfigError: what it names is not there, or a folder of something else.
    """
    place = _place(recipe)
    if place is None or not place.is_dir():
        return None
    if not (place / CONFIG_FILE).is_file():
        raise ConfigError(f"start_from: {place} is not the folder of a model: there is no {CONFIG_FILE} in it")
    return place


def start_digest(recipe: Recipe) -> str | None:
    """SHA-256 of the weights of the model that `start_from` names by its folder."""
    model = model_to_start_from(recipe)
    return None if model is None else read_config(model).weights_sha256


def recipe_before(recipe: Recipe, seed: int | None) -> AnyRecipe | None:
    """The recipe that `start_from` names, with the seed in place of its own if there is one.

    Raises:
        ConfigError: what it names is not there.
        ModelFilesError: it is no recipe.
    """
    place = _place(recipe)
    return None if place is None or place.is_dir() else reseeded(load_recipe(place), seed)


def check_earlier_stages_apart(recipe: Recipe, untouched: Set[str]) -> None:
    """Check that no patient of the test data was learned from in a stage before.

    Raises:
        ConfigError: some were; it tells how many, and names none.
    """
    for before in _stages_before(recipe):
        if untouched:
            known = set[str]().union(*(patients(source.dataset) for source in open_sources(before.data)))
            check_apart(known, untouched, "data.test")


def has_seen_phantoms_alone(recipe: Recipe) -> bool:
    """Whether this run and those before it learned from phantoms; False where a model's folder gave first weights: what
    that has seen, its own card must say."""
    stages = [recipe, *_stages_before(recipe)]
    return model_to_start_from(stages[-1]) is None and all(isinstance(stage.data, PhantomData) for stage in stages)


def identity(recipe: AnyRecipe, seed: int | None) -> str:
    """Equal for runs that give the same weights; the seed is that of the stages before, if not their own.

    What `start_from` names counts as it is written and by what it holds, not by the folder that it was found in.
    """
    # Without defaults and with sorted keys: a new option, or another order of them, makes no other run of an old one.
    # A default that changes does, by the schema: tests/unit/training/test_defaults.py notices.
    told = recipe.model_dump(mode="json", exclude_defaults=True, exclude={"notes"})
    said = json.dumps(told, indent=1, sort_keys=True)
    if (schema := SCHEMAS.get(recipe.kind, 1)) != 1:
        said += f"\nschema {schema}"
    if (digest := start_digest(recipe)) is not None:
        said += f"\nfirst weights {digest}"
    elif (before := recipe_before(recipe, seed)) is not None:
        said += f"\nfirst weights of\n{identity(before, seed)}"
    if isinstance(recipe.data, PhantomData):
        return f"phantom generator {GENERATOR_VERSION}\n{said}\n"
    data = hashlib.sha256("\n".join(source.identity for source in open_sources(recipe.data)).encode()).hexdigest()
    return f"data {data}\nreports {REPORTS_VERSION}\n{said}\n"


def _stages_before(recipe: Recipe) -> Iterator[AnyRecipe]:
    """The recipe that this one starts from, the one before that, and so on.

    Raises:
        ConfigError: one of them starts, in the end, from itself.
    """
    passed, stage = [_place(recipe)], recipe
    while (before := recipe_before(stage, None)) is not None:
        yield before
        place = _place(before)
        if place is not None and place in passed:
            circle = " → ".join(map(str, (*passed, place)))
            raise ConfigError(f"start_from: recipes start from each other: {circle}; remove one `start_from`")
        passed.append(place)
        stage = before


def _place(recipe: Recipe) -> Path | None:
    """Where the thing lies that `start_from` names: in the current folder, or else in the repository."""
    named: str | None = getattr(recipe, "start_from", None)
    if named is None:
        return None
    places = dict.fromkeys(folder / named for folder in (Path.cwd(), REPOSITORY))
    for place in places:
        if place.exists():
            return place
    raise ConfigError(f"start_from: there is neither a model nor a recipe at {' or at '.join(map(str, places))}")
