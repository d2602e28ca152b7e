"""The names that a checkpoint may contain. Being here lets a name stand in the file; it is never imported or called."""

from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING

DTYPES = ("float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool")
STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
"""The type of number in each of torch's storages."""

_PACKAGES = ("omegaconf", "pytorch_lightning", "lightning", "lightning_fabric")
"""Every class of these packages: their options and callbacks stand beside the weights."""
_PATHS = {"Path", "PosixPath", "PurePath", "PurePosixPath", "PureWindowsPath", "WindowsPath"}
_NAMES = {
    "torch": {"Size", "device", "Tensor", *DTYPES, *STORAGES, "ComplexFloatStorage", "ComplexDoubleStorage"},
    "torch._utils": {"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter"},
    "torch.nn.parameter": {"Parameter"},
    "torch.storage": {"UntypedStorage", "TypedStorage", "_UntypedStorage", "_TypedStorage"},
    "torch.serialization": {"_get_layout"},
    "collections": {"OrderedDict", "defaultdict", "Counter"},
    "builtins": {"bool", "bytearray", "bytes", "complex", "dict", "float", "int", "list", "object", "set", "str"}
    | {"tuple", "type", "frozenset", "slice", "range"},
    "typing": {"Any", "Dict", "List", "Optional", "Tuple", "Union"},
    "pathlib": _PATHS,
    "pathlib._local": _PATHS,
    "argparse": {"Namespace"},
    "copyreg": {"_reconstructor", "__newobj__"},
    "_codecs": {"encode"},
    "numpy": {"dtype", "ndarray"},
    "numpy.core.multiarray": {"scalar", "_reconstruct"},
    "numpy._core.multiarray": {"scalar", "_reconstruct"},
}


def modern(module: str, name: str) -> tuple[str, str]:
    """Module and name as Python 3 has them: in the protocol that `torch.save` uses, int is `__builtin__.long`."""
    return NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))


def is_allowed(module: str, name: str) -> bool:
    """Whether a checkpoint may name this. A name with a full stop in it would reach into other objects: never."""
    if "." in name or not name.isidentifier():
        return False
    if module.partition(".")[0] in _PACKAGES:
        return True
    return name in _NAMES.get(module, ())
