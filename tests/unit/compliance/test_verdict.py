# SPDX-License-Identifier: Apache-2.0
"""The chain's verdict: its order, its refusals and their arguments."""

import pytest

from stoken.compliance.verdict import Commitments, Verdict, buyer_verdict, seller_verdict, transfer_verdict
from stoken.domain import facts
from stoken.domain.chain_state import ChainState
from stoken.domain.facts import Fact
from stoken.domain.refusals import REFUSALS, Refusal

TOKEN, RULES, ISSUER = b"T" * 20, b"R" * 20, b"K" * 20
SENDER, RECEIVER, STRANGER = b"s" * 20, b"r" * 20, b"x" * 20
SENDER_ID, RECEIVER_ID = b"S" * 20, b"I" * 20
MANAGER = b"ZZZZ0000000000001665"
NOW, FAR = 1_000, 2_000
KYC, AML = 1, 3
#: The bitmap of countries with the bit of 410 alone.
KOREA = (1 << (410 - 256)).to_bytes(64).ljust(128, b"\0")


def bound(account: bytes, identity: bytes, country: int = 410, investor_class: int = 1) -> Fact:
    return facts.AccountBound(account, MANAGER, identity, country, investor_class, 1)


def attested(identity: bytes, topics: int = 1 << KYC, until: int = FAR) -> Fact:
    return facts.ClaimAttested(identity, ISSUER, topics, until)


def rules(version: int = 1, effective_block: int = 1, **changed: object) -> Fact:
    off: dict[str, object] = {
        "cap_units": 0,
        "cap_bps": 0,
        "classes": 0,
        "holder_limit": 0,
        "lot": 0,
        "countries_allowed": False,
        "countries": bytes(128),
    }
    return facts.RuleSetAnnounced(RULES, version, effective_block, **(off | changed))  # type: ignore[arg-type]


OPENING: list[Fact] = [
    facts.IssueCreated(TOKEN, "ZZBUSANPL019", RULES),
    facts.Paused(TOKEN, paused=False),
    facts.TopicAdded(KYC),
    facts.IssuerTrusted(ISSUER, (KYC,)),
    bound(SENDER, SENDER_ID),
    bound(RECEIVER, RECEIVER_ID),
    attested(SENDER_ID),
    attested(RECEIVER_ID),
    facts.Transferred(TOKEN, bytes(20), SENDER, 100),
]


def state(*more: Fact, time: int = NOW) -> ChainState:
    found = ChainState()
    found.apply_block(1, b"h" * 32, time, [*OPENING, *more])
    return found


def verdict(chain: ChainState, units: int = 10, receiver: bytes = RECEIVER) -> Verdict | None:
    return transfer_verdict(chain, TOKEN, SENDER, receiver, units, chain.block_number, chain.block_time)


#: In the order of the checks, each with the facts that make it say no.
STEPS: list[tuple[Refusal, tuple[int | bytes, ...], list[Fact]]] = [
    (Refusal.TOKEN_PAUSED, (), [facts.Paused(TOKEN, paused=True)]),
    (Refusal.INSTRUMENT_TERMINATED, (), [facts.Terminated(TOKEN)]),
    (Refusal.EMERGENCY_SUSPENSION, (), [facts.NetworkSuspended(suspended=True)]),
    (
        Refusal.INSTITUTION_TRANSFER_RESTRICTED,
        (MANAGER,),
        [facts.InstitutionRestricted(MANAGER, bytes(20), restricted=True)],
    ),
    (Refusal.ACCOUNT_LEGAL_HOLD, (SENDER,), [facts.AddressFrozen(TOKEN, SENDER, frozen=True)]),
    (Refusal.ACCOUNT_LEGAL_HOLD, (RECEIVER,), [facts.AddressFrozen(TOKEN, RECEIVER, frozen=True)]),
    (Refusal.SENDER_NOT_VERIFIED, (SENDER,), [facts.ClaimRevoked(SENDER_ID, ISSUER, for_cause=True)]),
    (Refusal.INVESTOR_CLAIM_EXPIRED, (RECEIVER, NOW - 1), [attested(RECEIVER_ID, until=NOW - 1)]),
    (Refusal.LOT_INVALID, (10, 3), [rules(1, lot=3)]),
    (Refusal.JURISDICTION_BARRED, (RECEIVER, 410), [rules(1, countries=KOREA)]),
    (Refusal.INVESTOR_CLASS_NOT_ELIGIBLE, (RECEIVER, 1), [rules(1, classes=1 << 2)]),
    (Refusal.HOLDING_LIMIT, (RECEIVER_ID, 10, 9), [rules(1, cap_units=9)]),
    (Refusal.HOLDER_COUNT_LIMIT, (2, 1), [rules(1, holder_limit=1)]),
    (Refusal.LOCKUP_ACTIVE, (SENDER, 5, 10), [facts.EncumbranceSet(b"e" * 32, TOKEN, SENDER, 1, 95, FAR)]),
    (Refusal.SECURITIES_PLEDGED, (SENDER, 5, 10), [facts.EncumbranceSet(b"f" * 32, TOKEN, SENDER, 2, 95, FAR)]),
    (Refusal.SECURITIES_RESTRICTED, (SENDER, 5, 10), [facts.EncumbranceSet(b"g" * 32, TOKEN, SENDER, 5, 95, FAR)]),
    (Refusal.SECURITIES_FROZEN, (SENDER, 5, 10), [facts.UnitsFrozen(TOKEN, SENDER, 95)]),
]


class TestTransferVerdict:
    def test_a_plain_transfer_passes(self) -> None:
        assert verdict(state()) is None
        assert verdict(state(), 100) is None

    @pytest.mark.parametrize("step", STEPS, ids=[step[0] + str(i) for i, step in enumerate(STEPS)])
    def test_each_rule_refuses_with_its_arguments(
        self, step: tuple[Refusal, tuple[int | bytes, ...], list[Fact]]
    ) -> None:
        refusal, arguments, found = step
        assert verdict(state(*found)) == (refusal, arguments)
        declared = REFUSALS[refusal].arguments
        assert len(arguments) == len([part for part in (declared or "").split(",") if part])

    @pytest.mark.parametrize("later", range(1, len(STEPS)))
    def test_the_earlier_rule_is_named(self, later: int) -> None:
        first, second = STEPS[later - 1], STEPS[later]
        if isinstance(first[2][0], facts.RuleSetAnnounced) and isinstance(second[2][0], facts.RuleSetAnnounced):
            one, two = first[2][0], second[2][0]
            both = {
                name: getattr(two, name) or getattr(one, name)
                for name in ("cap_units", "cap_bps", "classes", "holder_limit", "lot")
            }
            countries = two.countries if any(two.countries) else one.countries
            found = verdict(state(rules(1, countries=countries, **both)))
        else:
            found = verdict(state(*first[2], *second[2]))
        assert found is not None
        if first[0] in (Refusal.LOCKUP_ACTIVE, Refusal.SECURITIES_PLEDGED, Refusal.SECURITIES_RESTRICTED):
            assert found == (first[0], first[1])
        assert found.refusal is first[0]

    def test_too_small_a_balance_is_named_before_any_encumbrance(self) -> None:
        locked = facts.EncumbranceSet(b"e" * 32, TOKEN, SENDER, 1, 100, FAR)
        assert verdict(state(locked), 101) == (Refusal.INSUFFICIENT_SECURITIES, (SENDER, 100, 101))

    def test_a_token_that_is_not_known_is_paused(self) -> None:
        assert transfer_verdict(state(), b"?" * 20, SENDER, RECEIVER, 1, 1, NOW) == (Refusal.TOKEN_PAUSED, ())


class TestRestraints:
    @pytest.mark.parametrize("effect", range(4))
    def test_a_hold_bars_the_side_that_it_names(self, effect: int) -> None:
        selling = verdict(state(facts.AccountHeld(SENDER, 3), facts.AccountHeld(SENDER, effect)))
        assert selling == ((Refusal.ACCOUNT_LEGAL_HOLD, (SENDER,)) if effect & 1 else None)
        buying = verdict(state(facts.AccountHeld(RECEIVER, effect)))
        assert buying == ((Refusal.ACCOUNT_LEGAL_HOLD, (RECEIVER,)) if effect & 2 else None)

    def test_a_hold_is_named_before_a_missing_registration(self) -> None:
        held = state(facts.AccountRemoved(SENDER), facts.AccountHeld(SENDER, 1))
        assert verdict(held) == (Refusal.ACCOUNT_LEGAL_HOLD, (SENDER,))

    def test_a_restriction_names_the_manager_of_either_side(self) -> None:
        other = b"ZZZZ0000000000002762"
        moved = facts.AccountBound(RECEIVER, other, RECEIVER_ID, 410, 1, 1)
        one_issue = facts.InstitutionRestricted(other, TOKEN, restricted=True)
        assert verdict(state(moved, one_issue)) == (Refusal.INSTITUTION_TRANSFER_RESTRICTED, (other,))
        assert verdict(state(one_issue)) is None
        elsewhere = facts.InstitutionRestricted(MANAGER, b"?" * 20, restricted=True)
        assert verdict(state(elsewhere)) is None
        every = facts.InstitutionRestricted(MANAGER, bytes(20), restricted=True)
        ended = facts.InstitutionRestricted(MANAGER, bytes(20), restricted=False)
        assert verdict(state(every, ended)) is None
        assert verdict(state(every, facts.AccountRemoved(SENDER))) is not None, "the receiver's manager"

    def test_a_released_network_moves_again(self) -> None:
        suspended, released = facts.NetworkSuspended(suspended=True), facts.NetworkSuspended(suspended=False)
        assert verdict(state(suspended, released)) is None

    def test_each_side_alone_is_told_the_same(self) -> None:
        for fact, refusal in (
            (facts.NetworkSuspended(suspended=True), (Refusal.EMERGENCY_SUSPENSION, ())),
            (
                facts.InstitutionRestricted(MANAGER, TOKEN, restricted=True),
                (Refusal.INSTITUTION_TRANSFER_RESTRICTED, (MANAGER,)),
            ),
        ):
            assert seller_verdict(state(fact), TOKEN, SENDER, 1) == refusal
            assert buyer_verdict(state(fact), TOKEN, RECEIVER, 1) == refusal
        held = facts.AccountHeld(SENDER, 1)
        assert seller_verdict(state(held), TOKEN, SENDER, 1) == (Refusal.ACCOUNT_LEGAL_HOLD, (SENDER,))
        assert buyer_verdict(state(held), TOKEN, SENDER, 1) is None

    def test_restraints_are_part_of_the_digest(self) -> None:
        found = [
            facts.AccountHeld(SENDER, 1),
            facts.InstitutionRestricted(MANAGER, TOKEN, restricted=True),
            facts.NetworkSuspended(suspended=True),
        ]
        assert len({state(*found[:count]).digest() for count in range(4)}) == 4


class TestIdentity:
    def test_an_unregistered_sender_or_receiver_is_not_verified(self) -> None:
        assert verdict(state(facts.AccountRemoved(SENDER))) == (Refusal.SENDER_NOT_VERIFIED, (SENDER,))
        assert verdict(state(), receiver=STRANGER) == (Refusal.INVESTOR_NOT_VERIFIED, (STRANGER,))
        assert verdict(state(facts.AccountRemoved(STRANGER))) is None

    def test_an_expired_claim_does_not_stop_a_sale(self) -> None:
        assert verdict(state(attested(SENDER_ID, until=NOW - 1))) is None

    def test_a_withdrawn_claim_stops_a_purchase_but_not_a_sale(self) -> None:
        assert verdict(state(facts.ClaimRevoked(SENDER_ID, ISSUER, for_cause=False))) is None
        assert verdict(state(facts.ClaimRevoked(RECEIVER_ID, ISSUER, for_cause=False))) == (
            Refusal.INVESTOR_NOT_VERIFIED,
            (RECEIVER,),
        )

    def test_a_revocation_for_cause_holds_until_attested_again(self) -> None:
        for_cause = facts.ClaimRevoked(RECEIVER_ID, ISSUER, for_cause=True)
        plain = facts.ClaimRevoked(RECEIVER_ID, ISSUER, for_cause=False)
        other = facts.ClaimAttested(RECEIVER_ID, b"2" * 20, 1 << KYC, FAR)
        trusted = facts.IssuerTrusted(b"2" * 20, (KYC,))
        assert verdict(state(trusted, for_cause, plain, other)) == (Refusal.INVESTOR_NOT_VERIFIED, (RECEIVER,))
        assert verdict(state(for_cause, attested(RECEIVER_ID))) is None

    def test_a_claim_counts_to_the_last_second(self) -> None:
        assert verdict(state(attested(RECEIVER_ID, until=NOW))) is None

    def test_each_topic_needs_a_trusted_issuer_and_the_best_attestation_counts(self) -> None:
        second = b"2" * 20
        both = 1 << KYC | 1 << AML
        needed = [facts.TopicAdded(AML), facts.IssuerTrusted(ISSUER, (KYC, AML))]
        assert verdict(state(*needed)) == (Refusal.INVESTOR_NOT_VERIFIED, (RECEIVER,))
        assert verdict(state(*needed, attested(RECEIVER_ID, both))) is None
        assert verdict(state(*needed, facts.TopicRemoved(AML))) is None
        late = [
            *needed,
            attested(RECEIVER_ID, both, NOW - 5),
            facts.IssuerTrusted(second, (KYC,)),
            facts.ClaimAttested(RECEIVER_ID, second, both, FAR),
        ]
        # KYC holds by the second issuer; AML only by the first, whose attestation has expired.
        assert verdict(state(*late)) == (Refusal.INVESTOR_CLAIM_EXPIRED, (RECEIVER, NOW - 5))
        assert verdict(state(*late, facts.IssuerTrusted(second, (KYC, AML)))) is None

    def test_an_issuer_that_is_no_longer_trusted_does_not_count(self) -> None:
        assert verdict(state(facts.IssuerTrusted(ISSUER, ()))) == (Refusal.INVESTOR_NOT_VERIFIED, (RECEIVER,))

    def test_without_topics_registration_is_enough(self) -> None:
        assert verdict(state(facts.TopicRemoved(KYC), facts.ClaimRevoked(RECEIVER_ID, ISSUER, for_cause=False))) is None


class TestClaimsOfContracts:
    """An identity that is a contract, of which the registry noted claims."""

    IDENTITY_CODE, ISSUER_CODE, OTHER = b"i" * 32, b"c" * 32, b"o" * 32

    def chain(self, *more: Fact, until: int = FAR, identity_code: bytes = IDENTITY_CODE, time: int = NOW) -> ChainState:
        return state(
            facts.ClaimRevoked(RECEIVER_ID, ISSUER, for_cause=False),
            facts.CodeAdmitted(self.IDENTITY_CODE, admitted=True),
            facts.CodeAdmitted(self.ISSUER_CODE, admitted=True),
            facts.ClaimNoted(RECEIVER_ID, ISSUER, KYC, until, identity_code, self.ISSUER_CODE),
            *more,
            time=time,
        )

    def test_a_noted_claim_counts_to_its_end(self) -> None:
        assert verdict(self.chain()) is None
        assert verdict(self.chain(until=NOW)) is None
        assert verdict(self.chain(until=NOW - 1)) == (Refusal.INVESTOR_CLAIM_EXPIRED, (RECEIVER, NOW - 1))

    @pytest.mark.parametrize(
        "change",
        [
            facts.ClaimNoted(RECEIVER_ID, ISSUER, KYC, 0, IDENTITY_CODE, ISSUER_CODE),
            facts.IssuerNotesVoided(ISSUER),
            facts.IssuerTrusted(ISSUER, ()),
            facts.CodeAdmitted(IDENTITY_CODE, admitted=False),
            facts.CodeAdmitted(ISSUER_CODE, admitted=False),
        ],
        ids=lambda change: type(change).__name__,
    )
    def test_what_ends_it_ends_it_at_once(self, change: Fact) -> None:
        assert verdict(self.chain(change)) == (Refusal.INVESTOR_NOT_VERIFIED, (RECEIVER,))

    def test_other_code_is_not_verified_at_the_venue(self) -> None:
        assert verdict(self.chain(identity_code=self.OTHER)) == (Refusal.INVESTOR_NOT_VERIFIED, (RECEIVER,))

    def test_other_topics_and_issuers_do_not_count(self) -> None:
        assert verdict(self.chain(facts.TopicAdded(AML))) == (Refusal.INVESTOR_NOT_VERIFIED, (RECEIVER,))
        removed = facts.ClaimNoted(RECEIVER_ID, ISSUER, KYC, 0, self.IDENTITY_CODE, self.ISSUER_CODE)
        stranger = facts.ClaimNoted(RECEIVER_ID, b"2" * 20, KYC, FAR, self.IDENTITY_CODE, self.ISSUER_CODE)
        assert verdict(self.chain(removed, stranger)) == (Refusal.INVESTOR_NOT_VERIFIED, (RECEIVER,))

    def test_an_attestation_that_holds_is_named_alone_and_a_claim_takes_over_after_it(self) -> None:
        chain = self.chain(attested(RECEIVER_ID, until=NOW + 5))
        assert chain.verified_until(RECEIVER_ID, NOW + 5) == NOW + 5
        assert chain.verified_until(RECEIVER_ID, NOW + 6) == FAR

    def test_a_revocation_for_cause_outweighs_every_claim(self) -> None:
        cause = facts.ClaimRevoked(RECEIVER_ID, ISSUER, for_cause=True)
        assert verdict(self.chain(cause)) == (Refusal.INVESTOR_NOT_VERIFIED, (RECEIVER,))

    def test_notes_are_part_of_the_digest(self) -> None:
        assert self.chain().digest() != self.chain(until=FAR + 1).digest()
        assert self.chain().digest() != self.chain(facts.CodeAdmitted(self.OTHER, admitted=True)).digest()


class TestRules:
    def test_accounts_of_one_identity_meet_no_rule(self) -> None:
        chain = state(bound(STRANGER, SENDER_ID), rules(1, lot=3, classes=1 << 2, cap_units=1))
        assert verdict(chain, receiver=STRANGER) is None

    def test_the_version_in_force_at_the_block_counts(self) -> None:
        chain = state(rules(1, 1, lot=5), rules(2, 7, lot=3))
        assert transfer_verdict(chain, TOKEN, SENDER, RECEIVER, 10, 6, NOW) is None
        assert transfer_verdict(chain, TOKEN, SENDER, RECEIVER, 10, 7, NOW) == (Refusal.LOT_INVALID, (10, 3))
        assert transfer_verdict(chain, TOKEN, SENDER, RECEIVER, 11, 0, NOW) is None

    def test_an_allow_list_bars_every_other_country(self) -> None:
        allowed = rules(1, countries_allowed=True, countries=KOREA)
        assert verdict(state(allowed)) is None
        foreign = bound(RECEIVER, RECEIVER_ID, country=840)
        assert verdict(state(allowed, foreign)) == (Refusal.JURISDICTION_BARRED, (RECEIVER, 840))
        nobody = rules(1, countries_allowed=True)
        assert verdict(state(nobody)) == (Refusal.JURISDICTION_BARRED, (RECEIVER, 410))

    def test_the_lower_of_both_caps_counts(self) -> None:
        assert verdict(state(rules(1, cap_units=50, cap_bps=900))) == (Refusal.HOLDING_LIMIT, (RECEIVER_ID, 10, 9))
        assert verdict(state(rules(1, cap_units=8, cap_bps=900))) == (Refusal.HOLDING_LIMIT, (RECEIVER_ID, 10, 8))
        assert verdict(state(rules(1, cap_bps=1_000))) is None

    def test_positions_count_by_identity_over_all_accounts(self) -> None:
        second = [bound(STRANGER, RECEIVER_ID), facts.Transferred(TOKEN, SENDER, STRANGER, 40)]
        assert verdict(state(*second, rules(1, cap_units=49))) == (Refusal.HOLDING_LIMIT, (RECEIVER_ID, 50, 49))
        assert verdict(state(*second, rules(1, cap_units=50))) is None

    def test_a_holder_who_leaves_makes_room_for_one_who_comes(self) -> None:
        assert verdict(state(rules(1, holder_limit=1)), 100) is None

    def test_a_holder_may_buy_more_at_the_limit_and_a_transfer_of_nothing_adds_none(self) -> None:
        second = facts.Transferred(TOKEN, SENDER, RECEIVER, 1)
        assert verdict(state(second, rules(1, holder_limit=2))) is None
        assert verdict(state(rules(1, holder_limit=1, cap_units=1)), 0) is None

    def test_units_count_under_the_first_identity_after_it_was_replaced(self) -> None:
        moved = [facts.Transferred(TOKEN, SENDER, RECEIVER, 10), bound(RECEIVER, STRANGER), attested(STRANGER)]
        assert verdict(state(*moved, rules(1, cap_units=15))) == (Refusal.HOLDING_LIMIT, (RECEIVER_ID, 20, 15))
        back = [facts.AccountRemoved(RECEIVER), bound(RECEIVER, STRANGER), attested(STRANGER)]
        assert verdict(state(*back, rules(1, cap_units=5))) == (Refusal.HOLDING_LIMIT, (RECEIVER_ID, 10, 5))


class TestHalves:
    def test_both_halves_of_a_good_order_pass(self) -> None:
        assert seller_verdict(state(), TOKEN, SENDER, 100) is None
        assert buyer_verdict(state(), TOKEN, RECEIVER, 100) is None

    def test_commitments_come_on_top_of_the_chain(self) -> None:
        assert seller_verdict(state(), TOKEN, SENDER, 10, Commitments(selling=91)) == (
            Refusal.INSUFFICIENT_SECURITIES,
            (SENDER, 9, 10),
        )
        capped = state(rules(1, cap_units=50, holder_limit=2))
        assert buyer_verdict(capped, TOKEN, RECEIVER, 10, Commitments(buying=41)) == (
            Refusal.HOLDING_LIMIT,
            (RECEIVER_ID, 51, 50),
        )
        assert buyer_verdict(capped, TOKEN, RECEIVER, 10, Commitments(new_holders=1)) == (
            Refusal.HOLDER_COUNT_LIMIT,
            (3, 2),
        )

    @pytest.mark.parametrize("step", STEPS, ids=[step[0] + str(i) for i, step in enumerate(STEPS)])
    def test_each_side_says_what_the_whole_transfer_would(
        self, step: tuple[Refusal, tuple[int | bytes, ...], list[Fact]]
    ) -> None:
        refusal, arguments, found = step
        chain = state(*found)
        halves = [seller_verdict(chain, TOKEN, SENDER, 10), buyer_verdict(chain, TOKEN, RECEIVER, 10)]
        assert (refusal, arguments) in halves
