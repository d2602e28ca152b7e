"""From scored rows to `summary.json`.

`build` starts; `cases` reads the rows, `evidence` selects them by arm and subset, `estimates` makes means and deltas of
them; `control_sections` (with `control_scores` and `meaning`) and `decisions` add what needs the maps or the reports
again; `table` prints the main result.
"""
