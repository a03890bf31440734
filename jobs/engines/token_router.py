"""Routing by prefix for Ray Serve: prompts that begin alike go to the replica that has that beginning in its cache.

Ray's own ``PrefixCacheAffinityRouter`` reads text. A prompt of token ids is an empty text to it, and it divides by its
length (ray 2.60.0): the request is never answered. It also sends everything that shares a tenth of its prefix to one
replica, however busy, and all prompts of a rubric share more than that.

Imports Ray, as the class is derived from Ray's: only Ray imports this module, by the name in ``deployment.py``.
"""

from collections.abc import Sequence
from typing import Any

from ray.serve._private.request_router.pow_2_router import PowerOfTwoChoicesRequestRouter
from ray.serve.request_router import LocalityMixin, MultiplexMixin, PendingRequest, RequestRouter, RunningReplica

from jobs.engines.prefixes import PrefixMemory


class TokenPrefixRouter(LocalityMixin, MultiplexMixin, RequestRouter):  # type: ignore[misc] # Ray has no types
    """Prefers the replica that was given the longest beginning of a prompt, unless it is much busier than another.

    Other requests go to the less busy of two replicas, Ray's default. What was given is remembered in this process,
    so there must be one ingress replica.
    """

    def initialize_state(self, block: int = 32, limit: int = 200_000, slack: int = 8) -> None:
        """Called by Ray with ``request_router_kwargs``; they are those of PrefixMemory."""
        self._memory: PrefixMemory[Any] = PrefixMemory(block, limit, slack)

    async def choose_replicas(
        self, candidate_replicas: list[RunningReplica], pending_request: PendingRequest | None = None
    ) -> list[list[RunningReplica]]:
        """Ranks of replicas, the first is tried first; Ray asks again when none takes the request."""
        spread: list[list[RunningReplica]] = await PowerOfTwoChoicesRequestRouter.choose_replicas(
            self, candidate_replicas, pending_request
        )
        tokens = token_ids(pending_request.args) if pending_request else ()
        if not tokens or not candidate_replicas:
            return spread
        by_id = {replica.replica_id: replica for replica in candidate_replicas}
        busy = {one: self.replica_queue_len_cache.get(one) or 0 for one in by_id}
        return [[by_id[self._memory.choose(tokens, busy)]], *spread]


def token_ids(arguments: Sequence[Any]) -> Sequence[int]:
    """The prompt of a request to ``/v1/completions`` if it is one list of token ids, else nothing."""
    for argument in arguments:
        prompt = getattr(argument, "prompt", None)
        if isinstance(prompt, list) and prompt and all(isinstance(token, int) for token in prompt):
            return prompt
    return ()
