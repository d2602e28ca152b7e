"""What can be wrong with the files of a model."""


class ModelFilesError(ValueError):
    """A model directory is missing, incomplete, damaged or inconsistent. The message names the file and the remedy."""
