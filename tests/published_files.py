"""Small checkpoints in the published layout, and the vocabulary to go with them."""

import json
import pickle
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from wronglung.model.tokenizer import vocabulary_with_alphabet

VOCABULARY = vocabulary_with_alphabet(["left", "lung", "the", "clear", "is", "effu", "##sion"])
DIMENSION, HEADS, BERT_LAYERS, POSITIONS = 8, 2, 5, 100


def options(**changes: object) -> dict[str, Any]:
    """The options of a training, as the published configuration nests them; `model__text__norm=True` changes one."""
    tree: dict[str, Any] = {
        "phase": "pretrain",
        "model": {
            "gloria": {"local_loss_weight": 1.0, "temp1": 4.0, "temp2": 5.0, "temp3": 10.0},
            "vision": {"model_name": "resnet_18", "freeze_cnn": False},
            "text": {
                "bert_type": "some/bert",
                "last_n_layers": 4,
                "aggregate_method": "sum",
                "norm": False,
                "embedding_dim": DIMENSION,
                "agg_tokens": True,
            },
        },
        "data": {"text": {"word_num": 97}, "image": {"imsize": 256}},
        "transforms": {"norm": "half", "random_crop": {"crop_size": 224}},
    }
    for path, value in changes.items():
        *folders, last = path.split("__")
        place = tree
        for key in folders:
            place = place[key]
        place[last] = value
    return tree


def tensors(
    *, bottleneck: bool = False, depths: tuple[int, ...] = (2, 2, 2, 2), opt_out: bool = False, seed: int = 0
) -> dict[str, torch.Tensor]:
    """Random tensors of a narrow residual network and a small BERT under the published names, without prefix."""
    generator = torch.Generator().manual_seed(seed)
    shapes = {**_image(bottleneck, depths), **_text()} | ({"no_attn_vec": (DIMENSION,)} if opt_out else {})
    return {name: _random(name, shape, generator) for name, shape in shapes.items()}


def _random(name: str, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    if name.endswith("num_batches_tracked"):
        return torch.tensor(0)
    numbers = 0.2 * torch.randn(shape, generator=generator)
    scale = name.endswith("running_var") or (name.endswith("weight") and len(shape) == 1)
    return 1 + numbers.abs() if scale else numbers


def _image(bottleneck: bool, depths: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    shapes = _norm("img_encoder.model.bn1", 4) | {"img_encoder.model.conv1.weight": (4, 3, 7, 7)}
    channels = 4
    for stage, depth in enumerate(depths, start=1):
        width = 4 << (stage - 1)
        out = 4 * width if bottleneck else width
        for block in range(depth):
            place = f"img_encoder.model.layer{stage}.{block}"
            shapes |= _block(place, channels, width, out, bottleneck)
            if block == 0 and (stage > 1 or channels != out):
                shapes[f"{place}.downsample.0.weight"] = (out, channels, 1, 1)
                shapes |= _norm(f"{place}.downsample.1", out)
            channels = out
    local = (4 << 2) * (4 if bottleneck else 1)
    shapes["img_encoder.local_embedder.weight"] = (DIMENSION, local, 1, 1)
    shapes["img_encoder.global_embedder.weight"] = (DIMENSION, channels)
    shapes["img_encoder.global_embedder.bias"] = (DIMENSION,)
    return shapes


def _block(place: str, channels: int, width: int, out: int, bottleneck: bool) -> dict[str, tuple[int, ...]]:
    plan = (
        [(channels, width, 1), (width, width, 3), (width, out, 1)]
        if bottleneck
        else [(channels, out, 3), (out, out, 3)]
    )
    shapes: dict[str, tuple[int, ...]] = {}
    for number, (before, after, kernel) in enumerate(plan, start=1):
        shapes[f"{place}.conv{number}.weight"] = (after, before, kernel, kernel)
        shapes |= _norm(f"{place}.bn{number}", after)
    return shapes


def _norm(place: str, channels: int) -> dict[str, tuple[int, ...]]:
    parts = ("weight", "bias", "running_mean", "running_var")
    return {f"{place}.{part}": (channels,) for part in parts} | {f"{place}.num_batches_tracked": ()}


def _text() -> dict[str, tuple[int, ...]]:
    root, d = "text_encoder.model", DIMENSION
    linear = {
        "attention.self.query": (d, d),
        "attention.self.key": (d, d),
        "attention.self.value": (d, d),
        "attention.output.dense": (d, d),
        "intermediate.dense": (2 * d, d),
        "output.dense": (d, 2 * d),
    }
    shapes: dict[str, tuple[int, ...]] = {
        f"{root}.embeddings.word_embeddings.weight": (len(VOCABULARY), d),
        f"{root}.embeddings.position_embeddings.weight": (POSITIONS, d),
        f"{root}.embeddings.token_type_embeddings.weight": (2, d),
        f"{root}.pooler.dense.weight": (d, d),
        f"{root}.pooler.dense.bias": (d,),
    }
    norms = [f"{root}.embeddings.LayerNorm"]
    for layer in range(BERT_LAYERS):
        place = f"{root}.encoder.layer.{layer}"
        norms += [f"{place}.attention.output.LayerNorm", f"{place}.output.LayerNorm"]
        for part, shape in linear.items():
            shapes |= {f"{place}.{part}.weight": shape, f"{place}.{part}.bias": shape[:1]}
    return shapes | {f"{norm}.{part}": (d,) for norm in norms for part in ("weight", "bias")}


def with_prefix(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The names that the Lightning module gives them."""
    return {f"gloria.{name}": tensor for name, tensor in state.items()}


def lightning_file(path: Path, state: Mapping[str, torch.Tensor], hyper_parameters: object) -> Path:
    """A Lightning checkpoint with what else such files hold."""
    document = {
        "epoch": 3,
        "pytorch-lightning_version": "1.1.4",
        "state_dict": with_prefix(state),
        "optimizer_states": [{"state": {0: {"step": 7, "exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 1e-5}]}],
        "hyper_parameters": hyper_parameters,
    }
    torch.save(document, path)
    return path


def tokenizer_folder(path: Path, vocabulary: list[str] = VOCABULARY, config: dict[str, Any] | None = None) -> Path:
    """A tokenizer as BERTs are published: `vocab.txt`, `tokenizer_config.json` and, with `config`, `config.json`."""
    path.mkdir(parents=True)
    (path / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    (path / "tokenizer_config.json").write_text('{"do_lower_case": false, "tokenizer_class": "BertTokenizer"}')
    if config is not None:
        (path / "config.json").write_text(json.dumps({"model_type": "bert", **config}))
    return path


@contextmanager
def fake_omegaconf(marker: Path) -> Iterator[ModuleType]:
    """A package with the classes and the pickled form of OmegaConf. Unpickling one of them would create `marker`."""

    class Node:
        def __init__(self, **attributes: object) -> None:
            self.__dict__.update(attributes)

        def __getstate__(self) -> dict[str, object]:
            return self.__dict__

        def __setstate__(self, state: dict[str, object]) -> None:
            marker.touch()

    package = ModuleType("omegaconf")
    homes = {"DictConfig": "dictconfig", "ListConfig": "listconfig", "AnyNode": "nodes", "ContainerMetadata": "base"}
    modules = {"omegaconf": package} | {f"omegaconf.{home}": ModuleType(home) for home in homes.values()}
    for name, home in homes.items():
        kind = type(name, (Node,), {"__module__": f"omegaconf.{home}", "__qualname__": name})
        setattr(modules[f"omegaconf.{home}"], name, kind)
        setattr(package, name, kind)
    sys.modules.update(modules)
    try:
        yield package
    finally:
        for name in modules:
            del sys.modules[name]


def as_omegaconf(package: ModuleType, value: object, parent: object = None) -> object:
    """Wrap nested options as OmegaConf does, every node with its parent and metadata."""
    metadata = package.ContainerMetadata(ref_type=Any, element_type=Any, key_type=str, flags={})
    if not isinstance(value, dict | list):
        return package.AnyNode(_metadata=metadata, _parent=parent, _val=value)
    kind = package.DictConfig if isinstance(value, dict) else package.ListConfig
    node = kind(_metadata=metadata, _parent=parent)
    if isinstance(value, dict):
        node._content = {key: as_omegaconf(package, entry, node) for key, entry in value.items()}
    else:
        node._content = [as_omegaconf(package, entry, node) for entry in value]
    return node


def pickled_by_calling(function: Any, *arguments: object) -> Any:
    """An object whose pickle calls a function when it is loaded."""

    class Calling:
        def __reduce__(self) -> tuple[Any, tuple[object, ...]]:
            return function, arguments

    return Calling()


def archive_around(path: Path, data: bytes) -> Path:
    """A file of `torch.save` whose objects are this pickle."""
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/version", "3\n")
    return path


def protocol_two(value: object) -> bytes:
    """A pickle as `torch.save` writes it."""
    return pickle.dumps(value, protocol=2)
