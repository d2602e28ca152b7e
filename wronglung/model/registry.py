"""Which network belongs to which config: the one place that knows every architecture."""

from typing import assert_never

from wronglung.model.architecture import AnyArchitecture
from wronglung.model.config import AnyNetworkConfig, DualEncoderConfig, GrounderConfig, NetworkConfig
from wronglung.model.dual_encoder import DualEncoder
from wronglung.model.grounder import Grounder
from wronglung.model.network import AlignmentNetwork


def build_network(config: AnyNetworkConfig) -> AnyArchitecture:
    """A network of these sizes with random weights, in training mode."""
    match config:
        case NetworkConfig():
            return AlignmentNetwork(config)
        case DualEncoderConfig():
            return DualEncoder(config)
        case GrounderConfig():
            return Grounder(config)
        case _:
            assert_never(config)
