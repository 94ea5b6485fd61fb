# SPDX-License-Identifier: Apache-2.0
"""The chain's state, folded from facts."""

import random

import pytest

from stoken.domain import facts
from stoken.domain.chain_state import ChainState
from stoken.domain.facts import Fact

TOKEN, OTHER, RULES = b"T" * 20, b"U" * 20, b"R" * 20
ONE, TWO, MEMBER = b"1" * 20, b"2" * 20, b"ZZZZ0000000000001665"

CASH = b"C" * 20
HELD = facts.TradeHeld(MEMBER, 7, TOKEN, OTHER, ONE, TWO, b"D" * 20, CASH, 1, 2, 4, 50, 99)


def folded(*found: Fact) -> ChainState:
    state = ChainState()
    state.apply_block(1, b"h" * 32, 1_000, found)
    return state


def bound(account: bytes, identity: bytes) -> Fact:
    return facts.AccountBound(account, MEMBER, identity, 410, 1, 1)


class TestSecurities:
    def test_balances_supply_and_holders_follow_the_transfers(self) -> None:
        state = folded(
            bound(ONE, b"a" * 20),
            bound(TWO, b"b" * 20),
            facts.QuantityRegistered(TOKEN, 500),
            facts.Transferred(TOKEN, bytes(20), ONE, 100),
            facts.Transferred(TOKEN, ONE, TWO, 40),
            facts.Transferred(TOKEN, TWO, bytes(20), 40),
        )
        token = state.tokens[TOKEN]
        assert (token.minted, token.burned, token.supply, token.registered) == (100, 40, 60, 500)
        assert (token.held_by(ONE).balance, token.held_by(TWO).balance) == (60, 0)
        assert (token.identities, token.holders) == ({b"a" * 20: 60}, 1)

    def test_units_of_accounts_without_identity_count_for_nobody(self) -> None:
        token = folded(facts.Transferred(TOKEN, bytes(20), ONE, 100)).tokens[TOKEN]
        assert (token.identities, token.holders) == ({}, 0)

    def test_an_encumbrance_is_released_by_its_id(self) -> None:
        state = folded(facts.EncumbranceSet(b"e" * 32, TOKEN, ONE, 1, 30, 99))
        assert state.tokens[TOKEN].held_by(ONE).lockup == 30
        state.apply_block(2, b"i" * 32, 1_001, [facts.EncumbranceReleased(b"e" * 32)])
        assert state.tokens[TOKEN].held_by(ONE).lockup == 0
        assert not state.encumbrances

    def test_encumbrances_go_with_a_recovered_account_and_no_other(self) -> None:
        state = folded(
            facts.EncumbranceSet(b"e" * 32, TOKEN, ONE, 1, 30, 99),
            facts.EncumbranceSet(b"f" * 32, OTHER, ONE, 2, 20, 99),
            facts.EncumbrancesMoved(TOKEN, ONE, TWO),
        )
        assert (state.tokens[TOKEN].held_by(ONE).lockup, state.tokens[TOKEN].held_by(TWO).lockup) == (0, 30)
        assert state.tokens[OTHER].held_by(ONE).pledged == 20
        state.apply_block(2, b"i" * 32, 1_001, [facts.EncumbranceReleased(b"e" * 32)])
        assert state.tokens[TOKEN].held_by(TWO).lockup == 0

    def test_a_mark_goes_with_the_units_it_is_on(self) -> None:
        state = folded(
            facts.EncumbranceSet(b"e" * 32, TOKEN, ONE, 3, 30, 0, OTHER, b"d" * 32),
            facts.EncumbranceCarried(b"e" * 32, ONE, TWO),
        )
        token = state.tokens[TOKEN]
        assert (token.held_by(ONE).restricted, token.held_by(TWO).restricted) == (0, 30)
        state.apply_block(2, b"i" * 32, 1_001, [facts.EncumbranceReleased(b"e" * 32)])
        assert token.held_by(TWO).restricted == 0

    def test_a_conversion_changes_an_encumbrance_where_it_is(self) -> None:
        state = folded(
            facts.EncumbranceSet(b"e" * 32, TOKEN, ONE, 2, 30, 0),
            facts.EncumbrancesMoved(TOKEN, ONE, TWO),
            facts.EncumbranceRescaled(b"e" * 32, 3),
        )
        assert (state.tokens[TOKEN].held_by(ONE).pledged, state.tokens[TOKEN].held_by(TWO).pledged) == (0, 3)
        assert state.encumbrances[b"e" * 32].units == 3

    def test_a_hold_takes_units_and_cash_until_it_ends(self) -> None:
        opened = facts.CashAccountOpened(CASH, MEMBER, 1)
        state = folded(opened, facts.CashMoved(OTHER, bytes(20), CASH, 900), HELD)
        assert (state.tokens[TOKEN].held_by(ONE).held, state.cash_accounts[CASH].held) == (4, 200)
        state.apply_block(2, b"i" * 32, 1_001, [facts.HoldReleased(MEMBER, 7)])
        assert (state.tokens[TOKEN].held_by(ONE).held, state.cash_accounts[CASH].held) == (0, 0)
        state.apply_block(3, b"j" * 32, 1_002, [HELD, facts.EncumbrancesMoved(TOKEN, ONE, TWO)])
        assert (state.tokens[TOKEN].held_by(ONE).held, state.tokens[TOKEN].held_by(TWO).held) == (0, 4)
        state.apply_block(4, b"k" * 32, 1_003, [facts.TradeSettled(MEMBER, 7, TOKEN, TWO, ONE, 4, 50, 1, 2)])
        assert state.tokens[TOKEN].held_by(TWO).held == 0
        assert not state.trade_holds

    def test_a_hold_is_part_of_the_digest(self) -> None:
        found = folded(HELD)
        del found.trade_holds[MEMBER, 7]
        assert found.digest() != folded(HELD).digest()

    def test_a_hold_of_another_cash_is_followed_in_units_alone(self) -> None:
        assert folded(HELD).tokens[TOKEN].held_by(ONE).held == 4

    def test_a_failed_members_cash_accounts_change_hands_and_nets_pass_through_nobody(self) -> None:
        state = folded(
            facts.CashAccountOpened(CASH, MEMBER, 1),
            facts.CashMoved(OTHER, bytes(20), CASH, 900),
            facts.CashMoved(OTHER, CASH, b"S" * 20, 300),
            facts.CustomerCashMoved(MEMBER, MEMBER[::-1], (CASH,)),
        )
        assert (state.cash_accounts[CASH].member, state.cash_accounts[CASH].balance) == (MEMBER[::-1], 600)

    def test_rules_that_are_announced_before_the_issue_is_known_are_kept(self) -> None:
        announced = facts.RuleSetAnnounced(RULES, 1, 1, 0, 0, 0, 0, 7, countries_allowed=False, countries=bytes(128))
        state = folded(announced, facts.IssueCreated(TOKEN, "ZZBUSANPL019", RULES))
        assert state.tokens[TOKEN].rules_at(1).lot == 7

    def test_what_nobody_touched_is_empty(self) -> None:
        state = folded()
        assert state.token(TOKEN).paused
        assert state.token(TOKEN).held_by(ONE).available == 0


class TestTopics:
    def test_a_topic_beyond_the_bits_of_an_attestation_leaves_nobody_verified(self) -> None:
        attested = facts.ClaimAttested(b"a" * 20, b"I" * 20, 2, 2**40 - 1)
        required = [facts.TopicAdded(1), facts.TopicAdded(2**62), facts.IssuerTrusted(b"I" * 20, (1, 2**62))]
        state = folded(bound(ONE, b"a" * 20), *required, attested)
        assert state.verified_until(b"a" * 20, 0) == 0
        assert state.digest() != folded(bound(ONE, b"a" * 20), required[0], attested).digest()
        state.apply_block(2, b"i" * 32, 1_001, [facts.TopicRemoved(2**62)])
        assert state.verified_until(b"a" * 20, 0) == 2**40 - 1


class TestKeys:
    def test_a_key_signs_within_scope_and_validity_while_active(self) -> None:
        state = folded(facts.KeyAdded(ONE, MEMBER, 2, 1_000, 1_000))
        assert state.key_may(ONE, MEMBER, 2)
        assert not state.key_may(ONE, b"ZZZZ0000000000001762", 2)
        assert not state.key_may(ONE, MEMBER, 8)
        assert not state.key_may(TWO, MEMBER, 2)
        state.apply_block(2, b"i" * 32, 1_001, [])
        assert not state.key_may(ONE, MEMBER, 2)


class TestDigest:
    FACTS: tuple[Fact, ...] = (
        bound(ONE, b"a" * 20),
        bound(TWO, b"b" * 20),
        facts.ClaimAttested(b"a" * 20, TWO, 2, 99),
        facts.MemberAdmitted(MEMBER, 16),
        facts.CashAccountOpened(ONE, MEMBER, 1),
        facts.OrderCanceled(MEMBER, 3),
        facts.Paused(TOKEN, paused=False),
        facts.Paused(OTHER, paused=False),
        facts.Terminated(OTHER),
        facts.IssuerTrusted(TWO, (1, 2)),
        facts.TopicAdded(1),
    )

    def test_it_does_not_depend_on_the_order_of_building(self) -> None:
        shuffled = list(self.FACTS)
        random.Random(1).shuffle(shuffled)  # noqa: S311 - no secret
        assert folded(*self.FACTS).digest() == folded(*shuffled).digest()

    @pytest.mark.parametrize("place", range(len(FACTS)))
    def test_it_depends_on_every_fact(self, place: int) -> None:
        without = self.FACTS[:place] + self.FACTS[place + 1 :]
        assert folded(*self.FACTS).digest() != folded(*without).digest()

    def test_it_holds_the_whole_bitmap_of_countries(self) -> None:
        digests = set()
        for country in (0, 410, 1_023):
            bitmap = b"".join((1 << country >> 256 * word & 2**256 - 1).to_bytes(32) for word in range(4))
            announced = facts.RuleSetAnnounced(RULES, 1, 1, 0, 0, 0, 0, 0, countries_allowed=False, countries=bitmap)
            state = folded(announced)
            assert [code for code in range(1_024) if state.rule_sets[RULES][0].bars(code)] == [country]
            digests.add(state.digest())
        assert len(digests) == 3

    def test_facts_that_do_not_concern_the_state_change_nothing(self) -> None:
        assert folded(facts.TradeFailed(MEMBER, 1, b"")).digest() == folded().digest()


class TestBlocks:
    def test_they_only_go_forward(self) -> None:
        with pytest.raises(ValueError, match="block 1 follows block 1"):
            folded().apply_block(1, b"h" * 32, 1_000, [])
