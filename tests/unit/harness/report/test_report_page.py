"""The page: self-contained, safe with hostile text, accessible, and whole when parts of a run are missing."""

import base64
import hashlib
import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from harness.report import render
from tests.html_outline import Element, parse
from tests.report_fixture import Plan, build_results, edit_json

HOSTILE = "</title></style><script>alert(1)</script><img src=x onerror=alert(1)> \u202e \"'`{{7*7}}"


def page(directory: Path, plan: Plan | None = None) -> str:
    return render(build_results(directory, plan)).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    return page(tmp_path_factory.mktemp("demo"))


@pytest.fixture(scope="module")
def outline(html: str) -> Element:
    return parse(html)


def test_the_policy_allows_this_style_sheet_and_inline_pictures_only(html: str, outline: Element) -> None:
    policy = next(m.attributes["content"] for m in outline.below("meta") if "http-equiv" in m.attributes)
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    head = next(outline.below("head"))
    before = [e.tag for e in head.children][: [e.tag for e in head.children].index("style")]
    assert before.count("meta") >= 2


def test_nothing_is_loaded_from_elsewhere(html: str, outline: Element) -> None:
    loaded = [e.attributes[key] for e in everything(outline) for key in ("src", "href") if key in e.attributes]
    assert loaded
    assert [url[:40] for url in loaded if not url.startswith(("data:image/", "#"))] == []
    assert "@import" not in html
    assert "url(" not in html


def test_no_element_carries_code_or_style_of_its_own(outline: Element) -> None:
    for element in everything(outline):
        assert element.tag not in {"script", "iframe", "object", "embed", "form"}
        assert not [name for name in element.attributes if name == "style" or name.startswith("on")]


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    plan = Plan(
        models={HOSTILE: 0.5}, sentence=HOSTILE, failures={HOSTILE: {"none": {HOSTILE: 3}}}, exhibits=("best", HOSTILE)
    )
    build_results(tmp_path, plan)
    edit_json(tmp_path / "manifest.json", name=HOSTILE, dataset={"name": HOSTILE, "left_out": {HOSTILE: 1}})
    text = render(tmp_path).read_text(encoding="utf-8")
    outline = parse(text)
    assert not list(outline.below("script"))
    assert all(img.attributes["src"].startswith("data:") for img in outline.below("img"))
    assert "49" not in next(outline.below("title")).text
    quote = next(outline.below("blockquote"))
    assert quote.text == HOSTILE
    assert quote.children[0].tag == "bdi"


def test_a_lone_surrogate_in_a_sentence_does_not_stop_the_report(tmp_path: Path) -> None:
    assert "left ? lung" in page(tmp_path, Plan(sentence="left \ud800 lung"))


def test_headings_descend_one_level_at_a_time(outline: Element) -> None:
    levels = [int(e.tag[1]) for e in everything(outline) if re.fullmatch(r"h[1-6]", e.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_tables_have_captions_and_headers_with_scope(outline: Element) -> None:
    tables = list(outline.below("table"))
    assert len(tables) > 10
    for table in tables:
        assert next(table.below("caption")).text.strip()
        assert {th.attributes.get("scope") for th in table.below("th")} <= {"col", "row", "rowgroup"}
    captions = [next(table.below("caption")).text for table in tables]
    assert len(captions) == len(set(captions))


def test_rows_are_as_wide_as_their_header(outline: Element) -> None:
    for table in outline.below("table"):
        widths = {sum(int(cell.attributes.get("colspan", 1)) for cell in row.children) for row in table.below("tr")}
        assert len(widths) == 1, next(table.below("caption")).text


def test_pictures_say_what_they_show_or_are_hidden_from_readers(outline: Element) -> None:
    assert all(img.attributes.get("alt") for img in outline.below("img"))
    for svg in outline.below("svg"):
        inside = "svg" in svg.parents
        assert inside or svg.attributes.get("aria-hidden") == "true" or svg.attributes.get("aria-label")


def test_what_scrolls_can_be_focused_and_has_a_name(outline: Element) -> None:
    ids = {e.attributes["id"] for e in everything(outline) if "id" in e.attributes}
    for region in (e for e in outline.below("div") if e.attributes.get("role") == "region"):
        assert region.attributes["tabindex"] == "0"
        assert region.attributes.get("aria-label") or region.attributes["aria-labelledby"] in ids


def test_ids_are_unique_and_links_lead_somewhere(outline: Element) -> None:
    ids = [e.attributes["id"] for e in everything(outline) if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    targets = {e.attributes["href"][1:] for e in everything(outline) if e.attributes.get("href", "").startswith("#")}
    assert targets <= set(ids)


def test_every_number_of_the_tables_comes_with_its_interval(outline: Element) -> None:
    table = next(t for t in outline.below("table") if next(t.below("caption")).text == "All sentences, exact profile")
    for row in table.below("tr"):
        for cell in list(row.below("td"))[1:]:
            assert next(cell.below("small")).text.startswith("[")


def test_every_figure_of_the_opt_out_comes_with_its_interval(outline: Element) -> None:
    table = next(t for t in outline.below("table") if next(t.below("caption")).text == "Opt-out in full")
    heads = [head.text for head in table.below("th")]
    for name in ("auroc", "auroc length matched", "risk coverage: area", "risk coverage: area in ideal order"):
        assert name in heads
    means = [next(row.below("td")) for row in table.below("tr") if any(row.below("td"))]
    assert len(means) > 6
    assert all(next(mean.below("small")).text.startswith("[") for mean in means)


def test_a_metric_of_a_users_own_is_shown(outline: Element) -> None:
    captions = [t for t in outline.below("table") if "my own metric" in next(t.below("thead")).text]
    assert captions


def test_few_patients_are_flagged_at_the_top(tmp_path: Path) -> None:
    outline = parse(page(tmp_path, Plan(patients=12)))
    header = next(outline.below("header"))
    assert "Only 12 patients" in header.text
    assert "too few patients to say" in header.text


def test_failures_are_counted_by_code(tmp_path: Path) -> None:
    failures = {"encoder": {"none": {"SENTENCE_EMPTY": 7}, "swap_left_right": {}}}
    outline = parse(page(tmp_path, Plan(failures=failures)))
    table = next(t for t in outline.below("table") if next(t.below("caption")).text == "Failures by code")
    code, count, example, fix = [cell.text for cell in table.below("td")]
    assert (code, count, example) == ("SENTENCE_EMPTY", "7", "s0: nothing is left of it: say more")
    assert fix.startswith("Cleaning leaves no word of it")


@pytest.mark.parametrize(
    ("plan", "note"),
    [
        (Plan(exhibits=()), "This run kept no gallery"),
        (Plan(laterality=False), "No Laterality Response Index"),
        (Plan(controls=False), "This run holds no controls"),
        (Plan(perturbations=("none",)), "This run compared nothing"),
        (Plan(profiles=("paper",)), "No metrics in the exact profile"),
        (Plan(models={}, exhibits=()), "This run evaluated no model"),
        (Plan(cases=False), "Research software"),
    ],
)
def test_a_missing_part_leaves_a_note_and_a_whole_page(tmp_path: Path, plan: Plan, note: str) -> None:
    assert note in parse(page(tmp_path, plan)).text


def test_a_summary_with_nothing_in_it_still_makes_a_page(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / "summary.json").write_text("{}")
    assert "Not" not in next(parse(render(tmp_path).read_text()).below("h1")).text


def test_same_results_make_the_same_bytes(tmp_path: Path) -> None:
    first = page(tmp_path / "run")
    assert page(tmp_path / "run") == first


def test_the_tables_are_written_beside_it(tmp_path: Path) -> None:
    page(tmp_path)
    assert (tmp_path / "tables.md").read_text(encoding="utf-8").startswith("# Does the map follow the words?")


def test_lineage_names_data_weights_and_commit(outline: Element) -> None:
    text = next(s for s in outline.below("section") if s.attributes["id"] == "lineage").text
    assert "Left out of the data set3 × box outside image" in text.replace("\n", "")
    for wanted in (
        "ab" * 32,
        "cd" * 32,
        "0123456789abcdef",
        "deterministic",
        "perturbations 0, statistics 0",
        "harness run run.yaml",
    ):
        assert wanted in text


def test_the_run_file_in_the_report_is_the_configuration(tmp_path: Path) -> None:
    outline = parse(page(tmp_path))
    region = next(e for e in outline.below("div") if e.attributes.get("aria-label") == "Run file")
    assert yaml.safe_load(region.text) == json.loads((tmp_path / "manifest.json").read_text())["config"]


def everything(element: Element) -> list[Element]:
    return [e for child in element.children for e in (child, *everything(child))]
