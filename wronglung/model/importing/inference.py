"""What a checkpoint's tensors, its options and its tokenizer say together → the network's config, with the reasons."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from wronglung.model.config import NetworkConfig
from wronglung.model.errors import ModelFilesError
from wronglung.model.importing.architecture import Shapes, image_encoder, text_sizes
from wronglung.model.importing.bert_settings import BertSettings, bert_settings
from wronglung.model.importing.options import (
    LAYERS,
    PIECES,
    PUBLISHED_TEMPERATURE,
    SIDE,
    TEMPERATURE,
    TRANSFORMS,
    TrainingOptions,
)
from wronglung.model.parts_config import AttentionConfig, TextEncoderConfig

OPT_OUT = "no_attn_vec"


class Fact(NamedTuple):
    """Something about a model, and how it is known."""

    subject: str
    value: str
    source: str


class Inferred(NamedTuple):
    """A network's config and why it is that."""

    network: NetworkConfig
    facts: tuple[Fact, ...]


def infer(
    shapes: Shapes, options: TrainingOptions, bert_config: Mapping[str, Any] | None, heads: int | None, source: str
) -> Inferred:
    """Work out the network.

    Args:
        shapes: of the published tensors, by name without prefix.
        options: the training's.
        bert_config: the `config.json` beside the tokenizer, or None.
        heads: number of attention heads if the user says it.
        source: the checkpoint's name for messages.

    Raises:
        ModelFilesError: something is missing, unsupported or contradicts something else; the message names it.
    """
    image = image_encoder(shapes, options.backbone, source)
    sizes = text_sizes(shapes, source)
    _check_options(shapes, options, sizes["hidden_size"], source)
    settings = bert_settings(sizes, bert_config, known_as=options.bert, heads=heads, source=source)
    try:
        text = TextEncoderConfig(
            vocab_size=sizes["vocab_size"],
            hidden_size=sizes["hidden_size"],
            layers=sizes["num_hidden_layers"],
            intermediate_size=sizes["intermediate_size"],
            max_positions=sizes["max_position_embeddings"],
            segments=sizes["type_vocab_size"],
            heads=settings.heads,
            activation=settings.activation,
            layer_norm_eps=settings.layer_norm_eps,
            max_word_pieces=options.max_word_pieces,
            summed_layers=options.summed_layers,
        )
    except ValidationError as error:
        problems = "; ".join(str(each["msg"]) for each in error.errors())
        raise ModelFilesError(f"{source}: its options and its tensors do not go together: {problems}") from error
    attention = AttentionConfig(temperature=options.temperature, opt_out=OPT_OUT in shapes)
    network = NetworkConfig(image=image, text=text, attention=attention)
    return Inferred(network, _facts(network, options, settings))


def _check_options(shapes: Shapes, options: TrainingOptions, dimension: int, source: str) -> None:
    if options.opt_out is not None and options.opt_out != (OPT_OUT in shapes):
        has = "has" if OPT_OUT in shapes else "lacks"
        raise ModelFilesError(
            f"{source} contradicts itself: its option model.gloria.{OPT_OUT} is {options.opt_out}, but it {has} the"
            f" tensor {OPT_OUT}"
        )
    if options.dimension not in (None, dimension):
        raise ModelFilesError(
            f"{source} contradicts itself: its option model.text.embedding_dim is {options.dimension}, but its BERT has"
            f" {dimension}"
        )


def _facts(network: NetworkConfig, options: TrainingOptions, settings: BertSettings) -> tuple[Fact, ...]:
    image, text, attention = network.image, network.text, network.attention
    facts = [
        Fact("image encoder", f"ResNet, {image.block} blocks, {'-'.join(map(str, image.depths))} a stage", "tensors"),
        Fact(
            "text encoder", f"BERT of {text.layers} layers of {text.hidden_size}, {text.vocab_size:,} pieces", "tensors"
        ),
        Fact("opt-out vector", "yes" if attention.opt_out else "no", "tensors"),
        Fact("attention heads", str(text.heads), settings.source),
        Fact("activation, epsilon", f"{text.activation}, {text.layer_norm_eps:g}", settings.source),
        Fact("layers summed", f"the last {text.summed_layers}", _source(options, LAYERS)),
        Fact("longest sentence", f"{text.max_word_pieces} word pieces", _source(options, PIECES)),
        Fact("temperature", f"{attention.temperature:g}", _source(options, TEMPERATURE)),
        Fact("preprocessing", _in_words(options), _source(options, SIDE, TRANSFORMS)),
    ]
    if attention.temperature != PUBLISHED_TEMPERATURE:
        facts.append(
            Fact(
                "local similarity",
                f"computed at temperature {attention.temperature:g} as the maps are",
                f"the published code keeps {PUBLISHED_TEMPERATURE:g} there whatever the option says",
            )
        )
    return tuple(facts)


def _source(options: TrainingOptions, *paths: str) -> str:
    silent = [path for path in paths if path not in options.stated]
    return f"published value: the file has no {' and no '.join(silent)}" if silent else "the checkpoint's options"


def _in_words(options: TrainingOptions) -> str:
    pixels = options.preprocess
    return f"longer side {pixels.longer_side}, crop {pixels.crop}, mean {pixels.mean:g}, std {pixels.std:g}"
