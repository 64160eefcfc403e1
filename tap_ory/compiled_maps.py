"""A stream map and its flattening as one function from a page's records to rows, which msgspec writes.

What a map leaves alone goes through as the bytes that it came as; decoded is what its expressions name, and what
flattening takes apart. What comes out is what the SDK would make of the record's dict; where a map is none that can
be compiled, or a page none that fits, it is the SDK that makes it.

The function is text of generated names and numbers alone: names of fields, expressions and values are handed in as
objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import msgspec
from msgspec import UNSET
from singer_sdk.mapper import (
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_KEY_PROPERTIES_OPTION,
    NULL_STRING,
    CustomStreamMap,
)

from ory_reader.lossless_json import loads
from ory_reader.traits.decoder_types import is_text, types_of
from tap_ory.columns import TEXTS, Parts, Texts, UnusableNameError, counted, decoded, encode, fitted, part_of, written
from tap_ory.columns import usable as usable_name
from tap_ory.expressions import Compiler, Expression
from tap_ory.flattening import Column, Flattener, Members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from singer_sdk.mapper import StreamMap

    from tap_ory.flattening import Place

    #: What the settings say of a stream: expressions by property, and options.
    Definition = Mapping[str, str | None]
    Rows = Callable[[list[Any]], Iterable[Any]]

OPTIONS = {MAPPER_ELSE_OPTION, MAPPER_FILTER_OPTION, MAPPER_KEY_PROPERTIES_OPTION}
ARRAYS = (["array"], ["array", "null"], ["null", "array"])
PARTS = {each.__name__: each for each in (decoded, encode, fitted, loads, written)}


class NotCompiledError(Exception):
    """A map, or a page, that is left to the SDK."""


def compiled_map(
    stream_map: StreamMap, definition: Definition, record: type[msgspec.Struct], *, alone: bool = True
) -> Rows:
    """Return the function that makes of a page's records, of that type, a row each; None for what is filtered out.

    `alone` tells that no other map gets the same records.
    It raises `NotCompiledError` where a page does not fit. What its rows raise is what the SDK raises for the record.

    Raises:
        NotCompiledError: if there is no such function.
    """
    try:
        function = _Function(stream_map, definition, record, alone=alone)
        make = function.compile()
    except UnusableNameError as error:
        raise NotCompiledError from error

    def rows(records: list[Any]) -> Iterable[Any]:
        try:
            made = make(records)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise NotCompiledError from error
        for parts in function.parts:
            if parts.undeclared is not None and function.flattener:
                made = counted(made, parts.undeclared, function.flattener)
        return made

    return rows


def _needs_column(place: Place) -> bool:
    """Whether something in an object is looked at for all records of a page at once."""
    if isinstance(place, Members):
        return any(map(_needs_column, place.places.values()))
    return isinstance(place, Column) and place.is_text and not is_text(place.declared)


class _Function:
    """Gathers what the function is made of."""

    def __init__(
        self, stream_map: StreamMap, definition: Definition, record: type[msgspec.Struct], *, alone: bool
    ) -> None:
        self._map = stream_map
        self._alone = alone
        self._definition = definition
        self._fields = {field.encode_name: field for field in msgspec.structs.fields(record)}
        flatten: Any = stream_map.flatten_record
        self.flattener = flatten if isinstance(flatten, Flattener) else None
        self.parts: list[Parts] = []
        #: The lines that make columns, each by what its values are called; the column is called so with an s.
        self._columns: dict[str, str] = {}
        #: What is in a row, by the name of its column: Python; or what makes a value fit, and the value.
        self._cells: dict[str, str | tuple[str, str | Expression]] = {}
        #: The fields that expressions may change in the record.
        self._changing: frozenset[str] = frozenset()
        self._objects: dict[str, Any] = {"UNSET": UNSET, **PARTS}

    def compile(self) -> Rows:
        names = {name: f"n{number}" for number, name in enumerate(self._fields)}
        compiler = Compiler(self._map, names) if isinstance(self._map, CustomStreamMap) else None
        sources = self._sources(compiler)
        rule = self._definition.get(MAPPER_FILTER_OPTION)
        filtering = self._expression(compiler, rule, None) if rule is not None else None
        # In the order in which the SDK evaluates them.
        expressions = [each for name in self._definition if isinstance(each := sources.get(name), Expression)]
        expressions = [filtering, *expressions] if filtering else expressions
        if any(each.names_record for each in expressions):
            self._columns["record"] = "loads(encode(rows))"
            if self._changing:
                raise NotCompiledError
        else:
            # What is only called otherwise stays as it is; an error names the key.
            named = {name for each in expressions if not each.field for name in each.fields}
            keys = set(self._map.raw_key_properties or ()) if expressions else set()
            for name in named | keys.intersection(self._fields):
                self._columns[names[name]] = f"decoded([{self._raw(name)} for r in rows])"
        for name, source in sources.items():
            place = self.flattener.place(name) if self.flattener else Column(name)
            field = source.field if isinstance(source, Expression) else source
            if field is not None and field not in self._changing:
                self._take(place, self._raw(field), "r", holds_text=self._is_text(field))
            elif isinstance(place, Column):
                value = source if isinstance(source, Expression) and not field else names[str(field)]
                self._cells[usable_name(place.name)] = ("fitted" if place.is_text else "written", value)
            else:
                raise NotCompiledError
        self._objects.update(compiler.objects if compiler else {})
        unchanged = not self.flattener and sources == {name: name for name in self._fields}
        return self._function(expressions, names, unchanged=unchanged)

    def _sources(self, compiler: Compiler | None) -> dict[str, str | Expression]:
        """What each field of a mapped record is: one of the record's, or an expression."""
        if not compiler:
            return {name: name for name in self._fields}
        keys = self._map.transformed_key_properties or []
        kept = keys if MAPPER_ELSE_OPTION in self._definition else self._fields
        sources: dict[str, str | Expression] = {name: name for name in kept if name in self._fields}
        for name, text in self._definition.items():
            if name in OPTIONS:
                continue
            if text is None or text == NULL_STRING:
                sources.pop(name, None)
            else:
                sources[name] = self._expression(compiler, text, name)
        if not any(isinstance(each, Expression) or self._fields[each].required for each in sources.values()):
            # Of a record that is empty then, the SDK writes nothing.
            raise NotCompiledError
        return sources

    def _expression(self, compiler: Compiler | None, text: str, name: str | None) -> Expression:
        found = compiler.compile(text, name) if compiler else None
        if not found or (found.may_change and not self._alone):
            raise NotCompiledError
        self._changing |= found.fields if found.may_change else frozenset()
        return found

    def _take(self, place: Place, value: str, above: str, *, holds_text: bool) -> None:
        """Make the columns of a value that goes on as it came: an attribute of what is called `above`."""
        each = f"{value} for {above} in {'rows' if above == 'r' else f'{above}s'}"
        if isinstance(place, Column):
            if place.is_text and not holds_text:
                # Arrays of a stream's own are the server's: addresses, lists of names.
                ours = above == "r" and types_of(place.declared) in ARRAYS
                texts = self._object(Texts(place.declared, made_by_server=ours))
                value = self._column("c", f"{texts}.read([{each}])")
            self._cells[usable_name(place.name)] = value
        elif isinstance(place, Members):
            if above == "r":
                self.parts.append(Parts(place))
                parts = self._column("t", f"{self._object(self.parts[-1])}.read([{each}])")
                made = parts
            else:
                nothing = self._object(part_of(place, strict=True)())
                if _needs_column(place):
                    parts = self._column("t", f"[{each.replace(' for', f' or {nothing} for', 1)}]")
                    made = parts
                else:
                    parts = f"a{len(self._objects)}"
                    made = f"({parts} := {value} or {nothing})"
            for number, member in enumerate(place.places.values()):
                if not isinstance(member, str):
                    known = isinstance(member, Column) and is_text(member.declared)
                    # Where it is named first, it is made.
                    self._take(member, f"{made}.f{number}", parts, holds_text=known)
                    made = parts
        else:
            raise NotCompiledError

    def _raw(self, name: str) -> str:
        return f"r.{self._fields[name].name}"

    def _is_text(self, name: str) -> bool:
        kind = self._fields[name].type
        return TEXTS.issuperset(get_args(kind) or (kind,))

    def _column(self, kind: str, line: str) -> str:
        name = f"{kind}{len(self._columns)}"
        self._columns[name] = line
        return name

    def _object(self, value: Any) -> str:
        name = f"p{len(self._objects)}"
        self._objects[name] = value
        return name

    def _function(self, expressions: list[Expression], names: Mapping[str, str], *, unchanged: bool) -> Rows:
        arguments = ", ".join(["r", *self._columns])
        row = "r" if unchanged else self._row({each: f"{each.python}" for each in expressions})
        lines = []
        if expressions:
            lines = [f"def row({arguments}):"]
            if all(each.python for each in expressions):
                quick = [f"if not {each.python}: return None" for each in expressions if each.property_name is None]
                quick += [f"if {self._raw(each.field)} is UNSET: raise KeyError" for each in expressions if each.field]
                quick.append(f"return {row}")
                lines += ["    try:", *(f"        {line}" for line in quick), "    except Exception: pass"]
            lines += [f"    {line}" for line in self._by_sdk(expressions, names, unchanged=unchanged)]
            row = f"row({arguments})"
        lines += ["def make(rows):", *(f"    {name}s = {line}" for name, line in self._columns.items())]
        columns = ", ".join(["rows", *(f"{name}s" for name in self._columns)])
        lines.append(f"    return ({row} for {arguments}, in zip({columns}))")
        exec(compile("\n".join(lines), "<stream map>", "exec"), self._objects)  # noqa: S102 - see the module's docstring
        make: Rows = self._objects["make"]
        return make

    def _by_sdk(self, expressions: list[Expression], names: Mapping[str, str], *, unchanged: bool) -> list[str]:
        """The lines that evaluate as the SDK does, on what is named."""
        lines = []
        if "record" not in self._columns:
            pairs = "".join(f"({name!r}, {value}), " for name, value in names.items() if value in self._columns)
            lines.append(f"record = {{name: value for name, value in ({pairs}) if value is not UNSET}}")
        evaluated = {}
        for number, each in enumerate(expressions):
            call = f"{self._object(self._evaluation(each))}(record)"
            if each.property_name is None:
                lines.append(f"if not {call}: return None")
            elif each.field:
                # Without it, this raises what is to be raised.
                lines.append(f"if {self._raw(each.field)} is UNSET: {call}")
            else:
                evaluated[each] = f"x{number}"
                lines.append(f"x{number} = {call}")
        return [*lines, f"return {'r' if unchanged else self._row(evaluated)}"]

    def _row(self, evaluated: Mapping[Expression, str]) -> str:
        """The Python of a row; `evaluated` is that of each expression's value."""
        if "Row" not in self._objects:
            fields = [(f"c{number}", Any) for number, _ in enumerate(self._cells)]
            renamed = {f"c{number}": name for number, name in enumerate(self._cells)}
            self._objects["Row"] = msgspec.defstruct("Row", fields, rename=renamed, gc=False)
        cells = []
        for cell in self._cells.values():
            if isinstance(cell, str):
                cells.append(cell)
            else:
                fit, value = cell
                cells.append(f"{fit}({value if isinstance(value, str) else evaluated[value]})")
        return f"Row({', '.join(cells)})"

    def _evaluation(self, expression: Expression) -> Callable[[Any], Any]:
        evaluate = self._map._eval  # type: ignore[attr-defined] # noqa: SLF001 - as `Mapper` has guarded it
        text, tree, name = expression.text, expression.tree, expression.property_name
        return lambda record: evaluate(text, tree, record, name)
