"""The options of a published training ("hyper_parameters") that decide what its maps are.

Losses, schedules and data paths decide nothing any more. Options that would give other maps than this package computes
are refused by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wronglung.model.config import PreprocessConfig
from wronglung.model.errors import ModelFilesError

TEMPERATURE, LAYERS, PIECES = "model.gloria.temp1", "model.text.last_n_layers", "data.text.word_num"
SIDE, TRANSFORMS = "data.image.imsize", "transforms"
PUBLISHED_LAYERS, PUBLISHED_PIECES, PUBLISHED_TEMPERATURE = 4, 97, 4.0

_DECISIVE = (TEMPERATURE, LAYERS, PIECES, SIDE, TRANSFORMS)
_LONGEST_TEXT = 200
_ABSENT = object()
_SUPPORTED: dict[str, tuple[Any, ...]] = {
    "model.norm": (False, None),
    "model.image_position_embeddings": (None,),
    "model.image_transformer": (None,),
    "model.text.aggregate_method": ("sum",),
    "model.text.agg_tokens": (True,),
    "model.text.norm": (False, None),
    "transforms.norm": ("half", None),
}
"""The values of an option that this package can compute with."""
_NORMALISATION = {"half": (0.5, 0.5), None: (0.0, 1.0)}


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """What the options decide, with the published values where the file says nothing."""

    stated: frozenset[str] = frozenset()
    """The paths at which the file says something; the rest are the published values."""
    temperature: float = PUBLISHED_TEMPERATURE
    summed_layers: int = PUBLISHED_LAYERS
    max_word_pieces: int = PUBLISHED_PIECES
    preprocess: PreprocessConfig = field(default_factory=PreprocessConfig)
    bert: str | None = None
    """Name of the BERT that the training began with ("bert_type")."""
    backbone: str | None = None
    """Name of the image encoder ("resnet_50")."""
    opt_out: bool | None = None
    """Whether it has an opt-out vector ("no_attn_vec")."""
    dimension: int | None = None
    """Size of the embeddings ("embedding_dim")."""


class _Reader:
    """Looks options up by their path, and names the path when a value is of the wrong kind."""

    def __init__(self, options: Mapping[str, Any], source: str) -> None:
        self._options = options
        self._source = source

    def get(self, path: str, default: Any = None) -> Any:
        """The value at a path such as "model.text.norm", or `default` where it or what is above it is missing."""
        value: Any = self._options
        for key in path.split("."):
            if not isinstance(value, Mapping) or key not in value:
                return default
            value = value[key]
        return value

    def number(self, path: str, default: float) -> float:
        """A positive number."""
        value = self.get(path, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            raise self.refusal(path, value, "a positive number")
        return float(value)

    def count(self, path: str, default: int) -> int:
        """A positive whole number."""
        value = self.number(path, default)
        if not value.is_integer():
            raise self.refusal(path, value, "a whole number")
        return int(value)

    def text(self, path: str) -> str | None:
        """A short text of one line, or None where there is none."""
        value = self.get(path)
        if value is not None and (type(value) is not str or not value.isprintable() or len(value) > _LONGEST_TEXT):
            raise self.refusal(path, value, "a short text")
        return value

    def refusal(self, path: str, value: object, wanted: str) -> ModelFilesError:
        """The error for a value that cannot be used."""
        return ModelFilesError(f"{self._source}: its option {path} is {value!r}, but only {wanted} can be imported")


def read_options(options: Mapping[str, Any] | None, source: str) -> TrainingOptions:
    """Read the options of a checkpoint.

    Args:
        options: nested dictionaries; None for a file without, which gets the published values.
        source: the file's name for messages.

    Raises:
        ModelFilesError: an option has a value that gives other maps than can be computed here; the message names it.
    """
    if options is None:
        return TrainingOptions()
    reader = _Reader(options, source)
    _refuse_unsupported(reader)
    opt_out = reader.get("model.gloria.no_attn_vec")
    dimension = reader.get("model.text.embedding_dim")
    return TrainingOptions(
        stated=frozenset(path for path in _DECISIVE if reader.get(path, _ABSENT) is not _ABSENT),
        temperature=reader.number(TEMPERATURE, PUBLISHED_TEMPERATURE),
        summed_layers=_summed_layers(reader),
        max_word_pieces=reader.count(PIECES, PUBLISHED_PIECES),
        preprocess=_preprocess(reader),
        bert=reader.text("model.text.bert_type"),
        backbone=reader.text("model.vision.model_name"),
        opt_out=None if opt_out is None else bool(opt_out),
        dimension=None if dimension is None else reader.count("model.text.embedding_dim", 0),
    )


def _refuse_unsupported(reader: _Reader) -> None:
    for path, supported in _SUPPORTED.items():
        value = reader.get(path, _ABSENT)
        if value is not _ABSENT and not any(value is one or value == one for one in supported):
            raise reader.refusal(path, value, " or ".join(map(repr, supported)))


def _summed_layers(reader: _Reader) -> int:
    layers = reader.count(LAYERS, PUBLISHED_LAYERS)
    if layers == 1:
        # The published code then takes another path: pieces are not joined, and BERT's pooler gives the global vector.
        raise reader.refusal(LAYERS, layers, "a number of at least 2")
    return layers


def _preprocess(reader: _Reader) -> PreprocessConfig:
    """The published code skips a transformation that its section `transforms` does not name."""
    published = PreprocessConfig()
    side, crop = reader.count(SIDE, published.longer_side), published.crop
    mean, std = published.mean, published.std
    if reader.get(TRANSFORMS, _ABSENT) is not _ABSENT:
        cropped = reader.get("transforms.random_crop") is not None
        crop = reader.count("transforms.random_crop.crop_size", crop) if cropped else side
        mean, std = _NORMALISATION[reader.get("transforms.norm")]
    if crop > side or (side - crop) % 2:  # the published code rounds half a pixel of margin as we do not
        raise reader.refusal("transforms.random_crop.crop_size", crop, f"{side} minus an even number")
    return PreprocessConfig(longer_side=side, crop=crop, mean=mean, std=std)
