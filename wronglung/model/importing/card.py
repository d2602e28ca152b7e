"""The card of an imported model: where it came from and what was inferred. The rest only its owner can write."""

from dataclasses import dataclass

from wronglung.model.config import ModelConfig
from wronglung.model.importing.inference import Inferred

CARD_FILE = "CARD.md"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an imported model came from."""

    file: str
    """Name of the file, without its folder."""
    sha256: str
    tokenizer: str
    """Name of the tokenizer or of its folder."""
    named_bert: str | None
    """The BERT that the checkpoint's options name."""
    numbers: int
    """How many its tensors hold."""
    left_out: tuple[str, ...]
    """Published names of the file's tensors that are not part of the model."""


def card(name: str, config: ModelConfig, inferred: Inferred, origin: Origin) -> str:
    """The card in Markdown.

    Args:
        name: of the model.
        config: as written.
        inferred: its network, and why.
        origin: of its weights.
    """
    kind = "with opt-out vector" if inferred.network.attention.opt_out else "without opt-out vector"
    side = inferred.network.image.grid_side
    named = f"; the checkpoint's options name `{origin.named_bert}`" if origin.named_bert else ""
    rows = "\n".join(f"| {fact.subject} | {fact.value} | {fact.source} |" for fact in inferred.facts)
    cleaning = config.cleaning
    return f"""# {name} {config.version}

Imported with `wronglung import-checkpoint`.

| | |
|---|---|
| architecture | GLoRIA (ICCV 2021) {kind}; {origin.numbers:,} numbers |
| maps | one per sentence on a grid of {side} × {side} cells |
| source | `{origin.file}`, SHA-256 `{origin.sha256}` |
| tokenizer | `{origin.tokenizer}`{named} |
| stretch of grey levels | {"yes" if config.preprocess.stretch else "no"} |
| sentences of which cleaning leaves nothing | {_EMPTY[cleaning.empty]} |
| left out | {", ".join(f"`{each}`" for each in origin.left_out) or "nothing"} |

## What was inferred

| | | from |
|---|---|---|
{rows}

## Training data

*(to be written by whoever publishes this model)*

## Results

*(to be written: `harness run` on data of your own, see `docs/bring-your-own-model.md`)*

## Intended use

*(to be written by whoever serves this model)*

**Not a medical device.**
"""


_EMPTY = {"error": "an error", "encode_markers": "encoded as the start and end token alone"}
