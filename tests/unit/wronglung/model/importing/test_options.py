"""What the training's options decide, and which of them are refused by name."""

from pathlib import Path
from typing import Any

import pytest

from tests import published_files
from tests.published_files import options
from wronglung.model.config import PreprocessConfig
from wronglung.model.errors import ModelFilesError
from wronglung.model.importing.options import TrainingOptions, read_options
from wronglung.model.importing.plain import plain_options
from wronglung.model.importing.records import Call


def read(tree: dict[str, Any]) -> TrainingOptions:
    return read_options(tree, "a.ckpt")


def test_the_published_options_give_the_published_config() -> None:
    read_out = read(options())
    assert (read_out.temperature, read_out.summed_layers, read_out.max_word_pieces) == (4.0, 4, 97)
    assert read_out.preprocess == PreprocessConfig()
    assert (read_out.bert, read_out.backbone, read_out.dimension) == ("some/bert", "resnet_18", 8)
    assert read_out.opt_out is None


def test_without_options_the_published_values_hold_and_nothing_counts_as_stated() -> None:
    assert read_options(None, "a.ckpt") == read({}) == TrainingOptions()
    assert TrainingOptions().stated == frozenset()


def test_other_values_are_honoured() -> None:
    tree = options(
        model__gloria__temp1=6,
        model__text__last_n_layers=2,
        data__text__word_num=64,
        data__image__imsize=320,
        transforms__random_crop={"crop_size": 300},
        model__gloria__no_attn_vec=True,
    )
    read_out = read(tree)
    assert (read_out.temperature, read_out.summed_layers, read_out.max_word_pieces) == (6.0, 2, 64)
    assert (read_out.preprocess.longer_side, read_out.preprocess.crop) == (320, 300)
    assert read_out.opt_out is True


def test_a_transformation_that_is_not_named_is_not_done() -> None:
    preprocess = read(options(transforms={})).preprocess
    assert (preprocess.crop, preprocess.mean, preprocess.std) == (256, 0.0, 1.0)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("model__norm", True),
        ("model__image_position_embeddings", {"num": 19}),
        ("model__image_transformer", {"num_heads": 8, "num_layers": 1}),
        ("model__text__aggregate_method", "mean"),
        ("model__text__agg_tokens", False),
        ("model__text__norm", True),
        ("model__text__last_n_layers", 1),
        ("model__text__last_n_layers", 2.5),
        ("model__text__bert_type", 3),
        ("model__text__bert_type", "two\nlines"),
        ("model__gloria__temp1", "${oc.env:TEMP}"),
        ("model__gloria__temp1", 0),
        ("model__gloria__temp1", True),
        ("data__text__word_num", -1),
        ("transforms__norm", "imagenet"),
        ("transforms__random_crop__crop_size", 223),
        ("transforms__random_crop__crop_size", 512),
    ],
)
def test_what_would_give_other_maps_is_refused_by_name(path: str, value: object) -> None:
    with pytest.raises(ModelFilesError, match=rf"a\.ckpt: its option {path.replace('__', '[.]')} is "):
        read(options(**{path: value}))


@pytest.mark.parametrize("wrap", [lambda tree: tree, lambda tree: {"cfg": tree}], ids=["itself", "as an argument"])
def test_options_may_be_omegaconfs_whose_package_is_not_needed(wrap: Any, tmp_path: Path) -> None:
    from wronglung.model.importing.sources import open_source

    tree = options(data__extra=[1, {"a": None}, "x"])
    with published_files.fake_omegaconf(tmp_path / "marker") as package:
        wrapped = wrap(published_files.as_omegaconf(package, tree))
        path = published_files.lightning_file(tmp_path / "a.ckpt", published_files.tensors(), wrapped)
    with open_source(path) as source:
        assert source.options == tree


@pytest.mark.parametrize(
    "call",
    [
        Call(
            "omegaconf.dictconfig.DictConfig", state={"content": {"a": Call("omegaconf.UntypedNode", state={"val": 1})}}
        ),
        Call("argparse.Namespace", state={"a": 1}),
        Call("pytorch_lightning.utilities.parsing.AttributeDict", items={"a": 1}),
    ],
    ids=["OmegaConf before 2.0", "argparse", "Lightning"],
)
def test_other_holders_of_options_are_read_too(call: Call) -> None:
    assert plain_options(call, "a.ckpt") == {"a": 1}


def test_what_is_no_mapping_is_refused() -> None:
    with pytest.raises(ModelFilesError, match="no mapping"):
        plain_options([1, 2], "a.ckpt")
