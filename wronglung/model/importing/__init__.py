"""Checkpoints from elsewhere become a model's directory. Nothing in their files is ever executed.

Read in this order: `records` and `pickles` (a pickle read as data), `torch_files` and `storages` (what `torch.save`
writes), `sources` (any file → tensors and options), `options` (the training's options → ours), `architecture` and
`bert_settings` (sizes and what no size tells), `inference` (both together), `vocabulary` (the tokenizer), `importer`
(all of it). `own` copies models that were trained here.
"""
