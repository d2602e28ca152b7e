"""Where a process computes, and how several train one model together: Hugging Face accelerate.

A launcher (`torchrun`, `accelerate launch`) starts the processes, one for each GPU; without one there is a single
process. Each draws batches of its own, the gradients are averaged, and the first process does everything that is done
once: it looks at the validation patients, writes files, shows the bar.
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Literal, NoReturn, Self, TypeVar

import numpy as np
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs, InitProcessGroupKwargs
from accelerate.utils import broadcast_object_list, gather_object
from torch import Tensor, nn

from harness.settings import ConfigError

DeviceName = Literal["auto", "cpu", "cuda", "mps"]
Item = TypeVar("Item")
ONE_CPU = "one CPU"


class Devices:
    """This process and its place among the others.

    A context: at its end the processes part. One that ended without would leave threads behind that abort it.

    Args:
        name: "auto": a GPU if there is one.

    Raises:
        ConfigError: there is no such device, or several processes were started where none can train with another.
    """

    def __init__(self, name: DeviceName = "auto") -> None:
        unused = DistributedDataParallelKwargs(find_unused_parameters=True)  # an objective may leave some out
        # The others wait while the first one develops pictures, or looks at the validation patients.
        patient = InitProcessGroupKwargs(timeout=timedelta(days=2))
        # accelerate lets processes on CPUs find each other only if told that it is to be CPUs.
        cpu = name == "cpu" or (name == "auto" and not torch.accelerator.is_available())
        self._accelerator = Accelerator(cpu=cpu, mixed_precision="no", kwargs_handlers=[unused, patient])
        self.device: torch.device = self._accelerator.device
        """Where this process computes."""
        self.count: int = self._accelerator.num_processes
        """How many processes there are."""
        self.index: int = self._accelerator.process_index
        """Which of them this is; 0 does what is done once."""
        if name not in ("auto", self.device.type):
            raise ConfigError(f"--device {name}: PyTorch finds none here; leave it out to train on {self.device.type}")
        started = int(os.environ.get("WORLD_SIZE", "1"))
        if started != self.count:  # each would train alone, into the same files
            raise ConfigError(
                f"{started} processes were started, but on {self.device.type} they do not find each other: start one"
                " alone, or add --device cpu"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is None:  # who failed parts from nobody: the launcher ends the others
            self.everyone(self.index)
            self._accelerator.free_memory()  # what was put together holds the group
            self._accelerator.end_training()

    @property
    def is_first(self) -> bool:
        """Whether this process does what is done once."""
        return self.index == 0

    def __str__(self) -> str:
        kind = "CPU" if self.device.type == "cpu" else self._name_of_gpu()
        return f"{self.count} processes, each on one {kind}" if self.count > 1 else f"one {kind}"

    def tell(self, text: str) -> None:
        """Write to stderr, once."""
        if self.is_first:
            sys.stderr.write(text)

    def random(self, seed: int) -> np.random.Generator:
        """This process's own generator: the first one's is that of a single process."""
        return np.random.default_rng(seed if self.is_first else [seed, self.index])

    def reseed(self, seed: int) -> None:
        """Let every process but the first draw from another stream of PyTorch's generators (for dropout)."""
        if not self.is_first:
            torch.manual_seed(int(np.random.SeedSequence([seed, self.index]).generate_state(1)[0]))

    @contextmanager
    def first_before_others(self) -> Iterator[None]:
        """The first process runs the block before all others: they then find what it has left on disk."""
        with self._accelerator.main_process_first():
            yield

    def together(self, network: nn.Module, learned: list[nn.Parameter]) -> "Together":
        """Losses whose gradients are the mean over all processes."""
        return Together(self._accelerator.prepare(_Computation(network, learned)))

    def everyone(self, mine: Item) -> list[Item]:
        """What each process gives, in order."""
        return list(gather_object([mine])) if self.count > 1 else [mine]

    def from_first(self, make: Callable[[], Item]) -> Item:
        """What the first process makes; the others wait for it."""
        made: list[Any] = [make() if self.is_first else None]
        if self.count > 1:
            broadcast_object_list(made)
        return made[0]  # type: ignore[no-any-return]

    def place(self, batch: Item) -> Item:
        """A batch (a NamedTuple) with its tensors on the device."""
        if self.device.type == "cpu":
            return batch
        values = [value.to(self.device) if isinstance(value, Tensor) else value for value in batch]  # type: ignore[attr-defined]
        return type(batch)(*values)

    def _name_of_gpu(self) -> str:
        return torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type


def leave(status: int) -> NoReturn:
    """End this process; one of several without PyTorch's last destructors, which now and then abort (gloo's threads).

    Everything is written by then, and the processes have parted.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


class Together:
    """Calls losses so that their gradients are averaged when they are taken."""

    def __init__(self, computation: nn.Module) -> None:
        self._computation = computation

    def loss(self, compute: Callable[[], Tensor]) -> Tensor:
        """The loss of this process's batch."""
        computed: Tensor = self._computation(compute)
        return computed


class _Computation(nn.Module):
    """DistributedDataParallel watches the forward pass of one module. This one's is whatever is asked of it."""

    def __init__(self, network: nn.Module, learned: list[nn.Parameter]) -> None:
        super().__init__()
        self.network = network
        self.learned = nn.ParameterList(learned)

    def forward(self, compute: Callable[[], Tensor]) -> Tensor:
        """Compute."""
        return compute()
