# SPDX-License-Identifier: Apache-2.0
"""Windows, sales off the venue and module contracts, as the mirror foretells them."""

import pytest

from stoken.chain import artifacts
from stoken.compliance.modules import CODES, ModuleKind
from stoken.compliance.verdict import Channel, Commitments, Verdict, buyer_verdict, seller_verdict, transfer_verdict
from stoken.domain import facts
from stoken.domain.chain_state import ChainState
from stoken.domain.facts import Fact
from stoken.domain.refusals import Refusal
from stoken.orders.state import declined_by
from tests.unit.compliance.test_verdict import (
    FAR,
    NOW,
    RECEIVER,
    RECEIVER_ID,
    RULES,
    SENDER,
    SENDER_ID,
    STRANGER,
    TOKEN,
    attested,
    bound,
    rules,
    state,
    verdict,
)

APPROVAL, BLACKOUT, OTHER = b"a" * 20, b"b" * 20, b"o" * 20
_HASHES = {kind: code for code, kind in CODES.items()}
_ID = b"#" * 32


def added(module: bytes, code_hash: bytes, version: int = 1) -> Fact:
    return facts.ModuleAdded(RULES, version, module, 0, code_hash)


def approved(until: int, units: int = 10) -> Fact:
    return facts.TransferApproved(APPROVAL, RULES, _ID, SENDER, RECEIVER, units, until)


def blacked_out(identity: bytes, sides: int, until: int) -> Fact:
    return facts.BlackoutSet(BLACKOUT, RULES, identity, sides, until)


WITH_APPROVAL = [rules(), added(APPROVAL, _HASHES[ModuleKind.APPROVAL])]
WITH_BLACKOUT = [rules(), added(BLACKOUT, _HASHES[ModuleKind.BLACKOUT])]
UNAPPROVED = Verdict(Refusal.DUAL_CONTROL_REQUIRED)
UNKNOWN = Verdict(Refusal.CODE_HASH_MISMATCH, (b"?" * 32,))


class TestWindow:
    RULE = rules(window_units=30, window_seconds=60)

    def received(self, units: int, *more: Fact) -> ChainState:
        return state(self.RULE, facts.Transferred(TOKEN, SENDER, RECEIVER, units), *more)

    def test_what_an_identity_received_counts_until_its_window_ends(self) -> None:
        chain = self.received(21)
        full = Verdict(Refusal.SUBSCRIPTION_LIMIT, (RECEIVER_ID, 31, 30))
        assert verdict(chain, 9) is None
        assert verdict(chain) == full
        assert transfer_verdict(chain, TOKEN, SENDER, RECEIVER, 10, 1, NOW + 59) == full
        assert transfer_verdict(chain, TOKEN, SENDER, RECEIVER, 10, 1, NOW + 60) is None
        assert verdict(chain, 0) is None

    def test_a_receipt_after_its_end_begins_the_next_window(self) -> None:
        chain = self.received(21)
        chain.apply_block(2, b"i" * 32, NOW + 60, [facts.Transferred(TOKEN, SENDER, RECEIVER, 25)])
        assert verdict(chain, 6) == (Refusal.SUBSCRIPTION_LIMIT, (RECEIVER_ID, 31, 30))
        assert verdict(chain, 5) is None

    def test_an_act_of_force_is_taken_out_again(self) -> None:
        chain = self.received(21, facts.UnitsRelocated(RULES, SENDER_ID, RECEIVER_ID, 21))
        assert verdict(chain, 30) is None
        twice = self.received(
            21, facts.Transferred(TOKEN, SENDER, RECEIVER, 5), facts.UnitsRelocated(RULES, SENDER_ID, RECEIVER_ID, 5)
        )
        assert verdict(twice, 9) is None
        assert verdict(twice, 10) == (Refusal.SUBSCRIPTION_LIMIT, (RECEIVER_ID, 31, 30))

    def test_only_the_last_transfer_is_taken_out(self) -> None:
        own = facts.Transferred(TOKEN, RECEIVER, RECEIVER, 3)
        chain = self.received(21, own, facts.UnitsRelocated(RULES, SENDER_ID, RECEIVER_ID, 3))
        assert verdict(chain) == (Refusal.SUBSCRIPTION_LIMIT, (RECEIVER_ID, 31, 30))
        other = self.received(21, facts.UnitsRelocated(RULES, SENDER_ID, SENDER_ID, 21))
        assert verdict(other) == (Refusal.SUBSCRIPTION_LIMIT, (RECEIVER_ID, 31, 30))
        assert verdict(self.received(21, facts.UnitsRelocated(OTHER, SENDER_ID, RECEIVER_ID, 21))) is not None

    def test_what_a_buyer_has_open_counts_too(self) -> None:
        assert buyer_verdict(self.received(21), TOKEN, RECEIVER, 5, Commitments(buying=5)) == (
            Refusal.SUBSCRIPTION_LIMIT,
            (RECEIVER_ID, 31, 30),
        )

    def test_nothing_is_counted_without_a_window(self) -> None:
        chain = state(facts.Transferred(TOKEN, SENDER, RECEIVER, 21), rules(window_units=30, window_seconds=60))
        assert verdict(chain, 30) is None


class TestOffVenue:
    def test_only_a_plain_change_of_owner_is_barred(self) -> None:
        chain = state(bound(STRANGER, SENDER_ID), rules(off_venue_barred=True))
        assert verdict(chain) == (Refusal.OFF_VENUE_SALE_BARRED, ())
        assert verdict(chain, 0) is None
        assert verdict(chain, receiver=STRANGER) is None
        for channel in (Channel.VENUE, Channel.INSTRUCTED):
            assert transfer_verdict(chain, TOKEN, SENDER, RECEIVER, 10, 1, NOW, channel) is None
        assert seller_verdict(chain, TOKEN, SENDER, 10) is None
        assert buyer_verdict(chain, TOKEN, RECEIVER, 10) is None


class TestRecount:
    def test_units_counted_anew_count_under_the_present_identity(self) -> None:
        moved = [facts.Transferred(TOKEN, SENDER, RECEIVER, 10), bound(RECEIVER, STRANGER), attested(STRANGER)]
        recounted = facts.AccountRecounted(RULES, RECEIVER, STRANGER)
        chain = state(*moved, recounted, rules(cap_units=15, holder_limit=2))
        assert verdict(chain) == (Refusal.HOLDING_LIMIT, (STRANGER, 20, 15))
        assert chain.tokens[TOKEN].identities == {SENDER_ID: 90, STRANGER: 10}
        assert state(facts.AccountRecounted(OTHER, RECEIVER, STRANGER)).digest() == state().digest()


class TestModules:
    @pytest.mark.parametrize("kind", list(ModuleKind))
    def test_a_module_is_known_by_the_code_of_its_artifact(self, kind: ModuleKind) -> None:
        artifact = artifacts.load(kind)
        assert CODES[artifact.runtime_hash] is kind
        assert not artifact.immutables

    def test_an_approval_allows_exactly_its_move_to_its_last_second_once(self) -> None:
        assert verdict(state(*WITH_APPROVAL)) == UNAPPROVED
        assert verdict(state(*WITH_APPROVAL, approved(NOW))) is None
        assert verdict(state(*WITH_APPROVAL, approved(NOW - 1))) == UNAPPROVED
        assert verdict(state(*WITH_APPROVAL, approved(FAR, 11))) == UNAPPROVED
        used = [approved(FAR), facts.ApprovalUsed(APPROVAL, _ID)]
        assert verdict(state(*WITH_APPROVAL, *used)) == UNAPPROVED
        again = state(*WITH_APPROVAL, *used, facts.ApprovalUsed(APPROVAL, _ID))
        assert again.digest() == state(*WITH_APPROVAL, *used).digest()
        assert verdict(state(*WITH_APPROVAL), 0) is None

    def test_the_book_takes_no_order_that_needs_an_approval(self) -> None:
        chain = state(*WITH_APPROVAL, approved(FAR))
        assert seller_verdict(chain, TOKEN, SENDER, 10) == UNAPPROVED
        assert buyer_verdict(chain, TOKEN, RECEIVER, 10) == UNAPPROVED

    @pytest.mark.parametrize(("identity", "side"), [(SENDER_ID, 1), (RECEIVER_ID, 2)])
    def test_an_insider_is_barred_from_its_side_to_the_last_second(self, identity: bytes, side: int) -> None:
        barred = Verdict(Refusal.INSIDER_BLACKOUT, (identity, NOW))
        chain = state(*WITH_BLACKOUT, blacked_out(identity, side, NOW))
        assert verdict(chain) == barred
        halves = [seller_verdict(chain, TOKEN, SENDER, 10), buyer_verdict(chain, TOKEN, RECEIVER, 10)]
        assert sorted(halves, key=str) == sorted([None, barred], key=str)
        assert verdict(state(*WITH_BLACKOUT, blacked_out(identity, side, NOW - 1))) is None
        assert verdict(state(*WITH_BLACKOUT, blacked_out(identity, 3 - side, NOW))) is None

    def test_of_a_module_of_unknown_code_nothing_is_foretold(self) -> None:
        chain = state(rules(), added(OTHER, b"?" * 32))
        assert verdict(chain) == UNKNOWN
        assert seller_verdict(chain, TOKEN, SENDER, 10) == UNKNOWN
        assert buyer_verdict(chain, TOKEN, RECEIVER, 10) == UNKNOWN
        assert declined_by(UNKNOWN).code is Refusal.CODE_HASH_MISMATCH

    def test_modules_answer_in_the_order_of_their_addresses(self) -> None:
        both = [*WITH_BLACKOUT, rules(2), added(APPROVAL, _HASHES[ModuleKind.APPROVAL], 2)]
        chain = state(*both, blacked_out(SENDER_ID, 1, FAR))
        assert chain.rule_sets[RULES][1].modules == (APPROVAL, BLACKOUT)
        assert verdict(chain) == UNAPPROVED
        assert verdict(state(*both, blacked_out(SENDER_ID, 1, FAR), approved(FAR))) == (
            Refusal.INSIDER_BLACKOUT,
            (SENDER_ID, FAR),
        )

    def test_a_version_says_which_modules_are_in_force(self) -> None:
        removed = facts.ModuleRemoved(RULES, 2, APPROVAL)
        chain = state(*WITH_APPROVAL, rules(2, 7), removed, rules(3, 9, lot=1))
        assert verdict(chain) == UNAPPROVED
        assert transfer_verdict(chain, TOKEN, SENDER, RECEIVER, 10, 7, NOW) is None
        assert transfer_verdict(chain, TOKEN, SENDER, RECEIVER, 10, 9, NOW) is None
