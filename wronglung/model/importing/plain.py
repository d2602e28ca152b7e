"""The options that a training stored beside its weights, as plain nested dictionaries.

They come as a dictionary, or as OmegaConf's containers, whose classes are not needed to read them: a container keeps
its entries under "_content", a value itself under "_val" (in versions before 2.0 without the underscore).
"""

from typing import Any

from wronglung.model.errors import ModelFilesError
from wronglung.model.importing.records import Call, Name

_ENTRIES, _VALUES = ("_content", "content"), ("_val", "val")
_MOST_ENTRIES, _DEEPEST = 100_000, 50


class Unreadable(str):
    """Stands for a value of a kind that no option has, such as a tensor: its type's name."""


def plain_options(value: Any, source: str) -> dict[str, Any]:
    """The options as dictionaries, lists, texts, numbers, truth values and None.

    Raises:
        ModelFilesError: they are no mapping, or nested or shared without bounds.
    """
    options = _Converter(source)(value)
    if isinstance(options, dict) and "model" not in options and isinstance(options.get("cfg"), dict):
        options = options["cfg"]  # save_hyperparameters() without arguments stores them under the argument's name
    if not isinstance(options, dict):
        raise ModelFilesError(f"{source}: hyper_parameters is no mapping of options: save the state_dict alone")
    return options


class _Converter:
    """Converts one tree. Counts, because a small pickle can describe a tree of any size by sharing branches."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._entries = 0
        self._depth = 0

    def __call__(self, value: Any) -> Any:
        self._entries += 1
        self._depth += 1
        if self._entries > _MOST_ENTRIES or self._depth > _DEEPEST:
            raise ModelFilesError(
                f"{self._source}: hyper_parameters is nested without bounds: save the state_dict alone"
            )
        try:
            return self._convert(value)
        finally:
            self._depth -= 1

    def _convert(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, Name):
            return Unreadable(value.path)
        if isinstance(value, dict):
            return {str(key): self(entry) for key, entry in value.items() if isinstance(key, str | int)}
        if isinstance(value, list | tuple):
            return [self(entry) for entry in value]
        return self._convert_call(value) if isinstance(value, Call) else Unreadable(type(value).__name__)

    def _convert_call(self, call: Call) -> Any:
        state = call.state if isinstance(call.state, dict) else {}
        for key in (*_ENTRIES, *_VALUES):
            if key in state:
                return self(state[key])
        if call.items or call.elements:
            return self(call.items or call.elements)
        attributes = {key: entry for key, entry in state.items() if isinstance(key, str) and not key.startswith("_")}
        return self(attributes) if attributes else Unreadable(call.name)
