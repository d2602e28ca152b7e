"""Shapes of the tensors → sizes of the network. What no shape can tell is in `options` and `vocabulary`."""

import re
from collections.abc import Mapping
from typing import Literal

from wronglung.model.errors import ModelFilesError
from wronglung.model.parts_config import ImageEncoderConfig

Shapes = Mapping[str, tuple[int, ...]]

IMAGE, TEXT = "img_encoder.model.", "text_encoder.model."
_BLOCK = re.compile(re.escape(IMAGE) + r"layer(\d+)\.(\d+)\.conv(\d)\.weight")
_LAYER = re.compile(re.escape(TEXT) + r"encoder\.layer\.(\d+)\.")
_KNOWN_BACKBONES = {
    "resnet_18": ("basic", (2, 2, 2, 2)),
    "resnet_34": ("basic", (3, 4, 6, 3)),
    "resnet_50": ("bottleneck", (3, 4, 6, 3)),
}
_WORDS, _POSITIONS, _SEGMENTS = (
    f"{TEXT}embeddings.{kind}_embeddings.weight" for kind in ("word", "position", "token_type")
)


TextSizes = dict[str, int]
"""Sizes of a BERT, by the names that transformers' `config.json` has for them."""


def image_encoder(shapes: Shapes, stated: str | None, source: str) -> ImageEncoderConfig:
    """The residual network that the tensors belong to.

    Args:
        shapes: of the published tensors, by name.
        stated: what the checkpoint's options call it; None if they say nothing.
        source: the file's name for messages.

    Raises:
        ModelFilesError: it is another kind of network, or not the one that the options name.
    """
    if f"{IMAGE}conv1.weight" not in shapes:
        raise ModelFilesError(_no_backbone(shapes, stated, source))
    depths = _depths(shapes, source)
    block: Literal["basic", "bottleneck"] = "bottleneck" if f"{IMAGE}layer1.0.conv3.weight" in shapes else "basic"
    last = 3 if block == "bottleneck" else 2
    hidden = tuple(_rows(shapes, f"{IMAGE}layer{stage}.0.conv{last}.weight", source) for stage in range(1, 5))
    _check_stated(stated, block, depths, source)
    _check_local_embedder(shapes, hidden[2], source)
    return ImageEncoderConfig(
        embedding_size=_rows(shapes, f"{IMAGE}conv1.weight", source), hidden_sizes=hidden, depths=depths, block=block
    )


def _no_backbone(shapes: Shapes, stated: str | None, source: str) -> str:
    kind = stated or (
        "a DenseNet" if any(name.startswith(f"{IMAGE}features.") for name in shapes) else "something else"
    )
    return f"{source}: its image encoder is {kind}; only residual networks in torchvision's layout can be imported"


def _depths(shapes: Shapes, source: str) -> tuple[int, ...]:
    blocks = {(int(match[1]), int(match[2])) for match in map(_BLOCK.fullmatch, shapes) if match}
    depths = tuple(sum(1 for stage, _ in blocks if stage == wanted) for wanted in range(1, 5))
    if blocks != {(stage, block) for stage in range(1, 5) for block in range(depths[stage - 1])} or 0 in depths:
        raise ModelFilesError(f"{source}: blocks of its image encoder are missing, or it has more than four stages")
    return depths


def _check_stated(stated: str | None, block: str, depths: tuple[int, ...], source: str) -> None:
    if stated is None:
        return
    if stated not in _KNOWN_BACKBONES:
        known = ", ".join(_KNOWN_BACKBONES)
        raise ModelFilesError(f"{source}: its option model.vision.model_name is {stated!r}; there are {known}")
    if _KNOWN_BACKBONES[stated] != (block, depths):
        raise ModelFilesError(
            f"{source} contradicts itself: its option model.vision.model_name is {stated!r}, but its tensors are those"
            f" of a residual network with {block} blocks, {depths} a stage"
        )


def _check_local_embedder(shapes: Shapes, channels: int, source: str) -> None:
    """The published code took 1,024 channels for granted, which stage 3 of a ResNet-18 does not have."""
    shape = shapes.get("img_encoder.local_embedder.weight")
    if shape is not None and shape[1:] != (channels, 1, 1):
        raise ModelFilesError(
            f"{source}: img_encoder.local_embedder.weight has shape {list(shape)}, but stage 3 of the image encoder,"
            f" whose cells are the regions, has {channels} channels"
        )


def text_sizes(shapes: Shapes, source: str) -> TextSizes:
    """The sizes of the BERT that the tensors belong to.

    Raises:
        ModelFilesError: they are no BERT's.
    """
    layers = {int(match[1]) for match in map(_LAYER.match, shapes) if match}
    if _WORDS not in shapes or not layers:
        raise ModelFilesError(f"{source}: its text encoder is no BERT (it lacks {_WORDS} or layers); nothing to import")
    return TextSizes(
        vocab_size=_rows(shapes, _WORDS, source),
        hidden_size=_columns(shapes, _WORDS, source),
        num_hidden_layers=max(layers) + 1,
        intermediate_size=_rows(shapes, f"{TEXT}encoder.layer.0.intermediate.dense.weight", source),
        max_position_embeddings=_rows(shapes, _POSITIONS, source),
        type_vocab_size=_rows(shapes, _SEGMENTS, source),
    )


def _rows(shapes: Shapes, name: str, source: str) -> int:
    return _size(shapes, name, 0, source)


def _columns(shapes: Shapes, name: str, source: str) -> int:
    return _size(shapes, name, 1, source)


def _size(shapes: Shapes, name: str, axis: int, source: str) -> int:
    shape = shapes.get(name)
    if shape is None or len(shape) < 2 or shape[axis] < 1:
        raise ModelFilesError(f"{source}: missing, or without rows and columns: {name}")
    return shape[axis]
