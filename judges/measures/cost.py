"""cost: what one response cost."""

from collections.abc import Mapping
from math import isfinite
from typing import Annotated, Any

from pydantic import BaseModel, Field

from judgefleet.score import Outcome
from judgefleet.trace import Trace
from judgefleet.traces.model_calls import COSTS
from judgefleet.traces.reject import UnreadableError
from judgefleet.traces.values import as_count, as_number, as_text
from judges.checks.base import quoted
from judges.measures.base import Measure, first_attribute, measure_info, measured, problem, unknown
from judges.measures.calls import Call, calls_of

_MILLION = 1_000_000

_Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Price(BaseModel, extra="forbid", frozen=True):
    """What a million tokens cost: ``input``, ``output``, and ``cached_input`` where cached tokens are cheaper."""

    input: _Money
    output: _Money
    cached_input: _Money | None = None


class Cost(Measure):
    """Money for one response: the cost that the trace records, else tokens times price, of all its model calls.

    Recorded is the trace's own cost, or the first of the attributes ``gen_ai.usage.cost``, ``llm.cost.total``,
    ``usage.cost`` and ``cost``; what is no number of at least 0 there is refused, never replaced. Else the price is
    looked up in ``prices`` by the model's name, exactly as the trace has it, the responding model first
    (``gen_ai.response.model``, ``gen_ai.request.model``, ``response.model``, ``request.model``, ``llm.model_name``,
    ``model``). Cached tokens (``gen_ai.usage.cache_read.input_tokens``,
    ``llm.token_count.prompt_details.cache_read``, ``usage.prompt_tokens_details.cached_tokens``) are part of the input
    tokens, as OpenTelemetry counts them, and cost ``cached_input``. Tokens written to a cache cost ``input``.

    Where a model was asked several times (``judgefleet.model_calls``, which the readers of spans make), each call is
    priced by its own model or has its own recorded cost, and the sum counts; a cost that the root records is that of
    all. Where one call has neither, nobody knows the sum, and it is not applicable. Embeddings are not counted.

    >>> from judgefleet.sample import Sample
    >>> from judgefleet.trace import Usage
    >>> usage = Usage(input_tokens=2000, output_tokens=500)
    >>> trace = Trace(trace_id="t", usage=usage, attributes={"gen_ai.request.model": "small"})
    >>> sample = Sample(trace=trace, stratum="all", inclusion_probability=1.0, plan_hash="p")
    >>> priced = Cost.Options(prices={"small": {"input": 0.5, "output": 2.0}})
    >>> Cost("cost", priced).score([sample])[0]["cost"].reason
    '0.002 USD for small: 2000 input tokens at 0.5 a million, 500 output tokens at 2 a million'
    >>> Cost("cost", Cost.Options()).score([sample])[0]["cost"].reason
    "no cost is recorded, and prices has no 'small'"
    """

    EXAMPLE = "prices: {small-model: {input: 0.15, output: 0.6}}"
    VALUE = "money in the currency of the options, at least 0"

    class Options(BaseModel, extra="forbid", frozen=True):
        """``prices`` gives, by model name, what a million tokens cost: ``input``, ``output``, and where cached
        ones are cheaper ``cached_input``. ``currency`` is that of the prices and of recorded costs;
        nothing is converted."""

        prices: dict[str, Price] = Field(default_factory=dict)
        currency: str = Field(default="USD", min_length=1, max_length=20)

    def __init__(self, name: str, options: Options) -> None:
        self.options = options
        self.info = measure_info(name, use="cost", axes=("cost",), config=options.model_dump(mode="json"))

    def measure(self, trace: Trace) -> Mapping[str, Outcome]:
        """The cost that is recorded for all of it, else that of its model calls together."""
        try:
            found = self._recorded(trace) or self._together(calls_of(trace))
        except UnreadableError as error:
            found = unknown(f"no cost is recorded, and {error}")
        return {"cost": found}

    def _recorded(self, trace: Trace) -> Outcome | None:
        if trace.cost is not None:
            wrong = problem("the recorded cost", trace.cost)
            return unknown(wrong) if wrong else measured(trace.cost, f"{self.options.currency}, as recorded")
        if (found := first_attribute(trace, COSTS)) is None:
            return None
        name, text = found
        amount = as_number(text)
        if amount is None:
            return unknown(f"{name} is {quoted(text)}; a number of at least 0 belongs there")
        return measured(amount, f"{self.options.currency}, as recorded in {name}")

    def _together(self, calls: list[Call]) -> Outcome:
        outcomes = [self._of_call(call) for call in calls]
        if len(outcomes) == 1:
            return outcomes[0]
        for number, outcome in enumerate(outcomes, start=1):
            if outcome.value is None:
                return unknown(f"model call {number} of {len(calls)}: {outcome.reason}")
        amount = sum(outcome.value or 0.0 for outcome in outcomes)
        if not isfinite(amount):
            return unknown(f"the costs of {len(calls)} model calls together are {amount}, and cannot be")
        each = "; ".join(outcome.reason or "" for outcome in outcomes)
        return measured(amount, f"{amount:.10g} {self.options.currency} of {len(calls)} model calls: {each}")

    def _of_call(self, call: Call) -> Outcome:
        if call.cost is None:
            return self._computed(call)
        name, told = call.cost
        amount = as_number(told)
        if amount is None:
            return unknown(f"{name} is {quoted(as_text(told))}; a number of at least 0 belongs there")
        return measured(amount, f"{amount:.10g} {self.options.currency} as recorded")

    def _computed(self, call: Call) -> Outcome:
        model = next((name for name in call.models if name in self.options.prices), None)
        if model is None:
            missing = f"prices has no {quoted(call.models[0])}" if call.models else "the trace names no model"
            return unknown(f"no cost is recorded, and {missing}")
        counts = {"input_tokens": call.input_tokens, "output_tokens": call.output_tokens}
        wrong = next((why for what, count in counts.items() if (why := problem(what, count))), None)
        if wrong:
            return unknown(f"no cost is recorded, and {wrong}")
        return self._priced(call, model, *(count or 0 for count in counts.values()))

    def _priced(self, call: Call, model: str, read: int, written: int) -> Outcome:
        price = self.options.prices[model]
        cached: Any = 0
        if call.cached:
            name, told = call.cached
            cached = as_count(told)
            if cached is None or cached > read:
                return unknown(f"{name} is {quoted(as_text(told))}; a part of the {read} input tokens belongs there")
        cached_price = price.input if price.cached_input is None else price.cached_input
        parts = [("input", read - cached, price.input), ("cached input", cached, cached_price)]
        parts.append(("output", written, price.output))
        amount = sum(count * each for _, count, each in parts) / _MILLION
        shown = ", ".join(
            f"{n} {what} tokens at {each:.10g} a million" for what, n, each in parts if n or what != "cached input"
        )
        return measured(amount, f"{amount:.10g} {self.options.currency} for {model}: {shown}")
