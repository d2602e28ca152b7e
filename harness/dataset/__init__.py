"""Data sets: each yields `ImageRecord`s."""
