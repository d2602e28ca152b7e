"""How the models of `model_store/` came to be: `python -m training training/configs/encoder.yaml` (docs/training.md).

Read in this order: `config` with `dataconfig` (every option; `keys` prints them), `sources` (which patients),
`pictures` and `cache` (from a record to a square on disk), `studies` (what is learned from), `truth` (what is true of
it), `batches` (which pairs meet) and `stream` (without end), the stages' objectives `findings` and `contrastive` (with
its `losses`), `trainer` (the loop) with `logs`, `state` (to go on from) and `devices`, `evaluation`, `publish` (the
model's folder and its card), `run` (all of it).
Nothing imports this package.
"""
