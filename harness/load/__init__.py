"""Load: how many requests a second a server answers before its callers wait. `python -m harness.load` runs it.

`steps` does the arithmetic, `locustfile` makes the load with the shipped client, `page` writes down the result.
"""
