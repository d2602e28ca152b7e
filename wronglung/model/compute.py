"""How a model computes: settings of a process that serves it, not part of the model. TorchServe's `model-config.yaml`
has them under `handler:`."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from wronglung.model.strict import StrictModel, parse_config

Precision = Literal["fp32", "bf16"]


class ComputeConfig(StrictModel):
    """The keyword arguments of `load_model` that decide how its model computes."""

    deterministic: bool | None = None
    """See `AlignmentModel`. By default on the CPU only: a GPU wants batches."""
    precision: Precision = "fp32"
    """Of the encoders. Matching is always computed in float32, and answers are float32."""
    image_cache_mib: int = Field(default=128, ge=0)
    """Room for image embeddings, in MiB; 0: keep none. An image of the full-size GLoRIA takes 1.1 MB."""
    sentence_cache_mib: int = Field(default=64, ge=0)
    """Room for sentence embeddings, in MiB; 0: keep none. 15 words of the full-size GLoRIA take 50 kB."""

    def deterministic_on(self, device_type: str) -> bool:
        """What was chosen, else what suits the device ("cpu", "cuda")."""
        return device_type == "cpu" if self.deterministic is None else self.deterministic


def compute_config(model_settings: Mapping[str, Any], source: str) -> ComputeConfig:
    """Read the section `handler:` of a model's settings for TorchServe; it may be missing.

    Args:
        model_settings: the content of `model-config.yaml`.
        source: where it came from, for the error message.

    Raises:
        ModelFilesError: a key is unknown or its value not allowed; the message names it.
    """
    return parse_config(ComputeConfig, json.dumps(model_settings.get("handler") or {}), f"{source}, section handler,")
