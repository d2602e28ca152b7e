"""The frame: original pixels ↔ the model's square ↔ grid cells.

Coordinates are real-valued, origin at the top left corner of the top left pixel; rectangles are half-open.
Standard library only: clients in other languages can copy this file line by line.
"""

from dataclasses import dataclass

Point = tuple[float, float]
Rect = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the model's square lies in one original image (mirrors `Frame` of alignment.proto).

    ``x_frame = x_original * resized_width / image_width + offset_x``, y likewise.
    """

    image_width: int
    image_height: int
    resized_width: int
    resized_height: int
    offset_x: int
    offset_y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        """Raise ValueError unless every size is at least 1."""
        sizes = (self.image_width, self.image_height, self.resized_width, self.resized_height, self.width, self.height)
        if min(sizes) < 1:
            raise ValueError(f"every size of a frame must be at least 1, got {self}")

    @property
    def scale_x(self) -> float:
        """Frame pixels per original pixel, horizontally."""
        return self.resized_width / self.image_width

    @property
    def scale_y(self) -> float:
        """Frame pixels per original pixel, vertically."""
        return self.resized_height / self.image_height

    def to_frame(self, rect: Rect) -> Rect:
        """Carry a rectangle of original pixels into frame pixels (not clipped)."""
        x0, y0, x1, y1 = rect
        return (
            x0 * self.scale_x + self.offset_x,
            y0 * self.scale_y + self.offset_y,
            x1 * self.scale_x + self.offset_x,
            y1 * self.scale_y + self.offset_y,
        )

    def to_original(self, rect: Rect) -> Rect:
        """Carry a rectangle of frame pixels into original pixels (not clipped)."""
        x0, y0, x1, y1 = rect
        return (
            (x0 - self.offset_x) / self.scale_x,
            (y0 - self.offset_y) / self.scale_y,
            (x1 - self.offset_x) / self.scale_x,
            (y1 - self.offset_y) / self.scale_y,
        )

    @property
    def covered(self) -> Rect:
        """The rectangle of original pixels under the whole frame; reaches beyond the image where it is padded."""
        return self.to_original((0.0, 0.0, float(self.width), float(self.height)))

    @property
    def image_rect(self) -> Rect:
        """The part of the frame that holds image, in frame pixels: the domain of the metrics (the rest is padding)."""
        x0, y0, x1, y1 = self.to_frame((0.0, 0.0, float(self.image_width), float(self.image_height)))
        return max(x0, 0.0), max(y0, 0.0), min(x1, float(self.width)), min(y1, float(self.height))

    @property
    def padding(self) -> tuple[int, int, int, int]:
        """Frame pixels without image at the left, top, right and bottom."""
        return (
            min(max(self.offset_x, 0), self.width),
            min(max(self.offset_y, 0), self.height),
            min(max(self.width - self.offset_x - self.resized_width, 0), self.width),
            min(max(self.height - self.offset_y - self.resized_height, 0), self.height),
        )

    def cell(self, row: int, col: int, rows: int, cols: int) -> Rect:
        """The rectangle of original pixels under one grid cell.

        Raises:
            ValueError: the cell lies outside the grid.
        """
        if not (0 <= row < rows and 0 <= col < cols):
            raise ValueError(f"cell ({row}, {col}) lies outside a grid of {rows} x {cols}")
        return self.to_original(
            (
                col * self.width / cols,
                row * self.height / rows,
                (col + 1) * self.width / cols,
                (row + 1) * self.height / rows,
            )
        )


def letterbox(image_width: int, image_height: int, *, longer_side: int = 256, crop: int = 224) -> Frame:
    """The study's frame: longer side resized to `longer_side`, shorter side truncated to int (at least 1), zero-padded
    to a square (left and top get the floor of half), centre-cropped to `crop` (SCIENCE.md §1).

    Raises:
        ValueError: a size is below 1, or `crop` is larger than `longer_side`.
    """
    if min(image_width, image_height, longer_side, crop) < 1:
        raise ValueError(f"sizes must be at least 1, got image {image_width} x {image_height}, {longer_side=}, {crop=}")
    if crop > longer_side:
        raise ValueError(f"crop {crop} is larger than the padded square {longer_side}")
    ratio = longer_side / max(image_width, image_height)
    resized_width = longer_side if image_width >= image_height else max(1, int(image_width * ratio))
    resized_height = longer_side if image_height >= image_width else max(1, int(image_height * ratio))
    cut = (longer_side - crop) // 2
    return Frame(
        image_width=image_width,
        image_height=image_height,
        resized_width=resized_width,
        resized_height=resized_height,
        offset_x=(longer_side - resized_width) // 2 - cut,
        offset_y=(longer_side - resized_height) // 2 - cut,
        width=crop,
        height=crop,
    )
