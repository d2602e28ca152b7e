"""Checkpoints from elsewhere become a model's directory. Nothing in their files is ever executed.

Read in this order: `pickles` (a pickle read as data), `torch_files` (what torch.save writes), `sources` (any file →
tensors and options), `options` (the training's options → ours), `architecture` (shapes → sizes), `vocabulary` (the
tokenizer), `importer` (all of it together), `card`.
"""
