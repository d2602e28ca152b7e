"""Perturbations: each makes one `Case` of each sentence.

base.py         what a perturbation is, and where its randomness comes from; start here
registry.py     Declaration: what one declares, and how to add your own
catalogue.py    those that ship, and how to make those of a run
pools.py        what they borrow from the whole data set
swap.py negation.py paraphrase.py synthetic.py conditions.py    the text
donors.py shuffle.py    text or boxes of another sentence
mirror.py       the image
"""

from harness.perturbation.base import UNPERTURBED, Perturbation, not_applicable, stable_rng
from harness.perturbation.catalogue import BUILTIN
from harness.perturbation.registry import Declaration, register, registered

register(*BUILTIN)

__all__ = ["UNPERTURBED", "Declaration", "Perturbation", "not_applicable", "register", "registered", "stable_rng"]
