"""Tags: the short names by which a figure in the report points at the traces behind it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A figure's traces: the tag they carry, what the figure is in words, and how many traces or pairs it counts."""

    tag: str
    label: str
    total: int


@dataclass(slots=True)
class TagBook:
    """Gives every figure a tag (``t0``, ``t1``, ...), the same one for the same key, in whatever order they are asked.

    >>> book = TagBook()
    >>> book.tag("arm", 0, "A"), book.tag("arm", 0, "B"), book.tag("arm", 0, "A")
    ('t0', 't1', 't0')
    """

    targets: dict[str, Target] = field(default_factory=dict)
    _names: dict[tuple[Any, ...], str] = field(default_factory=dict)

    def tag(self, *key: Any) -> str:
        """The tag of the figure that ``key`` names."""
        return self._names.setdefault(key, f"t{len(self._names)}")

    def target(self, label: str, total: int, *key: Any) -> Target:
        """The figure's target, listed in the page's filters and index."""
        tag = self.tag(*key)
        return self.targets.setdefault(tag, Target(tag=tag, label=label, total=total))
