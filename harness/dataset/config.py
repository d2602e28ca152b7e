"""Which data set to open, and how: the key `dataset` of a run file."""

from typing import Annotated, Literal

from pydantic import Field

from harness.settings import PathField, Settings


class PhantomConfig(Settings):
    """The built-in procedural radiographs."""

    kind: Literal["phantom"]
    split: Literal["train", "validation", "test"] = "test"
    patients: int = Field(default=100, ge=1)
    seed: int = Field(default=0, ge=0)


class FileConfig(Settings):
    """What every data set that is read from files can be told."""

    finetuned_patients: PathField | None = None
    """A text file with a patient id on each line: the patients that a model was finetuned on. Their images are left
    out and counted."""


class JsonlConfig(FileConfig):
    """Your own images, sentences and boxes: see `harness/dataset/line.py`."""

    kind: Literal["jsonl"]
    path: PathField
    inclusive_maxima: bool = False
    """The boxes' x1 and y1 name the last pixel inside."""


class RealCxrConfig(FileConfig):
    """A folder of real radiographs with `pairs.jsonl` and `images.jsonl`."""

    kind: Literal["real_cxr"]
    root: PathField | None = None
    """Default: $WRONGLUNG_REAL_CXR, else ../shared/real_cxr."""


class ChestImagenomeConfig(FileConfig):
    """What both parts of Chest ImaGenome need."""

    root: PathField
    """The folder that holds `gold_dataset` and `silver_dataset`."""
    images: PathField
    """A copy of MIMIC-CXR or MIMIC-CXR-JPG: the folder that holds `files`."""
    clip_boxes: bool = False
    """Cut boxes at the edge of their image, instead of leaving out what speaks of them."""


class ChestImagenomeGoldConfig(ChestImagenomeConfig):
    """What annotators say of 500 reports: see `harness/dataset/chest_imagenome/gold.py`."""

    kind: Literal["chest_imagenome_gold"]


class ChestImagenomeSilverConfig(ChestImagenomeConfig):
    """What was extracted from all reports automatically: see `harness/dataset/chest_imagenome/silver.py`."""

    kind: Literal["chest_imagenome_silver"]
    split: Literal["train", "valid", "test"] = "test"


class GroundingConfig(FileConfig):
    """What the public data sets of findings with boxes or masks have in common."""

    path: PathField
    """The file with the annotations."""
    images: PathField
    """The folder that the images lie in."""
    patients: PathField | None = None
    """CSV with the columns image_id and patient_id, where the format itself names no patient."""


class MsCxrConfig(GroundingConfig):
    """Sentences of MIMIC-CXR reports with boxes: see `harness/dataset/ms_cxr.py`."""

    kind: Literal["ms_cxr"]
    split: str | None = None
    """Only annotations of this split, e.g. "test"."""


class PadchestGrConfig(GroundingConfig):
    """Spanish reports and their translation, with boxes of two readers: see `harness/dataset/padchest_gr.py`."""

    kind: Literal["padchest_gr"]
    language: Literal["en", "es"] = "en"
    reader: Literal["union", "first", "second"] = "union"
    """Whose boxes count."""


class VindrCxrConfig(GroundingConfig):
    """Boxes with class names by several readers: see `harness/dataset/vindr_cxr.py`."""

    kind: Literal["vindr_cxr"]
    reader: str = "union"
    """"union", or the rad_id of the reader whose boxes count."""


class ChexlocalizeConfig(GroundingConfig):
    """Masks of pathologies on CheXpert's images: see `harness/dataset/chexlocalize.py`."""

    kind: Literal["chexlocalize"]


class CocoConfig(GroundingConfig):
    """Any data set in COCO's layout: see `harness/dataset/coco.py`."""

    kind: Literal["coco"]


AnyDatasetConfig = (
    PhantomConfig
    | JsonlConfig
    | RealCxrConfig
    | ChestImagenomeGoldConfig
    | ChestImagenomeSilverConfig
    | MsCxrConfig
    | PadchestGrConfig
    | VindrCxrConfig
    | ChexlocalizeConfig
    | CocoConfig
)
DatasetConfig = Annotated[AnyDatasetConfig, Field(discriminator="kind")]
