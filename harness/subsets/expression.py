"""A subset of the user's own, as a condition on facts: ``side == 'right' and box_share > 0.1 and not negated``.

The text is parsed by Python's own parser and never executed: of the tree only comparisons, and, or, not, in, literals
and the declared names (`facts.FACTS`, and ``strata['key']``) are taken, and their types are checked when the run file
is read, before anything is sent.
"""

import ast
import operator
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.case import ImageRecord, Sentence
from harness.subsets.errors import SubsetError
from harness.subsets.facts import BY_NAME
from harness.subsets.strata import labelled
from wronglung.keys import suggest

LONGEST = 1000
DEEPEST = 50
STRATA = "strata"
ALLOWED = (
    "use comparisons (==, !=, <, <=, >, >=), and, or, not, in, texts, numbers, lists of them, and the names of facts"
)

Evaluate = Callable[[ImageRecord, Sentence], Any]
_ORDERED: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_EQUAL: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {ast.Eq: operator.eq, ast.NotEq: operator.ne}
_MEMBER: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.In: lambda part, whole: part in whole,
    ast.NotIn: lambda part, whole: part not in whole,
}
_KINDS = {
    "truth": "true or false",
    "number": "a number",
    "word": "a text",
    "words": "a set of texts",
    "list of word": "a list of texts",
    "list of number": "a list of numbers",
}


_TEXTS = {value for fact in BY_NAME.values() for value in fact.values}


@dataclass(frozen=True, slots=True)
class _Term:
    """A checked part of an expression."""

    kind: str
    evaluate: Evaluate
    values: tuple[str, ...] = ()
    """Every value that it can have, of a fact with few."""
    small: bool = False
    written: tuple[Any, ...] = ()
    """The literals that it consists of; empty for a fact."""


def parse(text: str) -> Callable[[ImageRecord, Sentence], bool]:
    """The condition as a rule on a sentence and its image.

    Raises:
        SubsetError: it is no expression of this language; the message names the column and the fix.
    """
    line = text.strip().replace("\n", " ")
    if len(line) > LONGEST:
        raise SubsetError(f"the expression has {len(line)} characters, more than {LONGEST}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(line, mode="eval")
    except SyntaxError as error:
        raise SubsetError(f"column {error.offset or 1} of {line!r}: {error.msg}; {ALLOWED}") from error
    except (ValueError, MemoryError, RecursionError) as error:
        raise SubsetError(f"{line!r} cannot be read: {error}") from error
    if _is_deeper(tree.body, DEEPEST):
        raise SubsetError(f"{line!r} is nested more than {DEEPEST} levels deep")
    term = _Reader(line).truth(tree.body)
    return lambda record, sentence: bool(term.evaluate(record, sentence))


def _is_deeper(tree: ast.AST, levels: int) -> bool:
    """Level by level, so that no depth of a tree exhausts the stack."""
    nodes = [tree]
    for _ in range(levels):
        nodes = [child for node in nodes for child in ast.iter_child_nodes(node)]
    return bool(nodes)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Checks a tree from the leaves up; every fault names its column."""

    line: str

    def fault(self, node: ast.expr, message: str) -> SubsetError:
        """An error that says where."""
        before = self.line.encode()[: node.col_offset].decode(errors="ignore")
        return SubsetError(f"column {len(before) + 1} of {self.line!r}: {message}")

    def truth(self, node: ast.expr) -> _Term:
        """A term that is true or false."""
        return self.expect(node, "truth")

    def expect(self, node: ast.expr, kind: str) -> _Term:
        term = self.read(node)
        if term.kind != kind:
            raise self.fault(node, f"{ast.unparse(node)} is {_KINDS[term.kind]}, expected {_KINDS[kind]}")
        return term

    def read(self, node: ast.expr) -> _Term:
        """Any term."""
        match node:
            case ast.BoolOp():
                return self.both_or_either(node)
            case ast.UnaryOp(op=ast.Not()):
                inner = self.truth(node.operand).evaluate
                return _Term("truth", lambda record, sentence: not inner(record, sentence))
            case ast.Compare():
                return self.comparison(node)
            case ast.Name():
                return self.fact(node)
            case ast.Subscript(value=ast.Name(id="strata"), slice=ast.Constant(value=str(key))):
                own = labelled(key)
                return _Term("word", lambda record, sentence: next(iter(own.of(record, sentence)), ""))
            case ast.List() | ast.Tuple() | ast.Set():
                return self.literals(node)
        return self.literal(node)

    def both_or_either(self, node: ast.BoolOp) -> _Term:
        parts = [self.truth(value).evaluate for value in node.values]
        decide = all if isinstance(node.op, ast.And) else any
        return _Term("truth", lambda record, sentence: decide(part(record, sentence) for part in parts))

    def comparison(self, node: ast.Compare) -> _Term:
        operands = [node.left, *node.comparators]
        terms = [self.read(operand) for operand in operands]
        steps = []
        for i, op in enumerate(node.ops):
            steps.append((terms[i].evaluate, self.operation(node, op, terms[i], terms[i + 1]), terms[i + 1].evaluate))
        return _Term(
            "truth",
            lambda record, sentence: all(
                compare(left(record, sentence), right(record, sentence)) for left, compare, right in steps
            ),
        )

    def operation(self, node: ast.Compare, op: ast.cmpop, left: _Term, right: _Term) -> Callable[[Any, Any], bool]:
        """The comparison of two terms, if there is one."""
        kinds = left.kind, right.kind
        self.check_values(node, left, right)
        if type(op) in _EQUAL and kinds in (("number", "number"), ("word", "word"), ("truth", "truth")):
            return _EQUAL[type(op)]
        if type(op) in _ORDERED and kinds == ("number", "number"):
            return _ORDERED[type(op)]
        if type(op) in _MEMBER and kinds in (
            *(("word", "words"), ("word", "word"), ("word", "list of word"), ("number", "list of number")),
        ):
            return _MEMBER[type(op)]
        raise self.fault(node, f"{_KINDS[left.kind]} and {_KINDS[right.kind]} cannot be compared so")

    def check_values(self, node: ast.Compare, left: _Term, right: _Term) -> None:
        """A fact with few values is compared with these alone: anything else is a typing error."""
        for fact, other in ((left, right), (right, left)):
            for value in other.written if fact.values else ():
                if value not in fact.values:
                    raise self.fault(node, f"{value!r} is no value{suggest(str(value), fact.values)}")
            for value in other.written if fact.small else ():
                if value != value.lower():
                    raise self.fault(node, f"{value!r} is compared with small letters: write {value.lower()!r}")

    def fact(self, node: ast.Name) -> _Term:
        known = BY_NAME.get(node.id)
        if known is None:
            hint = suggest(node.id, [*BY_NAME, STRATA])
            if node.id in _TEXTS:
                hint = f": write {node.id!r}, as texts stand in quotes"
            elif node.id == STRATA:
                hint = ": write strata['key'], e.g. strata['view'] == 'AP'"
            raise self.fault(node, f"unknown name {node.id!r}{hint}")
        return _Term(known.kind, known.of, known.values, known.small)

    def literals(self, node: ast.List | ast.Tuple | ast.Set) -> _Term:
        terms = [self.literal(element) for element in node.elts]
        kinds = {term.kind for term in terms}
        if kinds not in ({"word"}, {"number"}):
            raise self.fault(node, "a list holds texts, or numbers, and at least one")
        values = tuple(value for term in terms for value in term.written)
        return _Term(f"list of {kinds.pop()}", lambda record, sentence: values, written=values)

    def literal(self, node: ast.expr) -> _Term:
        found = _literal(node)
        if found is None:
            raise self.fault(node, f"{ast.unparse(node)} is not allowed: {ALLOWED}")
        kind, value = found
        return _Term(kind, lambda record, sentence: value, written=(value,))


def _literal(node: ast.expr) -> tuple[str, Any] | None:
    """The kind and value of a literal; None if it is none."""
    match node:
        case ast.Constant(value=bool(truth)):
            return "truth", truth
        case ast.Constant(value=int() | float() as number):
            return "number", number
        case ast.Constant(value=str(text)):
            return "word", text
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)) if (
            type(number) is not bool
        ):
            return "number", -number
    return None
