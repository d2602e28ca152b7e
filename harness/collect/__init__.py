"""From records to scored rows: `plan` (what to ask) → `exchange` (ask it) → `gather` (whose answer is it) → `rows`
(one row for each model × perturbation × sentence), with the numbers of `rowmetrics` and `scoring`."""
