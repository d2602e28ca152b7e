"""How a source finds a map: by image and text."""

NO_MAP = "NO_MAP"
"""Counted among the failures: nobody made a map of this text on this image."""

Key = tuple[str, str]


def key_of(image_id: str, text: str) -> Key:
    """Image and text; a file's ending .dcm and the width of spaces do not matter."""
    return image_id.removesuffix(".dcm"), " ".join(text.split())
