"""Expressions of stream maps as Python: what is recognised means the same in both, and changes nothing.

The SDK walks the tree of an expression anew for each record (`simpleeval`), and copies the whole record for it. Here
the tree is walked once: which fields it names, and the Python that it is where that is plain: constants, operators,
comparisons, conditions, members of objects, methods of text, hashes. Where such Python raises an error, the SDK's
evaluation has the last word: it says the same, or knows more.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec import UNSET
from simpleeval import BASIC_ALLOWED_ATTRS, DEFAULT_OPERATORS, DISALLOW_METHODS, DISALLOW_PREFIXES, MAX_STRING_LENGTH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from singer_sdk.mapper import CustomStreamMap

#: Names of the whole record.
RECORD = frozenset({"_", "record"})
FUNCTIONS = frozenset({"md5", "sha256", "str", "int", "float", "bool"})
TEXT_METHODS = frozenset(BASIC_ALLOWED_ATTRS[str]) - {*DISALLOW_METHODS, "encode", "maketrans", "translate"}
#: Whatever it is that has them, these change nothing.
HARMLESS_METHODS = TEXT_METHODS | {"encode", "get", "keys", "values", "items", "copy", "index", "count"}
#: Names of what has methods that change no record.
HARMLESS_NAMES = frozenset({"config", "datetime", "json", "fake", "__stream_name__", "__original_stream_name__"})
COMPARISONS = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}
UNARY = {ast.Not: "not ", ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"}


class UnknownError(Exception):
    """What is not recognised, or is when the time comes of another kind than was thought."""


@dataclass(frozen=True)
class Expression:
    """One expression of a map, for the property of that name; None where it is a filter.

    `fields` are those that it names. `python` is its source where it is recognised: a field is called as the
    `Compiler` was told, an object as it says in its `objects`. `field` is the one field whose value it is.
    """

    property_name: str | None
    text: str
    tree: ast.Expr
    fields: frozenset[str]
    python: str | None = None
    field: str | None = None

    @property
    def names_record(self) -> bool:
        """Whether it is to have the whole record."""
        return self.python is None and not RECORD.isdisjoint(_names(self.tree))

    @property
    def may_change(self) -> bool:
        """Whether it may change the values that it names, by a method of theirs."""
        return self.python is None and not all(map(_is_harmless, ast.walk(self.tree)))


class Compiler:
    """Compiles the expressions of one stream map."""

    def __init__(self, stream_map: CustomStreamMap, fields: Mapping[str, str]) -> None:
        """`fields` are those of a record, and what the values of each are called in the Python."""
        self._map = stream_map
        self._fields = fields
        #: What the Python refers to, by name.
        self.objects: dict[str, Any] = {"config": stream_map.map_config}

    def compile(self, text: str, property_name: str | None) -> Expression | None:
        """Return the expression; None if it is none.

        Raises:
            SyntaxError: if it is no Python.
        """
        tree = ast.parse(text).body[0]
        if not isinstance(tree, ast.Expr):
            return None
        named = _names(tree)
        fields = named.intersection(self._fields)
        if "self" in named and property_name is not None and property_name in self._fields:
            fields.add(property_name)
        translator = _Translator(self._map, self._fields, property_name, self.objects)
        try:
            python = translator.visit(tree.value)
        except UnknownError:
            return Expression(property_name, text, tree, frozenset(fields))
        only = translator.field_of(tree.value) if property_name is not None else None
        return Expression(property_name, text, tree, frozenset(fields | translator.fields), python, only)


class _Translator(ast.NodeVisitor):
    """Writes a tree as Python.

    Raises:
        UnknownError: if something is not recognised.
    """

    def __init__(
        self,
        stream_map: CustomStreamMap,
        fields: Mapping[str, str],
        property_name: str | None,
        objects: dict[str, Any],
    ) -> None:
        self._functions = stream_map.functions
        alias, name = stream_map.stream_alias, stream_map.stream_name
        self._constants = {"__stream_name__": alias, "__original_stream_name__": name}
        self._known = fields
        self._self = property_name
        self._objects = objects
        self.fields: set[str] = set()

    def field_of(self, node: ast.expr) -> str | None:
        """The field that a node is."""
        if isinstance(node, ast.Name):
            name: Any = self._self if node.id == "self" else node.id
        elif isinstance(node, ast.Subscript) and _is_record(node.value) and isinstance(node.slice, ast.Constant):
            name = node.slice.value
        elif isinstance(node, ast.Attribute) and _is_record(node.value) and not hasattr(dict, node.attr):
            name = node.attr
        else:
            return None
        return name if isinstance(name, str) and name in self._known else None

    def generic_visit(self, node: ast.AST) -> str:
        raise UnknownError(type(node))

    def visit_Constant(self, node: ast.Constant) -> str:
        value = node.value
        if not isinstance(value, (str, int, float, bool, type(None))) or len(str(value)) > MAX_STRING_LENGTH:
            raise UnknownError
        return self._object(value)

    def visit_Name(self, node: ast.Name) -> str:
        if node.id in self._constants:
            return self._object(self._constants[node.id])
        return "config" if node.id == "config" else self._field(node)

    def visit_Subscript(self, node: ast.Subscript) -> str:
        if self.field_of(node):
            return self._field(node)
        inside = node.slice
        parts = (inside.lower, inside.upper, inside.step) if isinstance(inside, ast.Slice) else (inside,)
        return f"{self.visit(node.value)}[{':'.join(self.visit(part) if part else '' for part in parts)}]"

    def visit_Attribute(self, node: ast.Attribute) -> str:
        if self.field_of(node):
            return self._field(node)
        if node.attr.startswith(tuple(DISALLOW_PREFIXES)) or node.attr in DISALLOW_METHODS:
            raise UnknownError
        return self._called(_member, self.visit(node.value), repr(node.attr))

    def visit_Call(self, node: ast.Call) -> str:
        if node.keywords or any(isinstance(each, ast.Starred) for each in node.args):
            raise UnknownError
        function = node.func
        if isinstance(function, ast.Name) and function.id in FUNCTIONS:
            known: Any = self._functions[function.id]
            return self._called(known, *map(self.visit, node.args))
        if not isinstance(function, ast.Attribute):
            raise UnknownError
        if function.attr == "get" and _is_record(function.value) and node.args:
            name, *otherwise = node.args
            field = self.field_of(ast.Subscript(function.value, name))
            if field is None or len(otherwise) > 1:
                raise UnknownError
            self.fields.add(field)
            return self._called(_gotten, self._known[field], *map(self.visit, otherwise))
        if function.attr not in TEXT_METHODS | {"get"}:
            raise UnknownError
        return self._called(_method, self.visit(function.value), repr(function.attr), *map(self.visit, node.args))

    def visit_BinOp(self, node: ast.BinOp) -> str:
        if type(node.op) not in DEFAULT_OPERATORS:
            raise UnknownError
        operator: Any = DEFAULT_OPERATORS[type(node.op)]
        return self._called(operator, self.visit(node.left), self.visit(node.right))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> str:
        return f"({UNARY[type(node.op)]}{self.visit(node.operand)})"

    def visit_BoolOp(self, node: ast.BoolOp) -> str:
        word = " and " if isinstance(node.op, ast.And) else " or "
        return f"({word.join(map(self.visit, node.values))})"

    def visit_Compare(self, node: ast.Compare) -> str:
        parts = [self.visit(node.left)]
        for operation, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operation, (ast.Is, ast.IsNot)) and not _is_single(right):
                raise UnknownError
            parts += [COMPARISONS[type(operation)], self.visit(right)]
        return f"({' '.join(parts)})"

    def visit_IfExp(self, node: ast.IfExp) -> str:
        return f"({self.visit(node.body)} if {self.visit(node.test)} else {self.visit(node.orelse)})"

    def visit_List(self, node: ast.List) -> str:
        return f"[{', '.join(map(self.visit, node.elts))}]"

    def visit_Tuple(self, node: ast.Tuple) -> str:
        return f"({''.join(f'{self.visit(each)}, ' for each in node.elts)})"

    def visit_JoinedStr(self, node: ast.JoinedStr) -> str:
        return self._called(_joined, *map(self.visit, node.values))

    def visit_FormattedValue(self, node: ast.FormattedValue) -> str:
        if node.format_spec:
            raise UnknownError
        # What would convert it, such as !r, simpleeval leaves out.
        return str(self.visit(node.value))

    def _field(self, node: ast.expr) -> str:
        field = self.field_of(node)
        if field is None:
            raise UnknownError
        self.fields.add(field)
        return self._called(_needed, self._known[field])

    def _called(self, function: Callable[..., Any], *arguments: str) -> str:
        return f"{self._object(function)}({', '.join(arguments)})"

    def _object(self, value: Any) -> str:
        name = f"o{len(self._objects)}"
        self._objects[name] = value
        return name


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _is_single(node: ast.expr) -> bool:
    """Whether a node is a constant of which there is but one object."""
    return isinstance(node, ast.Constant) and isinstance(node.value, (bool, type(None)))


def _is_record(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in RECORD


def _is_harmless(node: ast.AST) -> bool:
    if isinstance(node, ast.comprehension):
        # Within it, one of those names could be something else.
        return HARMLESS_NAMES.isdisjoint(_names(node.target))
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return True
    names = _names(node.func)
    if node.func.attr in HARMLESS_METHODS or (names <= {"json", "datetime", "fake"} and node.func.attr != "shuffle"):
        return True
    return all(_names(part) <= HARMLESS_NAMES for part in (node.func, *node.args, *node.keywords))


# What the Python calls


def _needed(value: Any) -> Any:
    """A field that the record must have."""
    if value is UNSET:
        raise UnknownError
    return value


def _gotten(value: Any, otherwise: Any = None) -> Any:
    """A field that it need not have."""
    return otherwise if value is UNSET else value


def _member(value: Any, name: str) -> Any:
    if value.__class__ is not dict or hasattr(dict, name):
        raise UnknownError
    return value[name]


def _method(value: Any, name: str, *arguments: Any) -> Any:
    kind = value.__class__
    if not (kind is str and name in TEXT_METHODS) and not (kind is dict and name == "get"):
        raise UnknownError
    return getattr(value, name)(*arguments)


def _joined(*values: Any) -> str:
    texts = [str(value) for value in values]
    if any(len(text) > MAX_STRING_LENGTH for text in texts):
        raise UnknownError
    return "".join(texts)
