"""Fenced blocks of code in Markdown, as CommonMark has them (spec 0.31, section 4.5), also in lists and block quotes.

More lenient than the specification within a list: a fence may be indented further than the item allows, and the lines
of a block less than the item demands; they are taken as they are where the first is not indented.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*([^\n]*)")
_QUOTE = re.compile(r"[ \t]*> ?")
_ITEM = re.compile(r"([-+*]|\d{1,9}[.)])(?: {1,4}(?=[^ ])|[ \t]|$)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A block: the first word after the opening fence, lower case, and the lines between the fences.

    Each line is without the marks of the quote around the block, and without as much indent as the opening fence has.
    """

    language: str
    code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Open:
    """A block that is not closed yet: its fence, the column of that, the last one of a closing fence, ``>`` before."""

    fence: str
    language: str
    column: int
    last: int
    quotes: int
    in_list: bool
    lines: list[str] = field(default_factory=list)

    def block(self) -> Block:
        first = next((line for line in self.lines if line.strip()), "")
        columns = min(self.column, _indent(first)[0]) if self.in_list else self.column
        return Block(language=self.language, code="\n".join(_outdented(line, columns) for line in self.lines))


def fenced_blocks(text: str) -> list[Block]:
    """Every fenced block, in order; one that is never closed ends with the text.

    >>> fenced_blocks("Try this:\\n```Python\\nprint(1)\\n```\\nor this")
    [Block(language='python', code='print(1)')]
    >>> fenced_blocks("1. Try this:\\n   ```\\n   print(1)\\n   ```")
    [Block(language='', code='print(1)')]
    """
    return list(_blocks(text.replace("\r\n", "\n").split("\n")))


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    now, items, quotes = None, list[int](), 0
    for line in lines:
        depth, inner = _unquoted(line, now.quotes if now else len(line))
        if now and depth == now.quotes:
            if _closes(inner, now):
                yield now.block()
                now = None
            else:
                now.lines.append(inner)
            continue
        if now:
            yield now.block()
        items = items if depth == quotes else []
        quotes = depth
        now = _opened(inner, items, quotes)
    if now:
        yield now.block()


def _unquoted(line: str, most: int) -> tuple[int, str]:
    """How many quote marks the line begins with, at most ``most``, and what follows them."""
    depth, end = 0, 0
    while depth < most and (found := _QUOTE.match(line, end)):
        depth, end = depth + 1, found.end()
    return depth, line[end:]


def _opened(line: str, items: list[int], quotes: int) -> _Open | None:
    """The block that the line opens. ``items``: where the content of each list item around begins; kept up to date."""
    indent, text = _indent(line)
    at = 0
    while at < len(text):
        while items and items[-1] > indent:
            items.pop()
        around = items[-1] if items else 0
        if (found := _FENCE.fullmatch(text, at)) and not (found[1][0] == "`" and "`" in found[2]):
            return _begun(found[1], found[2], indent, around, quotes) if indent <= 3 or items else None
        item = _ITEM.match(text, at) if indent - around <= 3 else None
        if item is None:
            return None
        indent += max(item.end() - at, len(item[1]) + 1)
        at = item.end()
        items.append(indent)
    return None


def _begun(fence: str, info: str, column: int, around: int, quotes: int) -> _Open:
    language, last = (info.lower().split() or [""])[0], max(around + 3, column)
    return _Open(fence=fence, language=language, column=column, last=last, quotes=quotes, in_list=around > 0)


def _indent(line: str) -> tuple[int, str]:
    """The columns of white space before the text of a line, where a tab ends at a multiple of four, and the text."""
    text = line.lstrip(" \t")
    return len(line[: len(line) - len(text)].expandtabs(4)), text


def _outdented(line: str, columns: int) -> str:
    indent, text = _indent(line)
    return line if not columns else " " * (indent - columns) + text


def _closes(line: str, now: _Open) -> bool:
    indent, text = _indent(line)
    mark = text.rstrip(" \t")
    return len(mark) >= len(now.fence) and not mark.strip(now.fence[0]) and indent <= now.last
