"""Sizes from shapes alone, and every contradiction named."""

from typing import Any

import pytest

from tests import published_files
from wronglung.model.errors import ModelFilesError
from wronglung.model.importing.architecture import image_encoder, text_sizes
from wronglung.model.importing.bert_settings import bert_settings
from wronglung.model.importing.inference import infer
from wronglung.model.importing.options import TrainingOptions
from wronglung.model.parts_config import ImageEncoderConfig

Shapes = dict[str, tuple[int, ...]]
HEADS = {"num_attention_heads": 2}


def shapes(**how: Any) -> Shapes:
    return {name: tuple(tensor.shape) for name, tensor in published_files.tensors(**how).items()}


def test_a_resnet_18_is_recognised() -> None:
    assert image_encoder(shapes(), "resnet_18", "a") == ImageEncoderConfig(
        embedding_size=4, hidden_sizes=(4, 8, 16, 32), depths=(2, 2, 2, 2), block="basic"
    )


def test_a_resnet_50_is_recognised() -> None:
    assert image_encoder(shapes(bottleneck=True, depths=(3, 4, 6, 3)), "resnet_50", "a") == ImageEncoderConfig(
        embedding_size=4, hidden_sizes=(16, 32, 64, 128), depths=(3, 4, 6, 3), block="bottleneck"
    )


def test_the_backbone_must_be_the_one_that_the_options_name() -> None:
    with pytest.raises(ModelFilesError, match=r"contradicts itself: .*'resnet_50'.*basic blocks"):
        image_encoder(shapes(), "resnet_50", "a")
    with pytest.raises(ModelFilesError, match="'resnext_50'"):
        image_encoder(shapes(), "resnext_50", "a")


def test_other_backbones_are_refused() -> None:
    with pytest.raises(ModelFilesError, match="a DenseNet; only residual networks"):
        image_encoder({"img_encoder.model.features.conv0.weight": (64, 3, 7, 7)}, None, "a")


def test_missing_blocks_are_noticed() -> None:
    cut = {name: shape for name, shape in shapes().items() if ".layer3.0." not in name}
    with pytest.raises(ModelFilesError, match="blocks of its image encoder are missing"):
        image_encoder(cut, None, "a")


def test_regions_must_have_the_channels_of_stage_3() -> None:
    wrong = shapes() | {"img_encoder.local_embedder.weight": (8, 1024, 1, 1)}
    with pytest.raises(ModelFilesError, match=r"\[8, 1024, 1, 1\], but stage 3 .* has 16 channels"):
        image_encoder(wrong, None, "a")


def test_a_berts_sizes_are_those_of_its_tensors() -> None:
    assert text_sizes(shapes(), "a") == {
        "vocab_size": len(published_files.VOCABULARY),
        "hidden_size": 8,
        "num_hidden_layers": 5,
        "intermediate_size": 16,
        "max_position_embeddings": 100,
        "type_vocab_size": 2,
    }


def test_a_text_encoder_that_is_no_bert_is_refused() -> None:
    with pytest.raises(ModelFilesError, match="no BERT"):
        text_sizes({"text_encoder.model.wte.weight": (10, 8)}, "a")


# What shapes cannot tell


def settings(config: dict[str, Any] | None, known_as: str | None = None, heads: int | None = None) -> Any:
    sizes = {"hidden_size": 24, "num_hidden_layers": 3}
    return bert_settings(sizes, config, known_as=known_as, heads=heads, source="a.ckpt")


def test_the_config_beside_the_tokenizer_tells() -> None:
    config = {"num_attention_heads": 3, "hidden_act": "gelu_new", "layer_norm_eps": 1e-5, "hidden_size": 24}
    assert settings(config)[:3] == (3, "gelu_new", 1e-5)


def test_the_published_bert_is_known_by_its_name() -> None:
    found = settings(None, known_as="emilyalsentzer/Bio_ClinicalBERT")
    assert found[:3] == (12, "gelu", 1e-12)
    assert "Bio_ClinicalBERT" in found.source


def test_otherwise_the_user_must_say() -> None:
    with pytest.raises(ModelFilesError, match=r"--heads N"):
        settings(None, known_as="somebody/else")
    found = settings(None, heads=4)
    assert found[:3] == (4, "gelu", 1e-12)
    assert "no config.json" in found.source


@pytest.mark.parametrize(
    ("config", "heads", "message"),
    [
        (HEADS, 3, "--heads 3 contradicts the 2"),
        ({"num_attention_heads": 5}, None, "5 attention heads do not divide the hidden size 24"),
        ({**HEADS, "hidden_act": "sine"}, None, "'sine'"),
        ({**HEADS, "layer_norm_eps": "tiny"}, None, "layer_norm_eps"),
        ({**HEADS, "hidden_size": 768}, None, "another model: it says hidden_size: 768, but the checkpoint has 24"),
        ({**HEADS, "model_type": "roberta"}, None, "model_type: 'roberta'"),
        ({**HEADS, "position_embedding_type": "relative_key"}, None, "position_embedding_type"),
        ({**HEADS, "is_decoder": True}, None, "is_decoder"),
    ],
)
def test_what_does_not_fit_is_refused(config: dict[str, Any], heads: int | None, message: str) -> None:
    with pytest.raises(ModelFilesError, match=message):
        settings(config, heads=heads)


# All of it together


def inferred(how: dict[str, Any] | None = None, **options: Any) -> Any:
    return infer(shapes(**how or {}), TrainingOptions(**options), HEADS, None, "a.ckpt")


def test_the_opt_out_vector_makes_the_opt_out_variant() -> None:
    assert not inferred().network.attention.opt_out
    assert inferred({"opt_out": True}, opt_out=True).network.attention.opt_out


@pytest.mark.parametrize(
    ("how", "options", "message"),
    [
        ({}, {"opt_out": True}, "no_attn_vec is True, but it lacks"),
        ({"opt_out": True}, {"opt_out": False}, "no_attn_vec is False, but it has"),
        ({}, {"dimension": 768}, "embedding_dim is 768, but its BERT has 8"),
        ({}, {"summed_layers": 9}, "summed_layers"),
        ({}, {"max_word_pieces": 101}, "max_word_pieces"),
    ],
)
def test_options_must_agree_with_tensors(how: dict[str, Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelFilesError, match=message):
        inferred(how, **options)


def test_every_fact_says_where_it_is_from() -> None:
    facts = {fact.subject: fact for fact in inferred(temperature=6.0, stated=frozenset({"model.gloria.temp1"})).facts}
    assert facts["temperature"][1:] == ("6", "the checkpoint's options")
    assert "data.text.word_num" in facts["longest sentence"].source
    assert "keeps 4" in facts["local similarity"].source
    assert "local similarity" not in {fact.subject for fact in inferred().facts}
