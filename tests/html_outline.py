"""A page as a list of elements, so that tests can ask what it says instead of how it is spelled."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "hr", "input"}


@dataclass
class Element:
    """An element with its attributes, its parents' tags, and all text below it."""

    tag: str
    attributes: dict[str, str]
    parents: tuple[str, ...]
    text: str = ""
    children: list["Element"] = field(default_factory=list)

    def below(self, tag: str) -> Iterator["Element"]:
        """Every element of this tag below this one, in document order."""
        for child in self.children:
            if child.tag == tag:
                yield child
            yield from child.below(tag)


class _Outline(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {}, ())
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, tuple(e.tag for e in self.open[1:]))
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data


def parse(html: str) -> Element:
    """The page's root. Raises AssertionError where elements are not nested as they should be."""
    outline = _Outline()
    outline.feed(html)
    outline.close()
    assert len(outline.open) == 1, f"never closed: {[e.tag for e in outline.open[1:]]}"
    return outline.root
