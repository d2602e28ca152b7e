"""Whether a run passes: conditions on its numbers, decided on their intervals.

`conditions` reads a gate file, `paths` finds the numbers that it names, `judge` decides, `junit` tells machines,
`options` are the command line's.
"""
