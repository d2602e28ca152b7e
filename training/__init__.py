"""How the models of `model_store/` came to be: `python -m training training/configs/encoder.yaml`.

Read in this order: `config` (every option), `studies` (what is learned from), `batches` (which pairs meet, and which of
them are no true negatives), the stages' objectives `findings` and `contrastive` (with its `losses`), `trainer` (the
loop), `evaluation`, `publish` (the model's folder and its card), `run` (all of it).
Nothing imports this package.
"""
