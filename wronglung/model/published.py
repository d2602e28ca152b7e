"""Tensors in the published GLoRIA layout → the names of `AlignmentNetwork`.

That layout names the residual network as torchvision does (`img_encoder.model.layer1.0.conv2.weight`), the language
model as transformers does (`text_encoder.model.…`), and the opt-out vector `no_attn_vec`.
"""

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

from wronglung.model.errors import ModelFilesError

TensorT = TypeVar("TensorT")

_UNUSED = re.compile(r"text_encoder\.model\.(pooler\..*|embeddings\.(position_ids|token_type_ids))")
"""BERT's pooler, which no encoder of this family reads, and buffers that older versions of transformers stored."""
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
    """Rename every tensor that the network uses; those of `unused_names` are left out.

    Args:
        tensors: by published name, without the prefix "gloria.".

    Raises:
        ModelFilesError: a name is not of the published layout; the message lists them.
    """
    renamed = {name: _rename(name) for name in tensors if not _UNUSED.fullmatch(name)}
    unknown = sorted(name for name, new in renamed.items() if new is None)
    if unknown:
        more = f" … and {len(unknown) - 10} more" if len(unknown) > 10 else ""
        raise ModelFilesError(
            f"left over, because the published layout has no such tensors: {', '.join(unknown[:10])}{more}"
        )
    return {new: tensors[name] for name, new in renamed.items() if new is not None}


def unused_names(names: Iterable[str]) -> list[str]:
    """The names of tensors that published files may contain but no network needs, sorted."""
    return sorted(name for name in names if _UNUSED.fullmatch(name))


def _rename(name: str) -> str | None:
    if name == "no_attn_vec":
        return "opt_out"
    if block := _BLOCK.fullmatch(name):
        return _rename_block(block)
    for old, new in _RENAMED.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    return None


def _rename_block(match: re.Match[str]) -> str:
    stage, block, kind, number, shortcut, rest = match.groups()
    place = f"image.backbone.encoder.stages.{int(stage) - 1}.layers.{block}"
    if kind is None:
        return f"{place}.shortcut.{_PARTS[shortcut]}.{rest}"
    return f"{place}.layer.{int(number) - 1}.{_PARTS[kind]}.{rest}"
