"""Perturbations: each makes one `Case` of each sentence. `catalogue` lists them; `base` says what one is."""
