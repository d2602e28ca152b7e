"""A checkpoint becomes a model's directory that computes what the checkpoint did, or nothing is left behind."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tests import published_files
from tests.published_files import HEADS, VOCABULARY, lightning_file, options, tensors, tokenizer_folder
from wronglung.model import load_model
from wronglung.model.checkpoint import load_checkpoint
from wronglung.model.errors import ModelFilesError
from wronglung.model.importing.importer import Imported, Wishes, import_published

State = dict[str, Tensor]
LEFT_OUT = ("text_encoder.model.pooler.dense.bias", "text_encoder.model.pooler.dense.weight")


@pytest.fixture
def bert(tmp_path: Path) -> Path:
    return tokenizer_folder(tmp_path / "bert", config={"num_attention_heads": HEADS})


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "store" / "gloria"


def bring_in(file: Path, bert: Path, target: Path, **wishes: Any) -> Imported:
    return import_published(file, str(bert), target, Wishes(name=target.name, **wishes))


@pytest.mark.parametrize("opt_out", [False, True])
def test_a_lightning_checkpoint_becomes_a_model(tmp_path: Path, bert: Path, target: Path, opt_out: bool) -> None:
    state = tensors(opt_out=opt_out)
    file = lightning_file(tmp_path / "a.ckpt", state, options(model__gloria__no_attn_vec=opt_out))
    imported = bring_in(file, bert, target, version="2.1")
    assert imported.left_out == LEFT_OUT
    model = load_model(target)
    assert (model.identity().name, model.identity().version) == ("gloria", "2.1")
    assert (model.has_opt_out, model.grid, model.max_word_pieces) == (opt_out, (19, 19), 97)
    (aligned,) = model.align([np.arange(10_000, dtype=np.uint16).reshape(100, 100)], [["the left lung is clear"]])
    np.testing.assert_allclose(aligned.maps.sum() + aligned.opt_out, 1, atol=1e-6)


def test_every_number_arrives(tmp_path: Path, bert: Path, target: Path) -> None:
    state = tensors(opt_out=True)
    bring_in(lightning_file(tmp_path / "a.ckpt", state, options()), bert, target)
    arrived = load_checkpoint(target).network.state_dict()
    assert len(arrived) == len(state) - len(LEFT_OUT)
    assert torch.equal(arrived["opt_out"], state["no_attn_vec"])
    assert torch.equal(
        arrived["image.backbone.encoder.stages.2.layers.0.shortcut.convolution.weight"],
        state["img_encoder.model.layer3.0.downsample.0.weight"],
    )


def save_torch(path: Path, state: State) -> None:
    torch.save(state, path)


def save_old(path: Path, state: State) -> None:
    torch.save(published_files.with_prefix(state), path, _use_new_zipfile_serialization=False)


def save_safetensors(path: Path, state: State) -> None:
    from safetensors.torch import save_file

    save_file(state, path)


@pytest.mark.parametrize(
    ("name", "save"), [("a.pt", save_torch), ("a.pth", save_old), ("a.safetensors", save_safetensors)]
)
def test_files_of_weights_alone_give_the_same_weights(
    tmp_path: Path, bert: Path, target: Path, name: str, save: Callable[[Path, State], None]
) -> None:
    expected = bring_in(lightning_file(tmp_path / "a.ckpt", tensors(), options()), bert, target).config
    save(tmp_path / name, tensors())
    assert bring_in(tmp_path / name, bert, tmp_path / "other").config == expected


def test_tensors_may_be_omegaconfs_neighbours(tmp_path: Path, bert: Path, target: Path) -> None:
    with published_files.fake_omegaconf(tmp_path / "marker") as package:
        wrapped = published_files.as_omegaconf(package, options(model__gloria__temp1=7.5, data__text__word_num=50))
        file = lightning_file(tmp_path / "a.ckpt", tensors(), wrapped)
    network = bring_in(file, bert, target).config.network
    assert (network.attention.temperature, network.text.max_word_pieces) == (7.5, 50)


# What it computes


def torchvision_resnet(state: State, images: Tensor, depths: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Stage 3 and the pooled stage 4 of torchvision's ResNet with basic blocks, written out, from its own names."""

    def norm(x: Tensor, place: str) -> Tensor:
        mean, variance = state[f"{place}.running_mean"], state[f"{place}.running_var"]
        return functional.batch_norm(x, mean, variance, state[f"{place}.weight"], state[f"{place}.bias"])

    def convolve(x: Tensor, place: str, stride: int) -> Tensor:
        weight = state[f"{place}.weight"]
        return functional.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)

    root, stages = "img_encoder.model", []
    x = functional.interpolate(images, size=(299, 299), mode="bilinear", align_corners=True)
    x = functional.relu(norm(convolve(x, f"{root}.conv1", 2), f"{root}.bn1"))
    x = functional.max_pool2d(x, 3, stride=2, padding=1)
    for stage, depth in enumerate(depths, start=1):
        for block in range(depth):
            place, stride = f"{root}.layer{stage}.{block}", 2 if stage > 1 and block == 0 else 1
            y = functional.relu(norm(convolve(x, f"{place}.conv1", stride), f"{place}.bn1"))
            y = norm(convolve(y, f"{place}.conv2", 1), f"{place}.bn2")
            if f"{place}.downsample.0.weight" in state:
                x = norm(convolve(x, f"{place}.downsample.0", stride), f"{place}.downsample.1")
            x = functional.relu(x + y)
        stages.append(x)
    return stages[2], stages[3].mean((2, 3))


@pytest.mark.parametrize("depths", [(2, 2, 2, 2), (3, 4, 6, 3)], ids=["resnet_18", "resnet_34"])
@torch.no_grad()
def test_a_basic_resnet_computes_what_torchvisions_does(
    tmp_path: Path, bert: Path, target: Path, depths: tuple[int, ...]
) -> None:
    state = tensors(depths=depths)
    torch.save(state, tmp_path / "a.pt")
    bring_in(tmp_path / "a.pt", bert, target)
    # in float64: random weights make large activations, whose rounding depends on the number of threads
    state = {name: tensor.double() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    frames = torch.randn(2, 224, 224, generator=torch.Generator().manual_seed(1)).double()
    local, pooled = torchvision_resnet(state, frames[:, None].expand(-1, 3, -1, -1), depths)
    regions = functional.conv2d(local, state["img_encoder.local_embedder.weight"]).flatten(2).transpose(1, 2)
    whole = functional.linear(pooled, *(state[f"img_encoder.global_embedder.{part}"] for part in ("weight", "bias")))
    features = load_checkpoint(target).network.double().image(frames)
    torch.testing.assert_close(features.regions_BND, regions)
    torch.testing.assert_close(features.global_BD, whole)


def test_settings_of_the_bert_reach_it(tmp_path: Path, target: Path) -> None:
    config = {"num_attention_heads": 4, "hidden_act": "relu", "layer_norm_eps": 1e-3}
    bert = tokenizer_folder(tmp_path / "other", config=config)
    torch.save(tensors(), tmp_path / "a.pt")
    bring_in(tmp_path / "a.pt", bert, target)
    found = load_checkpoint(target).network.text.bert.config
    assert {key: getattr(found, key) for key in config} == config


# What the user decides


def test_preprocessing_and_cleaning_are_the_published_ones_unless_wished(
    tmp_path: Path, bert: Path, target: Path
) -> None:
    torch.save(tensors(), tmp_path / "a.pt")
    published = bring_in(tmp_path / "a.pt", bert, target).config
    assert (published.preprocess.stretch, published.cleaning.empty) == (False, "error")
    assert published.cleaning.drop_single_words
    wished = bring_in(tmp_path / "a.pt", bert, tmp_path / "b", stretch=True, empty="encode_markers").config
    assert (wished.preprocess.stretch, wished.cleaning.empty) == (True, "encode_markers")


def test_heads_must_be_said_where_no_file_tells(tmp_path: Path, target: Path) -> None:
    bert = tokenizer_folder(tmp_path / "bare")
    torch.save(tensors(), tmp_path / "a.pt")
    with pytest.raises(ModelFilesError, match="--heads N"):
        bring_in(tmp_path / "a.pt", bert, target)
    assert bring_in(tmp_path / "a.pt", bert, target, heads=4).config.network.text.heads == 4


def test_a_model_is_replaced_only_when_asked_to(tmp_path: Path, bert: Path, target: Path) -> None:
    torch.save(tensors(), tmp_path / "a.pt")
    torch.save(tensors(seed=1), tmp_path / "b.pt")
    first = bring_in(tmp_path / "a.pt", bert, target).config
    with pytest.raises(ModelFilesError, match="--force"):
        bring_in(tmp_path / "b.pt", bert, target)
    assert load_checkpoint(target).config == first
    second = bring_in(tmp_path / "b.pt", bert, target, replace=True).config
    assert load_checkpoint(target).config == second != first


# What is written


def test_the_card_says_where_the_model_is_from(tmp_path: Path, bert: Path, target: Path) -> None:
    file = lightning_file(tmp_path / "released.ckpt", tensors(), options())
    bring_in(file, bert, target)
    card = (target / "CARD.md").read_text()
    assert "released.ckpt" in card
    assert hashlib.sha256(file.read_bytes()).hexdigest() in card
    assert "`some/bert`" in card
    assert all(name in card for name in LEFT_OUT)
    assert "config.json beside the tokenizer" in card
    assert "Intended use" in card
    assert str(tmp_path) not in card


def test_all_files_are_there_and_whole(tmp_path: Path, bert: Path, target: Path) -> None:
    torch.save(tensors(), tmp_path / "a.pt")
    bring_in(tmp_path / "a.pt", bert, target)
    files = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert files == {"config.json", "weights.safetensors", "tokenizer/tokenizer.json", "model-config.yaml", "CARD.md"}
    assert [path.name for path in target.parent.iterdir()] == ["gloria"]
    config = json.loads((target / "config.json").read_text())
    assert config["weights_sha256"] == hashlib.sha256((target / "weights.safetensors").read_bytes()).hexdigest()


def test_the_same_file_gives_the_same_bytes(tmp_path: Path, bert: Path, target: Path) -> None:
    torch.save(tensors(), tmp_path / "a.pt")
    bring_in(tmp_path / "a.pt", bert, target)
    other = tmp_path / "again" / "gloria"
    bring_in(tmp_path / "a.pt", bert, other)
    for path in (path for path in target.rglob("*") if path.is_file()):
        assert path.read_bytes() == (other / path.relative_to(target)).read_bytes()


def test_progress_tells_every_byte(tmp_path: Path, bert: Path, target: Path) -> None:
    steps: dict[str, list[int]] = {}

    def watch(what: str, size: int) -> Callable[[int], object]:
        steps[what] = [size]
        return steps[what].append

    torch.save(tensors(), tmp_path / "a.pt")
    import_published(tmp_path / "a.pt", str(bert), target, Wishes(name="gloria"), watch)
    assert steps.keys() == {"weights", "digest"}
    assert all(size == sum(done) for size, *done in steps.values())


# What is refused


def without(name: str) -> Callable[[State], State]:
    return lambda state: {each: tensor for each, tensor in state.items() if each != name}


def changed(**new: Tensor) -> Callable[[State], State]:
    return lambda state: state | {name.replace("__", "."): tensor for name, tensor in new.items()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("img_encoder.global_embedder.bias"), "missing: image.global_embedder.bias"),
        (without("text_encoder.model.encoder.layer.2.output.dense.bias"), r"missing: text\.bert\.encoder\.layer\.2"),
        (changed(img_encoder__model__fc__weight=torch.zeros(5, 32)), r"left over.*img_encoder\.model\.fc\.weight"),
        (changed(image_transformer__layers__0__w=torch.zeros(1)), r"left over.*image_transformer\.layers\.0"),
        (changed(text_encoder__model__embeddings__distance=torch.zeros(1)), "left over: text.bert.embeddings.distance"),
        (changed(no_attn_vec=torch.zeros(9)), r"opt_out has shape \[9\], the network needs \[8\]"),
        (changed(no_attn_vec=torch.full((8,), torch.nan)), "opt_out holds infinite numbers or NaN"),
        (changed(no_attn_vec=torch.zeros(8, dtype=torch.int64)), r"opt_out holds torch\.int64"),
        (changed(img_encoder__model__layer1__0__conv2__weight=torch.zeros(4, 1, 3, 3)), r"shape \[4, 1, 3, 3\]"),
    ],
)
def test_every_tensor_must_find_its_place(
    tmp_path: Path, bert: Path, target: Path, change: Callable[[State], State], message: str
) -> None:
    torch.save(change(tensors()), tmp_path / "a.pt")
    with pytest.raises(ModelFilesError, match=rf"a\.pt.*(?s:.*){message}"):
        bring_in(tmp_path / "a.pt", bert, target)
    assert not target.parent.exists() or list(target.parent.iterdir()) == []


def test_buffers_of_older_versions_are_left_out_by_name(tmp_path: Path, bert: Path, target: Path) -> None:
    buffers = {
        f"text_encoder.model.embeddings.{name}": torch.arange(100)[None] for name in ("position_ids", "token_type_ids")
    }
    torch.save(tensors() | buffers, tmp_path / "a.pt")
    assert set(bring_in(tmp_path / "a.pt", bert, target).left_out) == {*LEFT_OUT, *buffers}


def test_half_precision_is_widened_and_told(tmp_path: Path, bert: Path, target: Path) -> None:
    state = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in tensors().items()}
    torch.save(state, tmp_path / "a.pt")
    imported = bring_in(tmp_path / "a.pt", bert, target)
    assert "float32, converted from float16" in {fact.value for fact in imported.facts}
    arrived = load_checkpoint(target).network.image.global_embedder.bias
    assert torch.equal(arrived, state["img_encoder.global_embedder.bias"].float())


@pytest.mark.parametrize(
    ("vocabulary", "message"), [([*VOCABULARY, "more"], "embeddings for"), (VOCABULARY[1:], r"lacks .*\[PAD\]")]
)
def test_a_wrong_tokenizer_is_refused(tmp_path: Path, target: Path, vocabulary: list[str], message: str) -> None:
    bert = tokenizer_folder(tmp_path / "wrong", vocabulary, config={"num_attention_heads": HEADS})
    torch.save(tensors(), tmp_path / "a.pt")
    with pytest.raises(ModelFilesError, match=message):
        bring_in(tmp_path / "a.pt", bert, target)
    assert not target.parent.exists()
