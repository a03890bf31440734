"""cost: what one response cost."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field

from judgefleet.score import Outcome
from judgefleet.trace import Trace
from judgefleet.traces.values import as_count, as_number
from judges.checks.base import quoted
from judges.measures.base import Measure, first_attribute, measure_info, measured, problem, unknown

COST_ATTRIBUTES = ("gen_ai.usage.cost", "llm.cost.total")
MODEL_ATTRIBUTES = ("gen_ai.response.model", "gen_ai.request.model", "llm.model_name", "model")
CACHED_ATTRIBUTES = ("gen_ai.usage.cache_read.input_tokens", "llm.token_count.prompt_details.cache_read")
_MILLION = 1_000_000

_Money = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Price(BaseModel, extra="forbid", frozen=True):
    """What a million tokens cost: ``input``, ``output``, and ``cached_input`` where cached tokens are cheaper."""

    input: _Money
    output: _Money
    cached_input: _Money | None = None


class Cost(Measure):
    """Money for one response: the cost that the trace records, else tokens times price.

    Recorded is the trace's own cost, or the first of the attributes ``gen_ai.usage.cost`` and ``llm.cost.total``. Else
    the price is looked up in ``prices`` by the model's name, exactly as the trace has it, the responding model first
    (``gen_ai.response.model``, ``gen_ai.request.model``, ``llm.model_name``, ``model``). Cached tokens
    (``gen_ai.usage.cache_read.input_tokens``, ``llm.token_count.prompt_details.cache_read``) are part of the input
    tokens, as OpenTelemetry counts them, and cost ``cached_input``.

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
        """The recorded cost, else the computed one."""
        found = self._recorded(trace)
        return {"cost": self._computed(trace) if found is None else found}

    def _recorded(self, trace: Trace) -> Outcome | None:
        if trace.cost is not None:
            wrong = problem("the recorded cost", trace.cost)
            return unknown(wrong) if wrong else measured(trace.cost, f"{self.options.currency}, as recorded")
        if (found := first_attribute(trace, COST_ATTRIBUTES)) is None:
            return None
        name, text = found
        amount = as_number(text)
        if amount is None:
            return unknown(f"{name} is {quoted(text)}; a number of at least 0 belongs there")
        return measured(amount, f"{self.options.currency}, as recorded in {name}")

    def _computed(self, trace: Trace) -> Outcome:
        named = [trace.attributes[name] for name in MODEL_ATTRIBUTES if trace.attributes.get(name)]
        model = next((name for name in named if name in self.options.prices), None)
        if model is None:
            missing = f"prices has no {quoted(named[0])}" if named else "the trace names no model"
            return unknown(f"no cost is recorded, and {missing}")
        counts = {"input_tokens": trace.usage.input_tokens, "output_tokens": trace.usage.output_tokens}
        wrong = next((why for what, count in counts.items() if (why := problem(what, count))), None)
        if wrong:
            return unknown(f"no cost is recorded, and {wrong}")
        return self._priced(trace, model, *(count or 0 for count in counts.values()))

    def _priced(self, trace: Trace, model: str, read: int, written: int) -> Outcome:
        price = self.options.prices[model]
        cached: Any = 0
        if found := first_attribute(trace, CACHED_ATTRIBUTES):
            cached = as_count(found[1])
            if cached is None or cached > read:
                return unknown(f"{found[0]} is {quoted(found[1])}; a part of the {read} input tokens belongs there")
        cached_price = price.input if price.cached_input is None else price.cached_input
        parts = [("input", read - cached, price.input), ("cached input", cached, cached_price)]
        parts.append(("output", written, price.output))
        amount = sum(count * each for _, count, each in parts) / _MILLION
        shown = ", ".join(
            f"{n} {what} tokens at {each:.10g} a million" for what, n, each in parts if n or what != "cached input"
        )
        return measured(amount, f"{amount:.10g} {self.options.currency} for {model}: {shown}")
