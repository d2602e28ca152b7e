"""Maps as overlays: in multiples of uniform attention, with the changed words marked."""

import numpy as np
import pytest

from harness.report.overlays import changed_words, relative_map


def test_a_map_is_shown_in_multiples_of_uniform_attention() -> None:
    uniform = relative_map({"rows": 2, "cols": 3, "map": [0.1] * 6})
    peaked = relative_map({"rows": 1, "cols": 4, "map": [0.0, 0.0, 0.0, 0.9]})
    np.testing.assert_allclose(uniform, 1.0)
    np.testing.assert_allclose(peaked, [[0, 0, 0, 4]])


@pytest.mark.parametrize("values", [[None, 0.5], [float("nan"), 0.5], [0.0, 0.0]])
def test_a_map_without_numbers_is_not_drawn(values: list[float | None]) -> None:
    assert relative_map({"rows": 1, "cols": 2, "map": values}) is None


def test_words_that_differ_from_the_report_are_marked() -> None:
    words = changed_words("a small left effusion", "a small right effusion")
    assert [(w.text, w.changed) for w in words] == [
        ("a", False),
        ("small", False),
        ("right", True),
        ("effusion", False),
    ]
    assert not any(w.changed for w in changed_words("the same", "the same"))
