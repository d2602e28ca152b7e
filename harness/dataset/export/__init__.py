"""The phantom set written out in the layouts of real data sets: to try a set-up, and to test the readers."""
