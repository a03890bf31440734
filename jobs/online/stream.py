"""A stream: what one configuration follows, and where its log lies in the store."""

from __future__ import annotations

from dataclasses import dataclass

from jobs.intake import Intake
from jobs.online.clock import Clock
from jobs.online.config import OnlineConfig
from jobs.online.cut import Cutter
from jobs.online.feed import Feed
from jobs.online.groups import Groups
from jobs.online.joining import OpenObjects
from jobs.online.scored import Scored
from jobs.online.state import State
from jobs.online.versions import Versions
from jobs.prepare import Prepared
from judgefleet.errors import ConfigError
from judgefleet.sample import Sample
from judgefleet.scorer import ScorerInfo, ScorerKind
from judgefleet.storage import Location, open_location


def stream_root(config: OnlineConfig) -> Location:
    """The folder of the stream's log, named after it: a changed configuration of one name goes on with one log."""
    return open_location(config.store).child(f"_online/{config.name}")


@dataclass(frozen=True, kw_only=True)
class Stream:
    """``waits``: whether traces are judged together with others, and so wait for them."""

    config: OnlineConfig
    intake: Intake
    waits: bool
    infos: tuple[ScorerInfo, ...]

    @property
    def judges(self) -> tuple[tuple[str, str, str], ...]:
        """Scorer, axis and fingerprint of every judge."""
        judges = [info for info in self.infos if info.kind is ScorerKind.LLM]
        return tuple((info.name, axis, info.fingerprint) for info in judges for axis in info.axes)

    @classmethod
    def of(cls, config: OnlineConfig, prepared: Prepared) -> Stream:
        """The stream of a configuration that was checked. Raises ConfigError where its settings exclude each other."""
        if prepared.grouped and config.online.late == "supersede":
            raise ConfigError(
                "found online.late: supersede with a judge that compares pairs or reads whole conversations; its rows "
                "are about several traces, of which one is scored again only: take late: list, or judge traces alone"
            )
        return cls(
            config=config,
            intake=Intake(config=config, group_by=prepared.group_by),
            waits=prepared.grouped,
            infos=prepared.infos,
        )

    @property
    def store(self) -> Location:
        """Where the rows go."""
        return open_location(self.config.store)

    @property
    def root(self) -> Location:
        """Where the log is."""
        return stream_root(self.config)

    def group_of(self, sample: Sample) -> str:
        """Samples with one key are scored together."""
        return self.intake.group_key(sample.trace)

    def feed(self, state: State, clock: Clock) -> Feed:
        """What finds objects that ``state`` does not know."""
        return Feed(self.config, state.seen, clock.monotonic)

    def reading(self, state: State, clock: Clock) -> tuple[Feed, Cutter]:
        """What reads the input from where ``state`` says."""
        feed = self.feed(state, clock)
        groups = Groups(self.intake, self.config.online.group_seconds if self.waits else None)
        objects, scored = OpenObjects(state.opened), Scored(self.store)
        versions = Versions(self.root) if self.config.online.late == "supersede" else None
        return feed, Cutter(self.config, self.intake, feed, objects, scored, groups, versions)
