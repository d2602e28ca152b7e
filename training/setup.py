"""The network's first weights."""

from pathlib import Path

import torch
from tokenizers import Tokenizer

from training.config import AnyRecipe, FewShotRecipe
from wronglung.model.architecture import AnyArchitecture
from wronglung.model.checkpoint import load_checkpoint, read_config
from wronglung.model.errors import ModelFilesError
from wronglung.model.registry import build_network


def first_network(recipe: AnyRecipe, tokenizer: Tokenizer, start: Path | None) -> AnyArchitecture:
    """A network with random weights, or with those of the model in the folder `start`.

    Raises:
        ModelFilesError: the other model cannot be loaded, or is not the same network but for an opt-out vector.
    """
    torch.manual_seed(recipe.seed)
    text = recipe.network.text.model_copy(update={"vocab_size": tokenizer.get_vocab_size()})
    network = build_network(recipe.network.model_copy(update={"text": text}))
    if start is not None:
        _copy_weights(start, network)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def as_in_checkpoint(recipe: FewShotRecipe, directory: Path) -> FewShotRecipe:
    """The recipe with the network, the preprocessing and the cleaning of the model in a folder.

    Raises:
        ModelFilesError: the model cannot be loaded.
    """
    config = read_config(directory)
    model = {"network": config.network, "preprocess": config.preprocess, "cleaning": config.cleaning}
    return recipe.model_copy(update=model)


def _copy_weights(directory: Path, network: AnyArchitecture) -> None:
    weights = load_checkpoint(directory).network.state_dict()
    try:
        missing, surplus = network.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise ModelFilesError(f"{directory} is another network: {error}") from error
    if stray := {*missing, *surplus} - {"opt_out"}:
        raise ModelFilesError(f"{directory} is another network: it differs in {sorted(stray)}")
