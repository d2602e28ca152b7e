"""The fault campaign: a real server under load is hurt again and again, and every call is held to what it was promised.

``python -m benchmarks.faults --faults 100 --seed 0 --output results/faults``; what counts as what is in
docs/decisions/0108-how-the-fault-campaign-judges.md. Read in this order: `campaign` (one fault after the other),
`kinds` (what is done to the server), `load`, `ledger` and `cases` (who calls, and what is right), `healing` and
`leftovers` (when is it over, and what stayed behind), `stage` (all of it together), `report` (the table).
"""
