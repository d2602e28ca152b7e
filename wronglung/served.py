"""What is served: a table of models, written when the archives are built and read by the gateway. No torch."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from wronglung.errors import ModelUnknown

VERSION_MARK = "@"
"""Between a model's name and its version, in the name of its folder in the store and in its label."""
MODELS_FILE = "models.json"
"""Name of the table's file, beside the archives."""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One served model: what callers are told of it, and what the gateway needs to know to check requests."""

    name: str
    version: str
    weights_digest: str
    has_opt_out: bool
    grid_rows: int
    grid_cols: int
    frame_width: int
    frame_height: int
    max_word_pieces: int
    workers: int = 1
    batch_size: int = 1
    queue_size: int = 100
    response_s: float = 120.0
    """How long a batch may take, in seconds: longer than the slowest one that is let in."""
    shares_name: bool = False
    """Whether another version of it is served as well."""

    @property
    def label(self) -> str:
        """What it is called in metrics, health and logs: its name, with the version where that alone would not do."""
        return f"{self.name}{VERSION_MARK}{self.version}" if self.shares_name else self.name


class Catalogue:
    """The served models by name and version. The first of a name is its default version, until another is chosen.

    Raises:
        ValueError: a model is there twice.
    """

    def __init__(self, models: Iterable[ServedModel]) -> None:
        self._models: dict[tuple[str, str], ServedModel] = {}
        self._first: dict[str, ServedModel] = {}
        for model in models:
            if (model.name, model.version) in self._models:
                raise ValueError(f"model {model.name} {model.version} is listed twice")
            self._models.setdefault((model.name, ""), self._first.setdefault(model.name, model))
            self._models[model.name, model.version] = model

    def choose(self, versions: Mapping[str, str]) -> None:
        """Make these versions the defaults of their models; of others, the first that was listed.

        Raises:
            ModelUnknown: one is not served.
        """
        chosen = {name: self.find(name, version) for name, version in versions.items()}
        for name, first in self._first.items():
            self._models[name, ""] = chosen.get(name, first)

    @property
    def defaults(self) -> list[ServedModel]:
        """The default version of each model."""
        return [model for (_, version), model in self._models.items() if not version]

    @property
    def models(self) -> list[ServedModel]:
        """Each model once, sorted by name and version."""
        return sorted(set(self._models.values()), key=lambda model: (model.name, model.version))

    def only(self, names: Collection[str]) -> "Catalogue":
        """A catalogue of the models with one of these names alone, their default versions as here."""
        return Catalogue(model for model in dict.fromkeys(self._models.values()) if model.name in names)

    def find(self, name: str, version: str = "") -> ServedModel:
        """The model of this name and version; an empty version stands for the default.

        Raises:
            ModelUnknown: there is none; the message names those that are served.
        """
        try:
            return self._models[name, version]
        except KeyError:
            served = ", ".join(f"{model.name} {model.version}" for model in self.models)
            field = "model_version" if (name, "") in self._models else "model_name"
            raise ModelUnknown(f"no such model is served; there are: {served or 'none'}", field=field) from None


def write_models(models: Iterable[ServedModel], directory: Path) -> None:
    """Write the table."""
    text = json.dumps([asdict(model) for model in models], indent=2)
    (directory / MODELS_FILE).write_text(text + "\n", encoding="utf-8")


def read_models(path: Path) -> Catalogue:
    """Read the table.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not such a table.
    """
    try:
        return Catalogue(ServedModel(**entry) for entry in json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        why = error.strerror
        raise OSError(f"--models {path}: {why}: give the table that was written with the archives") from error
    except (TypeError, ValueError) as error:
        raise ValueError(f"--models {path} is not a table of models: {error}. Build the archives again") from error
