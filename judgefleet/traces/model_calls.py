"""What the model calls of a trace say of themselves, each for itself: models, tokens and what they cost.

See docs/decisions/spans-become-a-trace.md. One call's tokens are never priced as another's: what the root says of a
call, its own or the sum of all, does not stand beside what the answering span says.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from judgefleet.traces.span import CHAT_OPERATIONS, USAGE, Span
from judgefleet.traces.values import as_count, as_number, as_text, first_given

# The attribute of a trace: a list of calls in order of time, or how many there are where that is more than MOST_CALLS.
MODEL_CALLS = "judgefleet.model_calls"
MOST_CALLS = 1000
# What says it, whoever wrote it; the first that is given counts.
MODELS = ("gen_ai.response.model", "gen_ai.request.model", "response.model", "request.model", "llm.model_name", "model")
COSTS = (f"{USAGE}cost", "llm.cost.total", "usage.cost", "cost")
COUNTS = {
    "input_tokens": (f"{USAGE}input_tokens", f"{USAGE}prompt_tokens", "usage.input_tokens", "usage.prompt_tokens"),
    "output_tokens": (
        *(f"{USAGE}output_tokens", f"{USAGE}completion_tokens"),
        *("usage.output_tokens", "usage.completion_tokens"),
    ),
    "cached_tokens": (
        *(f"{USAGE}cache_read.input_tokens", f"{USAGE}cache_read_input_tokens"),
        "llm.token_count.prompt_details.cache_read",
        *(f"{USAGE}{kind}_tokens_details.cached_tokens" for kind in ("prompt", "input")),
        *(f"usage.{kind}_tokens_details.cached_tokens" for kind in ("prompt", "input")),
        "usage.cache_read_input_tokens",
    ),
}
_NAMES = frozenset((*MODELS, *COSTS))
_SAYING = (USAGE, "llm.token_count.", "llm.cost.", "llm.usage.")
# What belongs together: the tokens of one span never stand beside the cached ones of another.
_GROUPS = (("models",), tuple(COUNTS), ("cost",))
_LONGEST = 200

# Of ``models``, the tokens of COUNTS and ``cost`` what was said: numbers, or as text what is none.
Call: TypeAlias = dict[str, Any]
_Placed: TypeAlias = tuple[int, str, Call]
# Calls, and whether all of them are known.
_Told: TypeAlias = tuple[list[_Placed], bool]


def merged_attributes(spans: list[Span], root: Span, chat: Span) -> dict[str, Any]:
    """What the root and the answering span say; a cost is that of the whole trace, or stands in MODEL_CALLS.

    MODEL_CALLS is there where the answering span is not all that a model was asked, and a call says something.
    """
    found = dict(root.attributes)
    of_calls = set(filter(_says_of_a_call, found))
    if of_calls and any(value is not None and _says_of_a_call(name) for name, value in chat.attributes.items()):
        found = {name: value for name, value in found.items() if name not in of_calls}
    found |= chat.attributes
    above = [span for span in (root, chat) if not _is_call(span)]
    calls = _model_calls(spans, above)
    several = any(calls) and calls != [call_of(chat.attributes)]
    whole = next((span.attributes for span in above if "cost" in _whole(span)), {} if several else None)
    if whole is not None:
        found = {name: value for name, value in found.items() if name not in COSTS}
        found |= {name: whole[name] for name in COSTS if name in whole}
    return found | ({MODEL_CALLS: calls if len(calls) <= MOST_CALLS else len(calls)} if several else {})


def call_of(attributes: Mapping[str, Any]) -> Call:
    """What ``attributes`` say of one model call; what they do not say is left out.

    >>> call_of({"gen_ai.request.model": "small", "gen_ai.usage.input_tokens": "21", "llm.cost.total": "free"})
    {'models': ['small'], 'input_tokens': 21, 'cost': 'free'}
    """
    models = [as_text(model)[:_LONGEST] for name in MODELS if (model := attributes.get(name))]
    counts = {what: _said(as_count, first_given(attributes, names)) for what, names in COUNTS.items()}
    found = {"models": models or None, **counts, "cost": _said(as_number, first_given(attributes, COSTS))}
    return {what: value for what, value in found.items() if value is not None}


def _said(read: Any, value: Any) -> Any:
    number = read(value)
    return number if number is not None or value is None else as_text(value)[:_LONGEST]


def _says_of_a_call(name: str) -> bool:
    return name in _NAMES or name.startswith(_SAYING)


def _is_call(span: Span) -> bool:
    return span.operation in CHAT_OPERATIONS


def _whole(span: Span) -> Call:
    """What a span above the calls says of all of them; platforms write a cost of 0 there where they sum nothing up."""
    if not any(map(_says_of_a_call, span.attributes)):
        return {}
    found = call_of(span.attributes)
    return found if found.get("cost") else {what: value for what, value in found.items() if what != "cost"}


def _known(call: Call) -> bool:
    """Whether it can be added up: its cost is recorded, or what it read and wrote."""
    counted = all(isinstance(call.get(what), int) for what in ("input_tokens", "output_tokens"))
    return counted or isinstance(call.get("cost"), float)


def _model_calls(spans: list[Span], above: Iterable[Span]) -> list[Call]:
    """The calls in order of time; where one of them is not known, what a span above says of all, if it does."""
    calls = [call for *_, call in sorted(_innermost(spans), key=lambda placed: placed[:2])]
    if calls and all(map(_known, calls)):
        return calls
    return next(([whole] for span in above if _known(whole := _whole(span))), calls)


def _innermost(spans: list[Span]) -> list[_Placed]:
    """Each call once: of a framework's span around a provider's, which say the same, the one inside counts."""
    asked = list(filter(_is_call, spans))
    if len(asked) == 1:
        return _calls_in(asked[0], [], known=True)[0]  # as in most traces, at once
    above = _calls_above(spans)
    inside: dict[str | None, list[Span]] = defaultdict(list)
    for span in asked:
        inside[above[span.span_id]].append(span)
    order = list(inside[None])
    for span in order:  # which grows meanwhile
        order += inside[span.span_id]
    told: dict[str | None, _Told] = {}
    for span in reversed(order):
        calls, known = _calls_in(span, *told.pop(span.span_id, ([], True)))
        beside, all_known = told.get(above[span.span_id], ([], True))
        if beside:
            beside.extend(calls)
        told[above[span.span_id]] = beside or calls, all_known and known
    return told.get(None, ([], True))[0]


def _calls_in(span: Span, inner: list[_Placed], known: bool) -> _Told:
    """The calls within ``span``, or it alone where they say too little; an attempt that failed before it cost is none.

    Of one call in two spans, what the inner one leaves out is as the outer one says.
    """
    own = call_of(span.attributes)
    if len(inner) == 1:
        [(start, span_id, call)] = inner
        inner = [(start, span_id, _filled(call, own))]
        known = _known(inner[0][2])
    if inner and (known or not _known(own)):
        return inner, known
    if span.failed and own.keys() <= {"models"}:
        return [], True
    return [(span.start_ns or 0, span.span_id, own)], _known(own)


def _filled(inner: Call, outer: Call) -> Call:
    sources = [(inner if any(what in inner for what in group) else outer, group) for group in _GROUPS]
    return {what: said[what] for said, group in sources for what in group if what in said}


def _calls_above(spans: list[Span]) -> dict[str, str | None]:
    """By span id the model call around it; None where there is none, or a tool or an agent stands between."""
    by_id = {span.span_id: span for span in spans}
    found: dict[str, str | None] = {}
    for span in spans:
        path: dict[str, None] = {}
        here, around = span, None
        while here.span_id not in found and here.span_id not in path:
            path[here.span_id] = None
            parent = by_id.get(here.parent_id) if here.parent_id else None
            if parent is None or parent.operation is not None:
                around = parent.span_id if parent is not None and parent is not here and _is_call(parent) else None
                break
            here = parent
        else:
            around = found.get(here.span_id)
        found |= dict.fromkeys(path, around)
    return found
