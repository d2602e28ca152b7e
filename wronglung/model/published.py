"""Tensors in the published GLoRIA layout → the names of `AlignmentNetwork`.

That layout names the residual network as torchvision does (`img_encoder.model.layer1.0.conv2.weight`), the language
model as transformers does (`text_encoder.model.…`), and the opt-out vector `no_attn_vec`.
"""

import re
from collections.abc import Mapping
from typing import TypeVar

TensorT = TypeVar("TensorT")

_UNUSED = re.compile(r"text_encoder\.model\.(pooler\..*|embeddings\.position_ids)")
_RENAMED = {
    "img_encoder.model.conv1.": "image.backbone.embedder.embedder.convolution.",
    "img_encoder.model.bn1.": "image.backbone.embedder.embedder.normalization.",
    "img_encoder.global_embedder.": "image.global_embedder.",
    "img_encoder.local_embedder.": "image.local_embedder.",
    "text_encoder.model.": "text.bert.",
}
_BLOCK = re.compile(r"img_encoder\.model\.layer(\d)\.(\d+)\.(?:(conv|bn)(\d)|downsample\.([01]))\.(.+)")
_PARTS = {"conv": "convolution", "bn": "normalization", "0": "convolution", "1": "normalization"}


def rename_published(tensors: Mapping[str, TensorT]) -> dict[str, TensorT]:
    """Rename every tensor that the network uses; BERT's pooler, which no encoder of this family reads, is left out.

    Args:
        tensors: by published name, without the prefix "gloria.".

    Raises:
        ValueError: a name is unknown.
    """
    return {_rename(name): tensor for name, tensor in tensors.items() if not _UNUSED.fullmatch(name)}


def _rename(name: str) -> str:
    if name == "no_attn_vec":
        return "opt_out"
    if block := _BLOCK.fullmatch(name):
        return _rename_block(block)
    for old, new in _RENAMED.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    raise ValueError(f"{name!r} is not a tensor of the published layout")


def _rename_block(match: re.Match[str]) -> str:
    stage, block, kind, number, shortcut, rest = match.groups()
    place = f"image.backbone.encoder.stages.{int(stage) - 1}.layers.{block}"
    if kind is None:
        return f"{place}.shortcut.{_PARTS[shortcut]}.{rest}"
    return f"{place}.layer.{int(number) - 1}.{_PARTS[kind]}.{rest}"
