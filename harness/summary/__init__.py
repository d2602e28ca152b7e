"""From scored rows to `summary.json`.

`build` starts; `cases` reads the rows, `evidence` selects them by arm and subset, `estimates` makes means and deltas of
them; `decisions` judges the opt-out mass; `control_sections` (with `blocks` and `control_scores`) adds what needs the
maps again. `comparisons` sets the models of a run against each other:
`pairing` joins the rows of two sides that had the same input, of one run or of two, `changes` (with `contests` for the
opt-out decision) computes what differs. `table` prints the main result.
"""
