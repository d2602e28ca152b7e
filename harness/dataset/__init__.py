"""Data sets: each yields `ImageRecord`s. `base` says what a data set is; `catalogue` opens one by its configuration."""
