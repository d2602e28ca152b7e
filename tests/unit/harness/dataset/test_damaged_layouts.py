"""Whatever stands in a file of annotations, it is read and counted, or refused in words."""

import contextlib
import copy as copies
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.dataset.base import validate
from harness.settings import ConfigError
from tests.layout_copies import Copy, kinds

LAYOUTS = ("ms_cxr", "padchest_gr", "vindr_cxr", "chexlocalize", "coco")
ANYTHING = [
    *(None, True, -1, 0, 1e308, float("nan"), float("inf"), 10**30, "", " ", "\x00", "../..", "a" * 300, "é|\n"),
    *([], {}, [1], [[0, 0, 1, 1]], {"id": 1}, "1", [1, 2, 3, 4], ["1", "2", "3", "4"], "No finding", "~" * 20),
]


@pytest.fixture(scope="module")
def layouts(tmp_path_factory):
    return {layout: Copy(layout, tmp_path_factory.mktemp("damaged") / layout) for layout in LAYOUTS}


def damage(document, chance: random.Random, value):
    """Put a value, or nothing, in the place of a part of a document, however deep it lies."""
    node, inner = document, document
    while isinstance(inner, dict | list) and inner:
        node, key = inner, chance.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
        inner = node[key]
        if chance.random() < 0.25:
            break
    if chance.random() < 0.2:
        del node[key]
    else:
        node[key] = copies.deepcopy(value)


def read(reading):
    """Read it; whatever is neither read nor refused in words fails the test."""
    with contextlib.suppress(ConfigError):
        assert validate(reading()).lines()


@pytest.mark.parametrize("layout", ["padchest_gr", "chexlocalize", "coco"])
@given(seed=st.integers(0, 2**32), values=st.lists(st.sampled_from(ANYTHING), min_size=1, max_size=3))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_document_is_read_or_refused(layouts, layout, seed, values):
    def change(document):
        chance = random.Random(seed)
        for value in values:
            damage(document, chance, value)

    read(lambda: layouts[layout].with_document(change))


@pytest.mark.parametrize("layout", ["ms_cxr", "vindr_cxr"])
@given(seed=st.integers(0, 2**32), values=st.lists(st.sampled_from(ANYTHING), min_size=1, max_size=3))
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_table_is_read_or_refused(layouts, layout, seed, values):
    def change(rows):
        chance = random.Random(seed)
        for value in values:
            row = chance.choice(rows)
            row[chance.choice(list(row))] = value

    read(lambda: layouts[layout].with_rows(change))


@pytest.mark.parametrize("layout", LAYOUTS)
@given(data=st.data())
@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_bytes_are_read_or_refused(layouts, layout, data):
    copy = layouts[layout]
    whole = copy.bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.sampled_from([len(whole), place]))
    read(lambda: copy.broken(whole[:place] + data.draw(st.binary(max_size=3)) + whole[place:end]))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_patient_that_a_model_was_finetuned_on_is_left_out(layouts, layout, tmp_path):
    copy = layouts[layout]
    patient = next(iter(copy.open())).patient_id
    (tmp_path / "seen.txt").write_text(f"{patient}\np-other\n")
    dataset = copy.open(finetuned_patients=str(tmp_path / "seen.txt"))
    assert set(kinds(dataset)) == {"patient_in_finetuning_set"}
    assert patient not in {record.patient_id for record in dataset}
    assert "1 of 2 patients that a model was trained on have images here" in dataset.findings.notes


@pytest.mark.parametrize("layout", ["ms_cxr", "vindr_cxr"])
def test_a_row_that_stands_twice_is_pointed_out_and_changes_nothing(layouts, layout):
    copy = layouts[layout]
    boxed = copy.with_rows(
        lambda rows: rows.append(dict(next(row for row in rows if row.get("x") or row.get("x_min"))))
    )
    assert kinds(boxed) == {"box_repeated": 1}
    assert list(boxed) == list(copy.open())
