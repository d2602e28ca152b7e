"""Plots of matplotlib in the page: in its colours, without styles, with text as text."""

import re

from harness.report.drawing import PENS, Pen, inline_svg, plot
from harness.report.render import _environment
from tests.html_outline import Element, parse


def drawn(key: str = "key") -> str:
    figure, axes = plot()
    axes.plot([0, 1], [0, 1], color=Pen.P0.value, linestyle="--", label="a < b & c")
    axes.axvspan(0.2, 0.4, color=Pen.P1.value, alpha=0.3)
    axes.legend()
    return inline_svg(figure, key, 'says "what" it shows')


def everything(element: Element) -> list[Element]:
    return [e for child in element.children for e in (child, *everything(child))]


def test_nothing_has_a_style_of_its_own() -> None:
    svg = drawn()
    assert "style" not in svg
    assert "xmlns" not in svg
    assert not [e.tag for e in everything(parse(svg)) if e.tag in {"metadata", "script", "image"}]


def test_every_colour_is_a_class_of_the_style_sheet() -> None:
    style = _environment().get_template("style.css").render()
    svg = drawn()
    assert not [pen for pen in PENS if pen in svg]
    for name in re.findall(r'class="([^"]+)"', svg):
        for one in name.split():
            assert f".{one} " in style, one


def test_text_is_text() -> None:
    svg = next(parse(drawn()).below("svg"))
    assert "a < b & c" in [text.text for text in svg.below("text")]
    assert svg.attributes["aria-label"] == 'says "what" it shows'


def test_what_is_referred_to_is_there_and_two_drawings_share_no_id() -> None:
    ids = []
    for key in ("one", "two"):
        svg = parse(drawn(key))
        own = [e.attributes["id"] for e in everything(svg) if "id" in e.attributes]
        wanted = [e.attributes["href"][1:] for e in everything(svg) if "href" in e.attributes]
        assert wanted
        assert set(wanted) <= set(own)
        ids += own
    assert len(ids) == len(set(ids))


def test_the_same_plot_gives_the_same_bytes() -> None:
    assert drawn() == drawn()
