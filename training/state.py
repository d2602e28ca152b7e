"""All that a run needs to go on as if it had never stopped: one safetensors file, written whole or not at all.

Tensors are tensors; everything else is JSON in the file's header. Nothing is pickled.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim import Optimizer

from harness.settings import ConfigError
from wronglung.model.files import write_file

STATE_FILE = "state.safetensors"
_HEADER = "wronglung-training/1"


class Learner:
    """What changes while a model learns: the network, what else is learned with it, and the optimiser's memory.

    Args:
        network: with its buffers.
        optimiser: over everything that is learned.
    """

    def __init__(self, network: nn.Module, optimiser: Optimizer) -> None:
        self._network, self._optimiser = network, optimiser
        self.learned: list[nn.Parameter] = [p for group in optimiser.param_groups for p in group["params"]]
        inside = {id(parameter) for parameter in network.parameters()}
        self._beside = [parameter for parameter in self.learned if id(parameter) not in inside]

    def tensors(self) -> dict[str, Tensor]:
        """Everything by a name, on the CPU."""
        found = {f"network/{name}": tensor for name, tensor in self._network.state_dict().items()}
        found |= {f"beside/{number}": parameter for number, parameter in enumerate(self._beside)}
        for number, parameter in enumerate(self.learned):
            for key, value in self._optimiser.state.get(parameter, {}).items():
                found[f"optimiser/{number}/{key}"] = value
        return {name: tensor.detach().cpu().clone().contiguous() for name, tensor in found.items()}

    @torch.no_grad()
    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Take everything back, in place: layouts stay as they are."""
        for name, tensor in self._network.state_dict().items():
            tensor.copy_(tensors[f"network/{name}"])
        for number, parameter in enumerate(self._beside):
            parameter.copy_(tensors[f"beside/{number}"])
        for name, tensor in tensors.items():
            kind, _, rest = name.partition("/")
            if kind == "optimiser":
                place, key = rest.split("/")
                self._remember(self.learned[int(place)], key, tensor)

    def _remember(self, parameter: nn.Parameter, key: str, value: Tensor) -> None:
        """The optimiser's means lie in memory as the parameter does; its count of steps stays on the CPU."""
        is_mean = value.shape == parameter.shape and key != "step"
        self._optimiser.state[parameter][key] = torch.empty_like(parameter).copy_(value) if is_mean else value


def random_state(device: torch.device) -> dict[str, Tensor]:
    """PyTorch's generators of this process."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def restore_random_state(states: dict[str, Tensor], device: torch.device) -> None:
    """Set them back."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)


def save_state(
    path: Path, tensors: dict[str, Tensor], random: Sequence[dict[str, Tensor]], facts: dict[str, Any]
) -> None:
    """Write a state.

    Args:
        path: the file; replaced once the new one is whole.
        tensors: of the `Learner`.
        random: of each process.
        facts: everything else, as plain JSON values.
    """
    states = {f"random/{index}/{name}": state for index, by in enumerate(random) for name, state in by.items()}
    write_file(path, save({**tensors, **states}, {_HEADER: json.dumps(facts)}))


def read_facts(path: Path) -> dict[str, Any] | None:
    """The facts of a state; None if there is no file.

    Raises:
        ConfigError: it is damaged, or none of ours.
    """
    if not path.exists():
        return None
    try:
        with safe_open(path, "pt") as file:
            facts: dict[str, Any] = json.loads((file.metadata() or {})[_HEADER])
    except (SafetensorError, KeyError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): start anew without --resume") from error
    return facts


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The learner's tensors of a state."""
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys() if not name.startswith("random/")}  # noqa: SIM118


def read_random(path: Path, index: int) -> dict[str, Tensor]:
    """One process's generators of a state."""
    start = f"random/{index}/"
    with safe_open(path, "pt") as file:
        return {name.removeprefix(start): file.get_tensor(name) for name in file.keys() if name.startswith(start)}  # noqa: SIM118
