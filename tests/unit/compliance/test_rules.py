# SPDX-License-Identifier: Apache-2.0
"""The table of rules: one order, one question a row, and every rule that says no where all are asked for."""

from itertools import combinations

import pytest

from stoken.compliance.moves import Move, Verdict
from stoken.compliance.rules import RULES
from stoken.compliance.verdict import explain, first_refusal, mark_of, marked_verdict, transfer_verdict
from stoken.domain import facts
from stoken.domain.chain_state import ChainState
from stoken.domain.facts import Fact
from stoken.domain.refusals import Refusal
from tests.requirements import requirement
from tests.unit.compliance.test_verdict import (
    FAR,
    ISSUER,
    KOREA,
    MANAGER,
    NOW,
    RECEIVER,
    RECEIVER_ID,
    SENDER,
    SENDER_ID,
    STRANGER,
    TOKEN,
    attested,
    bound,
    rules,
    state,
)
from tests.unit.compliance.test_verdict import (
    RULES as COMPLIANCE,
)

BLACKOUT, APPROVAL, OTHER = b"\x01" * 20, b"\x02" * 20, b"ZZZZ0000000000002762"
_BLACKOUT_CODE = bytes.fromhex("7251ee8b2fd0ea7edaea1f8d971b8e4441439071836497327b29b04f0c73bf57")
_APPROVAL_CODE = bytes.fromhex("cf4a099d87648c2d96dfec0beb6f2d2d058d9f09b2f5ebf49341e364a0b51e0f")

#: By rule: what makes it say no, alone. Rule sets are put together, since a token has one.
MAKING: dict[str, list[Fact]] = {
    "pause": [facts.Paused(TOKEN, paused=True)],
    "termination": [facts.Terminated(TOKEN)],
    "suspension": [facts.NetworkSuspended(suspended=True)],
    "sender_restriction": [
        bound(SENDER, SENDER_ID),
        facts.InstitutionRestricted(MANAGER, TOKEN, restricted=True),
    ],
    "receiver_restriction": [facts.InstitutionRestricted(OTHER, TOKEN, restricted=True)],
    "sender_hold": [facts.AddressFrozen(TOKEN, SENDER, frozen=True)],
    "receiver_hold": [facts.AccountHeld(RECEIVER, 2)],
    "sender_identity": [facts.ClaimRevoked(SENDER_ID, ISSUER, for_cause=True)],
    "receiver_identity": [attested(RECEIVER_ID, until=NOW - 1)],
    "lockup": [facts.EncumbranceSet(b"e" * 32, TOKEN, SENDER, 1, 95, FAR)],
    "pledge": [facts.EncumbranceSet(b"f" * 32, TOKEN, SENDER, 2, 95, FAR)],
    "restriction": [facts.EncumbranceSet(b"g" * 32, TOKEN, SENDER, 5, 95, FAR)],
    "freeze": [facts.UnitsFrozen(TOKEN, SENDER, 95)],
}
PARAMETERS: dict[str, dict[str, object]] = {
    "lot": {"lot": 3},
    "country": {"countries": KOREA},
    "class": {"classes": 1 << 2},
    "cap": {"cap_units": 9},
    "holders": {"holder_limit": 1},
    "window": {"window_units": 9, "window_seconds": 60},
    "off_venue": {"off_venue_barred": True},
}
#: Needs no fact: the sender has fewer units.
UNITS = {"balance": 101}
ORDER = [rule.id for rule in RULES]


def made(wanted: tuple[str, ...]) -> tuple[ChainState, int]:
    """A state in which exactly these rules say no, and the units of the move."""
    parameters: dict[str, object] = {}
    more: list[Fact] = [facts.AccountBound(RECEIVER, OTHER, RECEIVER_ID, 410, 1, 1)]
    for name in wanted:
        more += MAKING.get(name, [])
        parameters |= PARAMETERS.get(name, {})
    if parameters:
        more.append(rules(1, **parameters))
    if "modules" in wanted:
        if not parameters:
            more.append(rules(1))
        more.append(facts.ModuleAdded(COMPLIANCE, 1, BLACKOUT, 0, _BLACKOUT_CODE))
        more.append(facts.BlackoutSet(BLACKOUT, COMPLIANCE, RECEIVER_ID, 2, FAR))
    return state(*more), 101 if "balance" in wanted else 10


def move(chain: ChainState, units: int = 10, receiver: bytes = RECEIVER) -> Move:
    return Move(chain, TOKEN, SENDER, receiver, units, chain.block_number, chain.block_time)


def failing(chain: ChainState, units: int = 10) -> list[str]:
    return [each.rule.id for each in explain(move(chain, units))]


class TestRules:
    def test_every_row_is_made_to_say_no_below(self) -> None:
        assert {*MAKING, *PARAMETERS, *UNITS, "modules"} == set(ORDER)
        assert len(ORDER) == len(set(ORDER))

    @pytest.mark.parametrize("name", ORDER)
    def test_a_row_refuses_with_what_it_declares(self, name: str) -> None:
        chain, units = made((name,))
        (found,) = explain(move(chain, units))
        assert found.rule.id == name
        assert found.verdict.refusal in found.rule.refusals
        assert found.verdict == first_refusal(move(chain, units))


class TestExplain:
    def test_a_move_that_passes_meets_no_rule(self) -> None:
        assert failing(state()) == []

    @pytest.mark.parametrize(("first", "second"), list(combinations(ORDER, 2)))
    def test_two_failing_rules_are_told_in_the_order_of_the_contracts(self, first: str, second: str) -> None:
        chain, units = made((second, first))
        found = failing(chain, units)
        assert found == [first, second]
        verdict = transfer_verdict(chain, TOKEN, SENDER, RECEIVER, units, chain.block_number, chain.block_time)
        assert verdict == next(explain(move(chain, units))).verdict

    @requirement("TRF-02")
    def test_all_of_them_at_once(self) -> None:
        chain, units = made(tuple(ORDER))
        assert failing(chain, units) == ORDER

    def test_each_module_is_told_apart(self) -> None:
        chain = state(
            rules(1),
            facts.ModuleAdded(COMPLIANCE, 1, APPROVAL, 0, _APPROVAL_CODE),
            facts.ModuleAdded(COMPLIANCE, 1, BLACKOUT, 0, _BLACKOUT_CODE),
            facts.BlackoutSet(BLACKOUT, COMPLIANCE, SENDER_ID, 1, FAR),
        )
        found = [each.verdict for each in explain(move(chain))]
        assert found == [(Refusal.INSIDER_BLACKOUT, (SENDER_ID, FAR)), (Refusal.DUAL_CONTROL_REQUIRED, ())]

    def test_rules_do_not_bind_two_accounts_of_one_person(self) -> None:
        chain, _ = made(("lot", "cap", "off_venue", "freeze"))
        chain.apply_block(2, b"h" * 32, NOW, [bound(STRANGER, SENDER_ID)])
        assert [each.rule.id for each in explain(move(chain, receiver=STRANGER))] == ["freeze"]

    def test_an_account_that_nobody_registered_meets_no_question_about_its_profile(self) -> None:
        chain, _ = made(("country", "class"))
        found = [each.rule.id for each in explain(move(chain, receiver=b"?" * 20))]
        assert found == ["receiver_identity"]


class TestMarkedVerdict:
    MARK = facts.EncumbranceSet(b"m" * 32, TOKEN, SENDER, 3, 60, 0, STRANGER)

    def verdict(self, chain: ChainState, mark: bytes = b"m" * 32) -> Verdict | None:
        return marked_verdict(chain, mark, RECEIVER, chain.block_number, chain.block_time)

    def test_consent_opens_the_mark_and_nothing_else(self) -> None:
        chain = state(self.MARK)
        assert transfer_verdict(chain, TOKEN, SENDER, RECEIVER, 60, 1, NOW) == (
            Refusal.SECURITIES_RESTRICTED,
            (SENDER, 40, 60),
        )
        assert self.verdict(chain) is None
        also = facts.EncumbranceSet(b"n" * 32, TOKEN, SENDER, 4, 41, FAR)
        assert self.verdict(state(self.MARK, also)) == (Refusal.SECURITIES_RESTRICTED, (SENDER, 59, 60))

    def test_a_bar_of_sales_off_the_venue_holds_for_it_too(self) -> None:
        chain = state(self.MARK, rules(1, off_venue_barred=True))
        assert self.verdict(chain) == (Refusal.OFF_VENUE_SALE_BARRED, ())

    def test_only_a_trust_mark_is_opened(self) -> None:
        chain = state(facts.EncumbranceSet(b"n" * 32, TOKEN, SENDER, 4, 41, FAR))
        assert mark_of(chain, b"n" * 32) is None
        for id_ in (b"n" * 32, b"?" * 32):
            with pytest.raises(KeyError):
                self.verdict(chain, id_)
