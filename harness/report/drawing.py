"""Plots of matplotlib as pieces of the page: no style of their own, in the colours of the page, with text as text.

A plot is drawn in stand-in colours (`Pen`); in the page each becomes a class that the style sheet colours, in the light
and in the dark. Nothing that others wrote may be drawn: titles and captions belong into the page.
"""

import io
import re
from collections.abc import Iterator
from enum import Enum
from typing import Any
from xml.etree import ElementTree

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

SIZE = (3.7, 2.5)
"""Inches: small enough that a phone need not shrink the text."""
MARGINS = {"left": 0.15, "right": 0.94, "bottom": 0.19, "top": 0.97}
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
}
LEGEND: dict[str, Any] = {"frameon": False, "fontsize": 8.5}
XLINK = "{http://www.w3.org/1999/xlink}"
NAMESPACE = re.compile(r"^\{.*\}")
PAINT = frozenset({"fill", "fill-rule", "fill-opacity", "opacity", "font-size", "text-anchor"})
STROKE = frozenset(f"stroke{suffix}" for suffix in ("", "-opacity", "-width", "-dasharray", "-linecap", "-linejoin"))
ATTRIBUTES = PAINT | STROKE
"""What a style may say that an attribute can say as well."""


class Pen(Enum):
    """Stand-in colours; `name` in lower case is the class that an element gets."""

    INK = "#000001"
    SOFT = "#000002"
    GRID = "#000003"
    P0 = "#000010"
    P1 = "#000011"
    P2 = "#000012"


PENS = {pen.value: pen.name.lower() for pen in Pen}
SERIES = ((Pen.P0, "-"), (Pen.P1, (0, (5, 2))), (Pen.P2, (0, (1.5, 1.5))))
"""Colour and dashes of the lines of one plot, so that they differ without colour too."""


def plot() -> tuple[Figure, Axes]:
    """An empty plot in the colours of the page."""
    with rc_context(SETTINGS):
        figure = Figure(figsize=SIZE)
        axes = figure.subplots(gridspec_kw=MARGINS)
    for spine in axes.spines.values():
        spine.set_color(Pen.GRID.value)
    axes.tick_params(color=Pen.GRID.value, labelcolor=Pen.SOFT.value)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set_color(Pen.SOFT.value)
    return figure, axes


def inline_svg(figure: Figure, key: str, description: str) -> str:
    """The figure as an element of a page; `key` sets its ids apart from those of other figures, `description` is what
    someone hears who does not see it."""
    buffer = io.BytesIO()
    with rc_context({**SETTINGS, "svg.hashsalt": key}):
        figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    root = ElementTree.fromstring(buffer.getvalue())  # noqa: S314 written by matplotlib
    box = root.attrib["viewBox"]
    root.attrib.clear()
    root.attrib.update({"class": "drawing", "viewBox": box, "role": "img", "aria-label": description})
    _keep_what_is_drawn(root)
    for element in root.iter():
        _restyle(element, key)
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)


def _keep_what_is_drawn(node: ElementTree.Element) -> None:
    """Drop metadata, style sheets and clipping (nothing is drawn outside the axes), and the namespaces."""
    for child in list(node):
        if NAMESPACE.sub("", child.tag) in ("metadata", "style", "clipPath"):
            node.remove(child)
        else:
            _keep_what_is_drawn(child)
    node.tag = NAMESPACE.sub("", node.tag)
    node.text, node.tail = (node.text or "").strip() or None, None


def _restyle(element: ElementTree.Element, key: str) -> None:
    """Styles become attributes and classes; ids are kept where something refers to them, under the figure's key."""
    style = dict(_declarations(element.attrib.pop("style", "")))
    classes = [f"{kind}-{PENS[style[kind]]}" for kind in ("fill", "stroke") if style.get(kind) in PENS]
    if classes:
        element.attrib["class"] = " ".join(classes)
    element.attrib.update({n: v for n, v in style.items() if n in ATTRIBUTES and v not in PENS})
    name = element.attrib.pop("id", None)
    if name is not None and element.tag != "g":
        element.attrib["id"] = f"{key}-{name}"
    link = element.attrib.pop(f"{XLINK}href", None)
    if link is not None:
        element.attrib["href"] = f"#{key}-{link[1:]}"
    element.attrib.pop("clip-path", None)
    if "d" in element.attrib:
        element.attrib["d"] = re.sub(r"\d+\.\d+", lambda m: f"{float(m[0]):.2f}", " ".join(element.attrib["d"].split()))


def _declarations(style: str) -> Iterator[tuple[str, str]]:
    for declaration in style.split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            yield name.strip(), value.strip()
