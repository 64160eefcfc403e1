"""Generates the lines of a derivation: where a value of traits or metadata is, and the function made of all lines.

Text of generated names and numbers alone: names of traits, ids and values are handed in as objects. Knows
compiled decoders and paths; nothing of what a user is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ory_reader.traits.decoder_types import Wanted
from ory_reader.traits.paths import EACH
from ory_reader.users import any_shape, factors, model
from ory_reader.users.mapping import is_well_known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ory_reader.traits.paths import Path
    from ory_reader.users.mapping import Source

#: What the lines of a function may call.
PARTS = (
    "Email",
    "NONE",
    "account_type",
    "aliases",
    "dig",
    "emails",
    "phones",
    "status_of",
    "text",
    "tidy",
)
FACTORS = ("second_factors", "sso_providers")
SHAPES = ("found", "found_numbers", "flagged", "plain", "says_yes")


#: The arguments of a derivation: the identity, then the decoded parts that sources may lie in.
TRAITS = "traits"
ROOTS = {TRAITS: "t", "metadata_public": "m", "metadata_admin": "n"}
#: Where no schema lets anything be.
NOWHERE = Wanted()


class Function:
    """Lines of a function, and the objects that they name. Traits are looked for where a schema says they are."""

    #: Whether a place holds a text and nothing else where its schema says so.
    is_strict = True

    def __init__(self, wanted: Wanted, roots: Mapping[str, str] = ROOTS) -> None:
        """`wanted` is what the decoders of the `roots` keep; those are the function's arguments by part."""
        self._wanted = wanted
        self._lines: list[str] = []
        self._names: dict[Path, tuple[str, Wanted]] = {}
        self.objects: dict[str, Any] = {name: getattr(model, name) for name in PARTS}
        self.objects.update({name: getattr(factors, name) for name in FACTORS})
        self.objects.update({name: getattr(any_shape, name) for name in SHAPES})
        for root, name in roots.items():
            place = wanted.members.get(root)
            if place and place.struct:
                struct = self.named("S", place.struct)
                self.line(f"if {name}.__class__ is not {struct}: {name} = {self.named('E', place.struct())}")
            if place:
                self._names[(root,)] = (name, place)

    def line(self, text: str) -> None:
        """Add a line."""
        self._lines.append(text)

    def branch(self, condition: str, then: Iterable[str], otherwise: Iterable[str]) -> None:
        """Add lines for both cases of a condition."""
        self._lines += [f"if {condition}:", *(f"    {line}" for line in then)]
        self._lines += ["else:", *(f"    {line}" for line in otherwise)]

    def named(self, kind: str, value: Any) -> str:
        """Hand in an object; return its name."""
        name = f"{kind}{len(self.objects)}"
        self.objects[name] = value
        return name

    def value(self, path: Path) -> str:
        """The name of the text (or None) at a path without EACH."""
        if path == ("external_id",):
            return "r.external_id"
        name, place = self.place(path)
        return name if place.is_text else f"text({name})" if place.has_text else "None"

    def flag(self, path: Path) -> str:
        """Whether what is at a path without EACH says yes."""
        name, place = self.place(path)
        return f"says_yes({name})" if place.has_text else f"{name} is True"

    def values(self, sources: Iterable[Source]) -> str:
        """A list of all texts at the sources, elements of arrays included."""
        return f"[{', '.join(self._listed(path) for path, _ in sources)}]"

    def first(self, *sources: Sequence[Source], otherwise: Sequence[str] = ("None",)) -> str:
        """The first text that is not empty."""
        parts = [self._first(path) for group in sources for path, _ in group]
        return " or ".join([*(part for part in parts if part != "None"), *otherwise])

    def compile(self, name: str) -> Any:
        """Return the function that all lines make."""
        source = f"def {name}(r, t, m, n, p, o):\n" + "".join(f"    {line}\n" for line in self._lines)
        exec(compile(source, f"<{name}>", "exec"), self.objects)  # noqa: S102 - see the module's docstring
        return self.objects[name]

    def place(self, path: Path) -> tuple[str, Wanted]:
        """The name of what is at a path without EACH, and what is known of it."""
        if path not in self._names:
            above, place = self.place(path[:-1])
            part = path[-1]
            name = f"v{len(self._names)}"
            if isinstance(part, int):
                expression = f"{above}[{part}] if {above}.__class__ is list and len({above}) > {part} else None"
                below = place.element
            elif part not in place.attributes:
                # The schema of a catalog says that nothing can be there.
                expression, below = "None", NOWHERE
            else:
                expression, below = f"{above}.{place.attributes[part]}", place.members[part]
                if len(path) > 2:  # noqa: PLR2004 - a root is always of its struct
                    expression += f" if {above}.__class__ is {self.named('S', place.struct)} else None"
            self.line(f"{name} = {expression}")
            self._names[path] = (name, below or NOWHERE)
        return self._names[path]

    def _listed(self, path: Path) -> str:
        return f"*{self._elements(path)}" if EACH in path else self.value(path)

    def _first(self, path: Path) -> str:
        return f"next(filter(None, {self._elements(path)}), None)" if EACH in path else self.value(path)

    def _elements(self, path: Path) -> str:
        at = path.index(EACH)
        name, place = self.place(path[:at])
        if len(path) == at + 1 and place.element and place.element.is_text:
            return f"({name} if {name}.__class__ is list else NONE)"
        chain, below = [], place.element
        for part in path[at + 1 :]:
            if below is None or part not in below.attributes:
                return "NONE"
            chain.append((below.struct, below.attributes[str(part)]))
            below = below.members[str(part)]
        return f"([dig(e, {self.named('C', chain)}) for e in {name}] if {name}.__class__ is list else NONE)"


class Anyhow(Function):
    """Likewise, but traits are looked at as they came, whatever shape they have."""

    is_strict = False

    def __init__(self, wanted: Wanted) -> None:
        """See `Function`; what is wanted of traits only says what is declared."""
        super().__init__(wanted, {root: name for root, name in ROOTS.items() if root != TRAITS})
        self.line("t = plain(r.traits)")

    def value(self, path: Path) -> str:
        """The first text at a path, or None."""
        return self._first(path) if path[0] == TRAITS else super().value(path)

    def flag(self, path: Path) -> str:
        """Whether anything at a path says yes."""
        return f"flagged(t, {self.named('P', path[1:])})"

    def _listed(self, path: Path) -> str:
        return f"*{self._found(path)}" if path[0] == TRAITS else super()._listed(path)

    def _first(self, path: Path) -> str:
        return f"next(iter({self._found(path)}), None)" if path[0] == TRAITS else super()._first(path)

    def _found(self, path: Path) -> str:
        """A well-known name may hold a text where a number is declared; of any other place the schema knows better."""
        place: Wanted | None = self._wanted
        for part in path:
            place = place and (place.members.get(part) if isinstance(part, str) else place.element)
        looks_for = "found_numbers" if place and place.is_number and not is_well_known(path) else "found"
        return f"{looks_for}(t, {self.named('P', path[1:])})"
