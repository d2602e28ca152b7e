"""Image-text encoders that draw maps, with explicit geometry. PyTorch lives here and nowhere else.

    from wronglung.model import load_model
    alignments = load_model("model_store/encoder").align([pixels], [["There is a left pleural effusion."]])

Read in this order: `config` (every option), `preprocess` and `text` (pixels and words in), `architecture` (what every
network can do), `checkpoint` (files), `encoding` and `cache` (each image and sentence once), `engine` (use). GLoRIA is
`image` and `bert` (the two encoders), `attention` (where its maps come from) and `network` (all of it together);
wronglung-1 is `grounder`, the third architecture `dual_encoder`; `registry` knows them all.
Importing this package imports no PyTorch; the first use of one of its names does.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wronglung.model.engine import AlignmentModel, load_model

__all__ = ["AlignmentModel", "load_model"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from wronglung.model import engine

        return getattr(engine, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
