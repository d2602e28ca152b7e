"""The table that a run prints."""

from harness.summary.table import result_table


def node(mean, n=5, patients=20):
    return {"mean": mean, "ci95": [mean - 0.1, mean + 0.1], "n": n, "patients": patients}


def arm(mean, n=5):
    return {"all": {"exact": {"auroc": node(mean, n)}}}


SUMMARY = {
    "models": {"encoder": {"none": arm(0.75, 120), "swap_left_right": arm(0.5)}},
    "deltas": {"encoder": {"swap_left_right": arm(-0.25)}},
    "controls": {"uniform": arm(0.5), "text_blind": {"encoder": arm(0.6)}},
    "laterality": {"encoder": {"lri": node(0.31)}},
    "failures": {"encoder": {"none": {"SENTENCE_EMPTY": 2}}},
    "warnings": ["3 patients, fewer than 20"],
}


def test_the_table_is_aligned_and_complete():
    assert result_table(SUMMARY) == (
        "model       sentence         subset  AUROC [95 %]          change [95 %]              n\n"
        "---------------------------------------------------------------------------------------\n"
        "encoder     none             all     0.750 [0.650, 0.850]                           120\n"
        "encoder     swap_left_right  all     0.500 [0.400, 0.600]  -0.250 [-0.350, -0.150]    5\n"
        "(no model)  uniform          all     0.500 [0.400, 0.600]                             5\n"
        "encoder     text_blind       all     0.600 [0.500, 0.700]                             5\n"
        "\n"
        "Laterality Response Index  encoder  +0.310 [+0.210, +0.410]  n=5\n"
        "failed  encoder  none  2 × SENTENCE_EMPTY\n"
        "3 patients, fewer than 20\n"
    )


def test_numbers_of_few_patients_are_marked_and_the_mark_is_explained():
    few = {"encoder": {"lri": node(0.31, patients=19)}}
    *lines, last = result_table(SUMMARY | {"laterality": few}).splitlines()
    assert [line for line in lines if "*" in line] == [
        "Laterality Response Index  encoder  +0.310 [+0.210, +0.410]*  n=5"
    ]
    assert last == "* from fewer than 20 patients: the interval is too narrow"


def test_the_models_of_a_run_are_set_against_each_other():
    difference = node(-0.25) | {"p": 0.01, "q": 0.02}
    sections = {"metrics": {"none": {"all": {"exact": {"auroc": difference}}}}, "opt_out": {"auroc": node(0.125)}}
    lines = result_table(SUMMARY | {"comparisons": {"b": {"encoder": sections}}}).splitlines()
    start = next(number for number, line in enumerate(lines) if "difference" in line)
    assert lines[start + 2].split() == ["b", "encoder", "all", "AUROC", "-0.250", "[-0.350,", "-0.150]", "0.0200", "5"]
    assert lines[start + 3].split() == ["b", "encoder", "opt-out", "AUROC", "+0.125", "[+0.025,", "+0.225]", "5"]


def test_pointing_follows_in_a_table_of_its_own():
    both = {"all": {"exact": {"auroc": node(0.75), "pointing": node(0.5)}}}
    lines = result_table(SUMMARY | {"models": {"encoder": {"none": both}}}).splitlines()
    start = next(number for number, line in enumerate(lines) if "pointing" in line)
    assert lines[start - 1] == ""
    assert lines[start + 2].split() == ["encoder", "none", "all", "0.500", "[0.400,", "0.600]", "5"]


def test_an_empty_run_still_prints():
    empty = {key: {} for key in ("models", "deltas", "controls", "laterality", "failures")} | {"warnings": []}
    assert result_table(empty).startswith("model")
