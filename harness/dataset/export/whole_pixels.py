"""Boxes in whole pixels, as annotated data sets have them."""

from dataclasses import dataclass

from harness.case import Box

Corners = tuple[int, int, int, int]


def whole(box: Box) -> Corners:
    """The box with its edges at the nearest pixel edges, at least one pixel wide and high."""
    x0, y0, x1, y1 = map(round, box.xyxy)
    return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)


@dataclass(frozen=True, slots=True)
class Square:
    """How an image is shrunk and padded to a square of `side` pixels: ``x = original x · ratio + left``."""

    width: int
    height: int
    side: int

    @property
    def ratio(self) -> float:
        """Pixels of the square for a pixel of the image."""
        return self.side / max(self.width, self.height)

    @property
    def pads(self) -> tuple[int, int, int, int]:
        """Pixels above, below, left and right of the image."""
        across, down = (self.side - round(size * self.ratio) for size in (self.width, self.height))
        return down // 2, down - down // 2, across // 2, across - across // 2

    def place(self, corners: Corners) -> Corners:
        """A box of the image in the square, in whole pixels."""
        top, _, left, _ = self.pads
        x0, y0, x1, y1 = (
            round(value * self.ratio + offset) for value, offset in zip(corners, (left, top, left, top), strict=True)
        )
        return x0, y0, x1, y1
