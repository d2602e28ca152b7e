"""Every limit of the contract, in one place. `docs/limits.md` is checked against this table by a test."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may ask for. Checked by the client before sending and by the gateway before decoding."""

    image_bytes: int = 48 * 1024 * 1024
    """Largest encoded image, in bytes."""
    image_pixels: int = 100_000_000
    """Largest image by its own header, in pixels (all frames and padding included)."""
    sentences: int = 256
    """Most sentences in one request."""
    sentence_characters: int = 2_000
    """Longest sentence, in characters."""
    request_id_characters: int = 128
    """Longest request id, in characters."""
    answer_bytes: int = 4 * 1024 * 1024
    """Largest serialised answer, in bytes."""

    @property
    def message_bytes(self) -> int:
        """Transport limit of one request message: the image, the sentences (4 bytes a character) and 64 KiB."""
        return self.image_bytes + self.sentences * self.sentence_characters * 4 + 64 * 1024


LIMITS = Limits()
