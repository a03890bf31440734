import dataclasses

import pytest

from calibration.gate import GateDecision, GateState, decision_without_audit


def test_a_judge_without_an_audit_is_not_trusted_and_the_reason_says_so_in_words() -> None:
    decision = decision_without_audit("0a1b2c3d4e5f6071")
    assert decision.state is GateState.INSUFFICIENT
    assert decision.fingerprint == "0a1b2c3d4e5f6071"
    assert not decision.trusted
    assert decision.reason.startswith("no audit: nobody has compared this judge with people")
    assert decision.labels_needed is None


@pytest.mark.parametrize("state", GateState)
def test_only_an_open_gate_is_trusted(state: GateState) -> None:
    decision = GateDecision(state=state, fingerprint="f", reason="r", labels_needed=40)
    assert decision.trusted == (state.value == "OPEN")


def test_a_decision_cannot_be_changed_afterwards() -> None:
    decision = decision_without_audit("f")
    with pytest.raises(dataclasses.FrozenInstanceError):
        decision.state = GateState.OPEN  # type: ignore[misc]
