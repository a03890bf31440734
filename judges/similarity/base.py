"""What both similarity scorers do: load once, on first use, and answer for every sample."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from judgefleet.sample import Sample
from judgefleet.score import Outcome, Status, failure
from judgefleet.scorer import Need, ScorerInfo, ScorerKind
from judges.models import ModelFolder
from judges.similarity.model_files import find_again, model_config, storable

Pair = tuple[str, str]


class Similarity(ABC):
    """Compares output and reference. A subclass has ``Options`` and answers ``load`` and ``compare``."""

    VALUE = "how alike output and reference are, 1 for the same text and about 0 for unrelated ones"

    info: ScorerInfo
    _folder: ModelFolder
    _loaded: Any = None

    @abstractmethod
    def load(self, folder: ModelFolder) -> Any:
        """The model, ready to be used."""

    @abstractmethod
    def compare(self, loaded: Any, pairs: Sequence[Pair]) -> Sequence[Mapping[str, Outcome]]:
        """One mapping of axis to outcome for each pair of output and reference."""

    def score(self, samples: Sequence[Sample]) -> list[Mapping[str, Outcome]]:
        """One mapping of axis to outcome for each sample, in order; without an output or a reference not applicable.

        Raises RunError when the model changed since the scorer was made, or the wanted device is not there.
        """
        if not samples:
            return []
        if self._loaded is None:
            self._loaded = self.load(find_again(self._folder))
        pairs = [_pair(sample) for sample in samples]
        found = iter(self.compare(self._loaded, [pair for pair in pairs if not isinstance(pair, str)]))
        return [self._missing(pair) if isinstance(pair, str) else next(found) for pair in pairs]

    def _missing(self, part: str) -> Mapping[str, Outcome]:
        return dict.fromkeys(self.info.axes, failure(Status.NOT_APPLICABLE, f"the trace has no {part}"))

    def __getstate__(self) -> dict[str, Any]:
        # The model stays behind: another process loads its own.
        return self.__dict__ | {"_loaded": None}


def similarity_info(
    name: str,
    *,
    use: str,
    axes: tuple[str, ...],
    folder: ModelFolder,
    libraries: tuple[str, ...],
    config: Mapping[str, Any],
) -> ScorerInfo:
    """What a similarity scorer states about itself; ``config`` must hold everything besides the model that counts."""
    return ScorerInfo(
        name=name,
        version="2",
        kind=ScorerKind.EMBEDDING,
        axes=axes,
        needs=frozenset({Need.OUTPUT, Need.REFERENCE}),
        config={"use": use, **model_config(folder, libraries), **config},
    )


def _pair(sample: Sample) -> Pair | str:
    """Output and reference as a tokenizer takes them, or the name of the one that the trace does not have."""
    output, reference = sample.trace.output, sample.trace.reference
    if output is None or reference is None:
        return "output" if output is None else "reference"
    return storable(output), storable(reference)
