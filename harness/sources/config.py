"""Where the maps of a model come from that is not served: the values of the key `maps_from` of a run file."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness.settings import PathField, Settings
from wronglung.geometry import Frame, letterbox

OptOut = Literal["remainder", "none", "not_known"]


class LetterboxConfig(Settings):
    """The study's frame: longer side resized, padded to a square, cut at the centre (SCIENCE.md §5)."""

    fit: Literal["letterbox"] = "letterbox"
    longer_side: int = Field(default=256, ge=1, le=4096)
    crop: int = Field(default=224, ge=1, le=4096)

    @model_validator(mode="after")
    def _crop_fits(self) -> "LetterboxConfig":
        if self.crop > self.longer_side:
            raise ValueError(f"crop {self.crop} is larger than longer_side {self.longer_side}")
        return self

    def frame(self, width: int, height: int) -> Frame:
        """Where the grid lies in an image of this size."""
        return letterbox(width, height, longer_side=self.longer_side, crop=self.crop)


class StretchConfig(Settings):
    """The map covers the whole image, whose sides were resized to one size each on its own."""

    fit: Literal["stretch"]
    size: int = Field(default=224, ge=1, le=4096)

    def frame(self, width: int, height: int) -> Frame:
        """Where the grid lies in an image of this size."""
        return Frame(width, height, self.size, self.size, 0, 0, self.size, self.size)


FrameConfig = Annotated[LetterboxConfig | StretchConfig, Field(discriminator="fit")]


class MapsConfig(Settings):
    """What every source is told of its maps."""

    path: PathField
    frame: FrameConfig = LetterboxConfig()
    """Which part of the image the grid covers."""
    opt_out: OptOut = "remainder"
    """remainder: a map sums to 1 − opt-out mass. none: the model cannot withhold attention. not_known: null."""


class RegionsConfig(Settings):
    """How weights of detected boxes become maps."""

    pixels: Literal["frame", "original"] = "frame"
    """What `attn_bboxes` are counted in; their maxima are inclusive."""
    cells: int | None = Field(default=None, ge=1, le=1024)
    """Rows and columns of the painted map; default: the pixels of the frame, as the study did."""


class StudyMapsConfig(MapsConfig):
    """The layout of the study's outputs: `sentences.csv` and `attn/<dicom_sent_id>.npy`."""

    kind: Literal["study"]
    regions: RegionsConfig = RegionsConfig()


class SavedMapsConfig(MapsConfig):
    """Our own layout: `cases.parquet` and `maps.npz` or `maps/*.npz`."""

    kind: Literal["saved"]
    model: str | None = None
    """Whose rows of `cases.parquet` to read; default: the model's own name."""


AnyMapsConfig = StudyMapsConfig | SavedMapsConfig
SourceConfig = Annotated[AnyMapsConfig, Field(discriminator="kind")]
