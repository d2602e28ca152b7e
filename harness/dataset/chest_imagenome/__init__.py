"""Chest ImaGenome over a copy of MIMIC-CXR or MIMIC-CXR-JPG: sentences of reports tied to boxes of named regions.

`gold` reads the annotators' tables, `silver` the scene graphs that were made automatically, one file an image.
`images` finds the radiographs, `splits` who is in which set, `statements` what a row or an attribute says.
"""
