"""Subsets of the sentences, decided on the unperturbed sentence and boxes, so that both arms of a delta hold the same.

catalogue.py    make_subsets: what a run file asks for becomes a rule for each subset; start here
strata.py       families such as side or box_size: their values, bins and meanings
facts.py        what is known of any sentence: names, types and ranges
words.py        what the words of a sentence name: sides, places, denials
expression.py   a subset of the user's own, written as a condition on the facts
"""

from harness.subsets.catalogue import MOST_DIVERSE, SUBSETS, Choice, Membership, check_subsets, make_subsets, ordered
from harness.subsets.errors import SubsetError

__all__ = ["MOST_DIVERSE", "SUBSETS", "Choice", "Membership", "SubsetError", "check_subsets", "make_subsets", "ordered"]
