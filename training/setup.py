"""What training begins with: the network's first weights, and the optimiser."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from training.config import OptimiserConfig, TrainingConfig
from wronglung.model.checkpoint import load_checkpoint
from wronglung.model.errors import ModelFilesError
from wronglung.model.network import AlignmentNetwork


def first_network(config: TrainingConfig, tokenizer: Tokenizer, start: Path | None) -> AlignmentNetwork:
    """A network with random weights, or with those of the model in the folder `start`.

    Raises:
        ModelFilesError: the other model cannot be loaded, or is not the same network but for an opt-out vector.
    """
    torch.manual_seed(config.seed)
    text = config.network.text.model_copy(update={"vocab_size": tokenizer.get_vocab_size()})
    network = AlignmentNetwork(config.network.model_copy(update={"text": text}))
    with torch.no_grad():
        for parameter in _region_parameters(network):
            parameter.mul_(config.optimiser.attention_scale)
    if start is not None:
        _copy_weights(start, network)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def make_optimiser(network: AlignmentNetwork, config: OptimiserConfig) -> torch.optim.Optimizer:
    """AdamW in two groups: what makes the regions learns at `config.attention_scale` of the rate."""
    regions = _region_parameters(network)
    rest = [p for p in network.parameters() if all(p is not region for region in regions)]
    groups: list[dict[str, Any]] = [
        {"params": rest},
        {"params": regions, "lr": config.learning_rate * config.attention_scale},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas, weight_decay=config.weight_decay)


def _region_parameters(network: AlignmentNetwork) -> list[torch.Tensor]:
    return [network.image.local_embedder.weight, *([] if network.opt_out is None else [network.opt_out])]


def _copy_weights(directory: Path, network: AlignmentNetwork) -> None:
    weights = load_checkpoint(directory).network.state_dict()
    try:
        missing, surplus = network.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise ModelFilesError(f"{directory} is another network: {error}") from error
    if stray := {*missing, *surplus} - {"opt_out"}:
        raise ModelFilesError(f"{directory} is another network: it differs in {sorted(stray)}")
