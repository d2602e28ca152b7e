"""A pickle read as data.

A pickle is a program: unpickling it imports what it names and calls what it likes. Here its instructions only move
values about. A name ("omegaconf.dictconfig.DictConfig") stays a name and a call stays a record of a call; nothing is
imported and nothing is called, so that nothing can run. Names that no checkpoint needs are refused all the same:
whoever put `os.system` into a file did not mean well.
"""

import pickletools
import struct
from collections.abc import Callable
from typing import IO, Any

from wronglung.model.errors import ModelFilesError
from wronglung.model.importing.allowed import is_allowed, modern
from wronglung.model.importing.records import (
    Call,
    Name,
    Reference,
    as_key,
    as_pairs,
    call_record,
    elements_of,
    items_of,
)

_LONGEST_NAME = 200
_MARK = object()
_PLAIN = frozenset(
    {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
    | {"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
    | {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}
)
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
}
_SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_SILENT = frozenset({"PROTO", "FRAME"})
_READ_MEMO = frozenset({"GET", "BINGET", "LONG_BINGET"})
_WRITE_MEMO = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_DAMAGE = (ValueError, IndexError, KeyError, TypeError, AttributeError, StopIteration, OverflowError, struct.error)


def read_pickle(file: IO[bytes], source: str, references: list[Reference] | None = None) -> Any:
    """Read one pickle from an open file and stop behind it.

    Args:
        file: at the start of the pickle. All of it that could be read must be of a bearable size.
        source: the file's name for messages.
        references: a list to add every reference to, in the order of the pickle.

    Returns:
        Plain values; dictionaries for ordered dictionaries; `Call`, `Name` and `Reference` for everything else.

    Raises:
        ModelFilesError: it names something that no checkpoint needs, uses an instruction that `torch.save` does not,
            or is damaged.
    """
    reader = _Reader(source, [] if references is None else references)
    try:
        for opcode, argument, _ in pickletools.genops(file):
            if opcode.name == "STOP":
                return reader.stack.pop()
            reader.step(opcode.name, argument)
    except ModelFilesError:
        raise
    except _DAMAGE as error:
        raise ModelFilesError(f"{source} is damaged, or not written by torch.save: {error or 'bad pickle'}") from error
    raise ModelFilesError(f"{source} is damaged: its pickle has no end")


class _Reader:
    """The stack, the memo and one method for each instruction that does more than push a constant."""

    def __init__(self, source: str, references: list[Reference]) -> None:
        self.stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._source = source
        self._references = references

    def step(self, opcode: str, argument: Any) -> None:
        """Follow one instruction."""
        if opcode in _PLAIN:
            self.stack.append(argument)
        elif opcode in _CONSTANTS:
            self.stack.append(_CONSTANTS[opcode]())
        elif opcode in _READ_MEMO:
            self.stack.append(self._memo[int(argument)])
        elif opcode in _WRITE_MEMO:
            self._memo[int(argument)] = self.stack[-1]
        elif opcode in _SHORT_TUPLES:
            self.stack.append(tuple(self._pop(_SHORT_TUPLES[opcode])))
        elif opcode not in _SILENT:
            self._special(opcode, argument)

    def _special(self, opcode: str, argument: Any) -> None:
        method = getattr(self, f"_do_{opcode.lower()}", None)
        if method is None:
            raise ModelFilesError(f"{self._source} uses the pickle instruction {opcode}, which no checkpoint needs")
        method(argument)

    def _pop(self, count: int) -> list[Any]:
        if count > len(self.stack):
            raise IndexError("the stack is empty")
        values = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return values

    def _pop_to_mark(self) -> list[Any]:
        place = next(i for i in reversed(range(len(self.stack))) if self.stack[i] is _MARK)
        values = self.stack[place + 1 :]
        del self.stack[place:]
        return values

    # Names and calls

    def _name(self, module: str, name: str) -> Name:
        path = f"{module}.{name}"
        if not is_allowed(module, name):
            raise ModelFilesError(
                f"{self._source} names {path[:_LONGEST_NAME]!r}, which no checkpoint of weights needs: loaded in the"
                " usual way, it could run anything. Nothing was run. If you trust where the file comes from, load it"
                " there and save the weights alone: torch.save(checkpoint['state_dict'], 'weights.pt')"
            )
        return Name(path)

    def _do_global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self.stack.append(self._name(*modern(module, name)))

    def _do_stack_global(self, _: None) -> None:
        module, name = self._pop(2)
        self.stack.append(self._name(str(module), str(name)))

    def _do_inst(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self.stack.append(call_record(self._name(*modern(module, name)), tuple(self._pop_to_mark())))

    def _do_obj(self, _: None) -> None:
        callee, *arguments = self._pop_to_mark()
        self.stack.append(call_record(callee, tuple(arguments)))

    def _do_reduce(self, _: None) -> None:
        callee, arguments = self._pop(2)
        self.stack.append(call_record(callee, arguments))

    _do_newobj = _do_reduce

    def _do_newobj_ex(self, _: None) -> None:
        callee, arguments, keywords = self._pop(3)
        self.stack.append(call_record(callee, (*arguments, keywords)))

    def _do_build(self, _: None) -> None:
        made, state = self._pop(2)
        if isinstance(made, Call):
            made.state = state
        elif not isinstance(made, dict):  # an ordered dictionary's attributes are of no interest
            raise TypeError(f"state for a {type(made).__name__}")
        self.stack.append(made)

    def _do_binpersid(self, _: None) -> None:
        self._references.append(Reference(self.stack.pop()))
        self.stack.append(self._references[-1])

    # Containers

    def _do_mark(self, _: None) -> None:
        self.stack.append(_MARK)

    def _do_tuple(self, _: None) -> None:
        self.stack.append(tuple(self._pop_to_mark()))

    def _do_list(self, _: None) -> None:
        self.stack.append(self._pop_to_mark())

    def _do_dict(self, _: None) -> None:
        self.stack.append(as_pairs(self._pop_to_mark()))

    def _do_frozenset(self, _: None) -> None:
        self.stack.append(frozenset(map(as_key, self._pop_to_mark())))

    def _do_append(self, _: None) -> None:
        (value,) = self._pop(1)
        elements_of(self.stack[-1]).append(value)

    def _do_appends(self, _: None) -> None:
        values = self._pop_to_mark()
        elements_of(self.stack[-1]).extend(values)

    def _do_additems(self, _: None) -> None:
        values = map(as_key, self._pop_to_mark())
        self.stack[-1].update(values)

    def _do_setitem(self, _: None) -> None:
        key, value = self._pop(2)
        items_of(self.stack[-1])[as_key(key)] = value

    def _do_setitems(self, _: None) -> None:
        pairs = as_pairs(self._pop_to_mark())
        items_of(self.stack[-1]).update(pairs)

    # The stack itself

    def _do_pop(self, _: None) -> None:
        self.stack.pop()

    def _do_pop_mark(self, _: None) -> None:
        self._pop_to_mark()

    def _do_dup(self, _: None) -> None:
        self.stack.append(self.stack[-1])

    def _do_memoize(self, _: None) -> None:
        self._memo[len(self._memo)] = self.stack[-1]
