"""What a judge was told, in the form that people who label read."""

import json
import re

_HEADING = re.compile(r"[a-z][a-z0-9 ]*: ")


def guide_of(config: str | None, axis: str) -> tuple[str | None, str | None]:
    """From a judge's configuration, the question about ``axis``, and the rubric with the anchors of that axis alone.

    >>> text = "You grade.\\nclarity: Clear?\\n  1: No.\\ntone: Kind?\\n  5: Yes."
    >>> guide_of(json.dumps({"rubric_text": text}), "tone")
    ('Kind?', 'You grade.\\n  5: Yes.')
    """
    text = json.loads(config or "{}").get("rubric_text") or ""
    title, question = f"{axis.replace('_', ' ')}: ", None
    kept: list[str] = []
    mine = True
    for line in text.split("\n"):
        if kept and _HEADING.match(line):
            mine = line.startswith(title)
            question = line[len(title) :] if mine else question
        elif mine:
            kept.append(line)
    return question, "\n".join(kept) or None
