"""Fenced blocks of code in Markdown, as CommonMark has them (spec 0.31, section 4.5)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_OPENING = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^\n]*)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A block: the first word after the opening fence, lower case, and the lines between the fences."""

    language: str
    code: str


def fenced_blocks(text: str) -> list[Block]:
    """Every fenced block, in order; one that is never closed ends with the text.

    >>> fenced_blocks("Try this:\\n```Python\\nprint(1)\\n```\\nor this")
    [Block(language='python', code='print(1)')]
    """
    return list(_blocks(text.replace("\r\n", "\n").split("\n")))


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    fence, language, inside = "", "", list[str]()
    for line in lines:
        if fence and _closes(line, fence):
            yield Block(language=language, code="\n".join(inside))
            fence = ""
        elif fence:
            inside.append(line)
        elif (found := _OPENING.fullmatch(line)) and not (found[1][0] == "`" and "`" in found[2]):
            fence, language, inside = found[1], (found[2].lower().split() or [""])[0], []
    if fence:
        yield Block(language=language, code="\n".join(inside))


def _closes(line: str, fence: str) -> bool:
    mark = line.strip(" \t")
    return len(mark) >= len(fence) and not mark.strip(fence[0]) and len(line) - len(line.lstrip(" ")) <= 3
