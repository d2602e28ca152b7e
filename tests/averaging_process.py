"""What each of two processes does in tests/unit/training/test_devices.py, on the device that is named or else found; a
failed assertion ends both."""

import sys

import torch
from torch import nn

from training.devices import Devices, leave


def main() -> None:
    """Use everything that processes share, and part."""
    with Devices(*sys.argv[1:]) as devices:  # type: ignore[arg-type]
        share(devices)
    assert not torch.distributed.is_initialized()


def share(devices: Devices) -> None:
    """Each of two."""
    assert devices.count == 2
    assert devices.everyone(devices.index) == [0, 1]
    assert devices.from_first(lambda: devices.index) == 0

    drawn = devices.everyone(devices.random(7).random())
    assert drawn[0] == torch_free_draw(7) != drawn[1]
    torch.manual_seed(7)
    devices.reseed(7)
    dropped = devices.everyone(torch.rand(1).item())
    assert dropped[0] != dropped[1]

    network = nn.Linear(3, 1)
    beside, unused = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(2))
    mine = torch.full((3,), float(1 + devices.index))  # so the mean over both processes is 1.5
    together = devices.together(network, [*network.parameters(), beside, unused])
    together.loss(lambda: network(mine).sum() + (beside * mine).sum()).backward()
    assert network.weight.grad is not None
    assert network.weight.grad.tolist() == [[1.5] * 3]
    assert beside.grad is not None
    assert beside.grad.tolist() == [1.5] * 3
    assert len({tuple(weights) for weights in devices.everyone(network.weight.flatten().tolist())}) == 1


def torch_free_draw(seed: int) -> float:
    """What a single process draws first."""
    import numpy as np

    return float(np.random.default_rng(seed).random())


if __name__ == "__main__":
    main()
    leave(0)
