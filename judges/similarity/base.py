"""What both similarity scorers do: load once, on first use, and score in chunks that memory can hold."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from judgefleet.sample import Sample
from judgefleet.score import Outcome
from judgefleet.scorer import Need, ScorerInfo, ScorerKind
from judges.models import ModelFolder
from judges.similarity.model_files import find_again, model_config, text_pair

_CHUNK = 128


class Similarity(ABC):
    """Compares output and reference. A subclass has ``Options`` and answers ``load`` and ``compare``."""

    info: ScorerInfo
    _folder: ModelFolder
    _loaded: Any = None

    @abstractmethod
    def load(self, folder: ModelFolder) -> Any:
        """The model, ready to be used."""

    @abstractmethod
    def compare(self, loaded: Any, pairs: Sequence[tuple[str, str]]) -> Sequence[Mapping[str, Outcome]]:
        """One mapping of axis to outcome for each pair of output and reference."""

    def score(self, samples: Sequence[Sample]) -> list[Mapping[str, Outcome]]:
        """One mapping of axis to outcome for each sample, in order. Raises RunError when the model changed since."""
        if self._loaded is None and samples:
            self._loaded = self.load(find_again(self._folder))
        pairs = [text_pair(sample) for sample in samples]
        chunks = [pairs[i : i + _CHUNK] for i in range(0, len(pairs), _CHUNK)]
        return [outcomes for chunk in chunks for outcomes in self.compare(self._loaded, chunk)]

    def __getstate__(self) -> dict[str, Any]:
        # The model stays behind: another process loads its own.
        return self.__dict__ | {"_loaded": None}


def similarity_info(
    name: str, *, use: str, axes: tuple[str, ...], folder: ModelFolder, config: Mapping[str, Any]
) -> ScorerInfo:
    """What a similarity scorer states about itself; ``config`` must hold everything besides the model that counts."""
    return ScorerInfo(
        name=name,
        version="1",
        kind=ScorerKind.EMBEDDING,
        axes=axes,
        needs=frozenset({Need.OUTPUT, Need.REFERENCE}),
        config={"use": use, **model_config(folder), **config},
    )
