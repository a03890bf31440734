"""Pairs: which two answers are compared, and what they share."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from judgefleet.hashing import stable_hash
from judgefleet.sample import Sample, drawn_together
from judgefleet.scorer import Need


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """Two answers to one question, the variants in sorted order.

    ``of`` gives each the probability that both are drawn: a row about one of them is about the pair.
    """

    samples: tuple[Sample, Sample]

    @classmethod
    def of(cls, one: Sample, other: Sample) -> "Pair":
        """The pair of two samples."""
        joint = drawn_together(one, other)
        return cls(samples=(replace(one, inclusion_probability=joint), replace(other, inclusion_probability=joint)))

    @property
    def pair_id(self) -> str:
        """32 hex digits, the same whichever answer comes first."""
        return stable_hash(sorted(identity(sample) for sample in self.samples))

    @property
    def swapped(self) -> "Pair":
        """The other order."""
        return replace(self, samples=(self.samples[1], self.samples[0]))

    @property
    def shared(self) -> Sample:
        """A sample with the contexts of both: the same in both orders, whichever retrieved more."""
        first, second = self.samples
        if first.trace.contexts == second.trace.contexts:
            return first
        contexts = tuple(sorted({*first.trace.contexts, *second.trace.contexts}))
        return replace(first, trace=replace(first.trace, contexts=contexts))

    def mismatch(self, needs: Collection[Need]) -> str | None:
        """Why the two cannot be compared by what a rubric ``needs``, or None."""
        if len({sample.trace.question for sample in self.samples}) > 1:
            return "the two traces answer different questions"
        references = {sample.trace.reference for sample in self.samples}
        differ = Need.REFERENCE in needs and len(references) > 1
        return "the two traces have different references" if differ else None


def identity(sample: Sample) -> tuple[str, str]:
    """Trace and span id."""
    return sample.trace.trace_id, sample.trace.span_id


def match_pairs(
    samples: Sequence[Sample], variants: tuple[str, str], pair_by: str
) -> Iterator[Pair | tuple[Sample, str]]:
    """The pairs among ``samples``, and every sample without a partner with the reason why.

    Traces that share the attribute ``pair_by`` are paired across the variants in the order of their ids.
    """
    groups: defaultdict[str | None, list[Sample]] = defaultdict(list)
    for sample in samples:
        key = sample.trace.attributes.get(pair_by) if sample.trace.variant in variants else None
        groups[key].append(sample)
    for key, group in groups.items():
        if not key:
            yield from ((sample, _why_alone(sample, variants, pair_by)) for sample in group)
            continue
        ordered = sorted(group, key=identity)
        one, two = ([s for s in ordered if s.trace.variant == v] for v in sorted(variants))
        yield from (Pair.of(*pair) for pair in zip(one, two, strict=False))
        alone = f"no {'further ' if one and two else ''}sampled trace of the other variant with the same {pair_by!r}"
        yield from ((sample, alone) for sample in (*one[len(two) :], *two[len(one) :]))


def _why_alone(sample: Sample, variants: tuple[str, str], pair_by: str) -> str:
    if sample.trace.variant not in variants:
        return f"variant {sample.trace.variant!r} is none of {list(variants)}"
    return f"the trace has no attribute {pair_by!r} to pair by"
