"""What the shapes of a BERT's tensors cannot tell: heads, activation, the normalisations' epsilon."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from transformers.activations import ACT2FN

from wronglung.model.errors import ModelFilesError
from wronglung.model.importing.architecture import TextSizes

_KNOWN: dict[str, Mapping[str, Any]] = {
    "emilyalsentzer/Bio_ClinicalBERT": {"num_attention_heads": 12, "hidden_act": "gelu", "layer_norm_eps": 1e-12},
}
"""The BERTs that published trainings name; what their own `config.json` says."""
_DEFAULTS: Mapping[str, Any] = {"hidden_act": "gelu", "layer_norm_eps": 1e-12}
"""BERT's, which a `config.json` need not repeat."""
_SUPPORTED: dict[str, tuple[Any, ...]] = {
    "model_type": ("bert",),
    "position_embedding_type": ("absolute",),
    "is_decoder": (False,),
    "add_cross_attention": (False,),
}


class BertSettings(NamedTuple):
    """Settings and where they were found."""

    heads: int
    activation: str
    layer_norm_eps: float
    source: str


def bert_settings(
    sizes: TextSizes, config: Mapping[str, Any] | None, *, known_as: str | None, heads: int | None, source: str
) -> BertSettings:
    """Find the settings: from the tokenizer's `config.json`, else from the name that the training gives its BERT.

    Args:
        sizes: of the tensors.
        config: the `config.json` beside the tokenizer, or None.
        known_as: the name of the BERT in the checkpoint's options, or None.
        heads: what the user says; None for nothing.
        source: the checkpoint's name for messages.

    Raises:
        ModelFilesError: they are nowhere, contradict each other, or are another model's.
    """
    if config is not None:
        _check_config(config, sizes)
        stated, where = {**_DEFAULTS, **config}, "config.json beside the tokenizer"
    elif known_as in _KNOWN:
        stated, where = dict(_KNOWN[known_as]), f"known of {known_as}, which the checkpoint's options name"
    else:
        stated, where = dict(_DEFAULTS), "BERT's usual ones: there is no config.json beside the tokenizer"
    return _settings(stated, where, sizes, heads, source)


def _settings(stated: dict[str, Any], where: str, sizes: TextSizes, heads: int | None, source: str) -> BertSettings:
    found = stated.get("num_attention_heads", heads)
    if found is None:
        raise ModelFilesError(
            f"{source} does not tell how many attention heads its BERT has, and no tensor shows it: put the BERT's"
            " config.json beside the tokenizer, or give --heads N (12 for a BERT-base)"
        )
    if heads is not None and found != heads:
        raise ModelFilesError(f"--heads {heads} contradicts the {found} heads found ({where}): leave it out")
    if type(found) is not int or found < 1 or sizes["hidden_size"] % found:
        raise ModelFilesError(f"{found} attention heads do not divide the hidden size {sizes['hidden_size']}")
    activation, epsilon = stated["hidden_act"], stated["layer_norm_eps"]
    if activation not in ACT2FN:
        raise ModelFilesError(f"the activation {activation!r} ({where}) is none that transformers has")
    if not isinstance(epsilon, float) or epsilon <= 0:
        raise ModelFilesError(f"layer_norm_eps must be a positive number, not {epsilon!r} ({where})")
    return BertSettings(found, activation, epsilon, where if heads is None else f"--heads, and {where}")


def _check_config(config: Mapping[str, Any], sizes: TextSizes) -> None:
    for key, supported in _SUPPORTED.items():
        if config.get(key, supported[0]) not in supported:
            raise ModelFilesError(
                f"the config.json beside the tokenizer says {key}: {config[key]!r}, but only {supported[0]!r} can be"
                " imported"
            )
    for key, size in sizes.items():
        if config.get(key, size) != size:
            raise ModelFilesError(
                f"the config.json beside the tokenizer belongs to another model: it says {key}: {config[key]!r}, but"
                f" the checkpoint has {size:,}"
            )
