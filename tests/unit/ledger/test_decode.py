# SPDX-License-Identifier: Apache-2.0
"""Logs to facts, against eth_abi as the independent encoder."""

from typing import Any

import pytest

from stoken.domain import facts
from stoken.ledger.decode import MalformedLogError, decode_log
from stoken.ledger.signatures import EVENTS, ContractKind
from stoken.mirror import Log
from tests.ledger_events import COMPLIANCE, MODULE, TOKEN, emitted, encode_log, issue, transfer

_K = ContractKind
_A, _B, _MEMBER, _ID = b"\xaa" * 20, b"\xbb" * 20, b"ZZZZ0000000000000113", b"\xcc" * 32
_COUNTRIES = b"\x80" + bytes(31) + b"".join(word.to_bytes(32) for word in (2, 3, 4))
_RULES = (500, 300, 0b1010, 99, 10, True, (1 << 255, 2, 3, 4), 40, 86_400, True)
_GROUNDS = (b"\xdd" * 32, _MEMBER, bytes(20), b"\xee" * 32, b"\xff" * 32)

_CASES: list[tuple[ContractKind, str, tuple[Any, ...], facts.Fact]] = [
    (_K.TOKEN, "Transfer", (_A, _B, 7), facts.Transferred(TOKEN, _A, _B, 7)),
    (_K.TOKEN, "Paused", (_A,), facts.Paused(TOKEN, paused=True)),
    (_K.TOKEN, "Unpaused", (_A,), facts.Paused(TOKEN, paused=False)),
    (_K.TOKEN, "AddressFrozen", (_A, True, _B), facts.AddressFrozen(TOKEN, _A, frozen=True)),
    (_K.TOKEN, "TokensFrozen", (_A, 5), facts.UnitsFrozen(TOKEN, _A, 5)),
    (_K.TOKEN, "TokensUnfrozen", (_A, 5), facts.UnitsFrozen(TOKEN, _A, -5)),
    (_K.TOKEN, "RecordDateSet", (3, 77, 99), facts.RecordDateSet(TOKEN, 3, 77, 99)),
    (_K.TOKEN, "Terminated", (_A, _ID), facts.Terminated(TOKEN)),
    (
        _K.COMPLIANCE,
        "RuleSetAnnounced",
        (3, 77, _RULES),
        facts.RuleSetAnnounced(COMPLIANCE, 3, 77, *_RULES[:6], _COUNTRIES, *_RULES[7:]),
    ),
    (_K.COMPLIANCE, "ModuleAdded", (4, _A, 1, _ID), facts.ModuleAdded(COMPLIANCE, 4, _A, 1, _ID)),
    (_K.COMPLIANCE, "ModuleRemoved", (5, _A), facts.ModuleRemoved(COMPLIANCE, 5, _A)),
    (_K.COMPLIANCE, "UnitsRelocated", (_A, _B, 7), facts.UnitsRelocated(COMPLIANCE, _A, _B, 7)),
    (_K.COMPLIANCE, "AccountRecounted", (_A, _B), facts.AccountRecounted(COMPLIANCE, _A, _B)),
    (
        _K.MODULE,
        "TransferApproved",
        (COMPLIANCE, _ID, _A, _B, 7, 99),
        facts.TransferApproved(MODULE, COMPLIANCE, _ID, _A, _B, 7, 99),
    ),
    (_K.MODULE, "ApprovalUsed", (_ID,), facts.ApprovalUsed(MODULE, _ID)),
    (_K.MODULE, "BlackoutSet", (COMPLIANCE, _A, 2, 99), facts.BlackoutSet(MODULE, COMPLIANCE, _A, 2, 99)),
    (_K.QUANTITY, "QuantityRegistered", (TOKEN, 9), facts.QuantityRegistered(TOKEN, 9)),
    (
        _K.ENCUMBRANCES,
        "EncumbranceSet",
        (_ID, TOKEN, _A, 2, 4, 0, _B, _ID),
        facts.EncumbranceSet(_ID, TOKEN, _A, 2, 4, 0, _B, _ID),
    ),
    (_K.ENCUMBRANCES, "EncumbranceCarried", (_ID, _A, _B), facts.EncumbranceCarried(_ID, _A, _B)),
    (_K.ENCUMBRANCES, "EncumbranceRescaled", (_ID, 3), facts.EncumbranceRescaled(_ID, 3)),
    (_K.ENCUMBRANCES, "EncumbrancesMoved", (TOKEN, _A, _B), facts.EncumbrancesMoved(TOKEN, _A, _B)),
    (_K.ENCUMBRANCES, "EncumbranceReleased", (_ID,), facts.EncumbranceReleased(_ID)),
    (_K.REGISTRY, "AccountBound", (_A, _MEMBER, _B, 410, 1, 1), facts.AccountBound(_A, _MEMBER, _B, 410, 1, 1)),
    (_K.REGISTRY, "IdentityRemoved", (_A, _B), facts.AccountRemoved(_A)),
    (_K.REGISTRY, "ClaimAttested", (_A, _B, 6, 99), facts.ClaimAttested(_A, _B, 6, 99)),
    (_K.REGISTRY, "ClaimRevoked", (_A, _B, True), facts.ClaimRevoked(_A, _B, for_cause=True)),
    (_K.REGISTRY, "AccountHeld", (_A, 3), facts.AccountHeld(_A, 3)),
    (
        _K.REGISTRY,
        "InstitutionRestricted",
        (_MEMBER, TOKEN, True),
        facts.InstitutionRestricted(_MEMBER, TOKEN, restricted=True),
    ),
    (_K.REGISTRY, "NetworkSuspended", (True,), facts.NetworkSuspended(suspended=True)),
    (_K.REGISTRY, "CodeAdmitted", (_ID, True), facts.CodeAdmitted(_ID, admitted=True)),
    (_K.REGISTRY, "ClaimNoted", (_A, _B, 3, 99, _ID, _ID), facts.ClaimNoted(_A, _B, 3, 99, _ID, _ID)),
    (_K.REGISTRY, "IssuerNotesVoided", (_A,), facts.IssuerNotesVoided(_A)),
    (_K.TOPICS, "ClaimTopicAdded", (7,), facts.TopicAdded(7)),
    (_K.TOPICS, "ClaimTopicRemoved", (7,), facts.TopicRemoved(7)),
    (_K.ISSUERS, "TrustedIssuerAdded", (_A, [1, 2]), facts.IssuerTrusted(_A, (1, 2))),
    (_K.ISSUERS, "ClaimTopicsUpdated", (_A, []), facts.IssuerTrusted(_A, ())),
    (_K.ISSUERS, "TrustedIssuerRemoved", (_A,), facts.IssuerTrusted(_A, ())),
    (_K.MEMBERS, "MemberAdmitted", (_MEMBER, 4096), facts.MemberAdmitted(_MEMBER, 4096)),
    (_K.MEMBERS, "MemberStatusChanged", (_MEMBER, 2), facts.MemberStatusChanged(_MEMBER, 2)),
    (_K.MEMBERS, "KeyAdded", (_A, _MEMBER, 31, 0, 2**40 - 1), facts.KeyAdded(_A, _MEMBER, 31, 0, 2**40 - 1)),
    (_K.MEMBERS, "KeyRetired", (_A,), facts.KeyRetired(_A)),
    (_K.MEMBERS, "KeyRevoked", (_A,), facts.KeyRevoked(_A)),
    (_K.DEPOSIT, "CashAccountOpened", (_A, _MEMBER, 1), facts.CashAccountOpened(_A, _MEMBER, 1)),
    (
        _K.SETTLEMENT,
        "TradeSettled",
        (_MEMBER, 1, TOKEN, _A, _B, 2, 5_000, 3, 4),
        facts.TradeSettled(_MEMBER, 1, TOKEN, _A, _B, 2, 5_000, 3, 4),
    ),
    (_K.SETTLEMENT, "TradeFailed", (_MEMBER, 1, b"\x01" * 37), facts.TradeFailed(_MEMBER, 1, b"\x01" * 37)),
    (_K.SETTLEMENT, "OrderCanceled", (_MEMBER, 8), facts.OrderCanceled(_MEMBER, 8)),
    (
        _K.LEGAL,
        "MeasureImposed",
        (1, 5, _A, _B, 0, 40, 99, True, _GROUNDS),
        facts.MeasureImposed(1, 5, _A, _B, 0, 40, 99, True, *_GROUNDS[1:]),  # noqa: FBT003 - as the event
    ),
    (_K.LEGAL, "MeasureConfirmed", (1, 77, _GROUNDS), facts.MeasureConfirmed(1, 77)),
    (_K.LEGAL, "MeasureLifted", (1, _GROUNDS), facts.MeasureLifted(1)),
    (_K.LEGAL, "CorrectionEntered", (2, _ID, _ID, _GROUNDS), facts.CorrectionEntered(2, _ID, _ID, *_GROUNDS[1:])),
    (
        _K.MEMBERS,
        "NodeAdded",
        (_ID, _MEMBER, b"\x01" * 32, b"\x02" * 32, 1, 0, 99),
        facts.NodeAdded(_ID, _MEMBER, b"\x01" * 32 + b"\x02" * 32, 1, 0, 99),
    ),
    (_K.MEMBERS, "NodeRemoved", (_ID, _MEMBER), facts.NodeRemoved(_ID)),
    (_K.ANCHORS, "Anchored", (_MEMBER, 2, 20_261_124, _ID), facts.Anchored(_MEMBER, 2, 20_261_124, _ID)),
    (
        _K.SETTLEMENT,
        "TradeHeld",
        (_MEMBER, 1, (_MEMBER, 1, TOKEN, COMPLIANCE, _A, _B, _B, _A, _MEMBER, _MEMBER, 3, 4, 2, 5_000, 99)),
        facts.TradeHeld(_MEMBER, 1, TOKEN, COMPLIANCE, _A, _B, _B, _A, 3, 4, 2, 5_000, 99),
    ),
    (_K.SETTLEMENT, "HoldReleased", (_MEMBER, 1), facts.HoldReleased(_MEMBER, 1)),
    (
        _K.DEPOSIT,
        "CustomerCashMoved",
        (_MEMBER, _MEMBER[::-1], [_A, _B], 7, 7),
        facts.CustomerCashMoved(_MEMBER, _MEMBER[::-1], (_A, _B)),
    ),
]


class TestDecodeLog:
    @pytest.mark.parametrize(("kind", "name", "arguments", "fact"), _CASES, ids=[case[1] for case in _CASES])
    def test_an_event_becomes_its_fact(
        self, kind: ContractKind, name: str, arguments: tuple[Any, ...], fact: facts.Fact
    ) -> None:
        assert decode_log(kind, encode_log(emitted(kind, name, *arguments), 1, 0)) == fact

    def test_every_event_has_a_case(self) -> None:
        shown = {(kind, name) for kind, name, _, _ in _CASES}
        others = {(_K.FACTORY, "IssueCreated"), (_K.DEPOSIT, "Transfer")}
        assert shown | others == {(event.kind, event.name) for event in EVENTS}

    def test_an_issue_names_its_isin(self) -> None:
        fact = decode_log(_K.FACTORY, encode_log(issue(), 1, 0))
        assert fact == facts.IssueCreated(TOKEN, "ZZ00000BPL13", COMPLIANCE)

    def test_a_transfer_of_the_deposit_token_is_cash(self) -> None:
        log = encode_log(emitted(_K.DEPOSIT, "Transfer", _A, _B, 7), 1, 0)
        assert decode_log(_K.DEPOSIT, log) == facts.CashMoved(log.address, _A, _B, 7)

    def test_an_event_of_another_kind_of_contract_says_nothing(self) -> None:
        assert decode_log(_K.REGISTRY, encode_log(transfer(_A, _B, 7), 1, 0)) is None

    def test_an_anonymous_log_says_nothing(self) -> None:
        assert decode_log(_K.TOKEN, Log(1, 0, 0, TOKEN, b"", b"")) is None


class TestMalformedLogs:
    @pytest.mark.parametrize(("kind", "name", "arguments", "fact"), _CASES, ids=[case[1] for case in _CASES])
    def test_cut_padded_or_filled_with_ones_they_raise_nothing_else(
        self, kind: ContractKind, name: str, arguments: tuple[Any, ...], fact: facts.Fact
    ) -> None:
        log = encode_log(emitted(kind, name, *arguments), 1, 0)
        topics, data = log.topics, log.data
        broken = [(topics[:-1], data), (topics + bytes(32), data), (topics, data[:-1]), (topics, b"\xff" * len(data))]
        for bad_topics, bad_data in broken:
            try:
                found = decode_log(kind, log._replace(topics=bad_topics, data=bad_data))
            except MalformedLogError:
                continue
            # Without data nothing can be wrong with it, nor with a root alone; a cut first topic is nobody's event.
            assert found in {None, fact} or not data or kind is _K.ANCHORS

    def test_units_beyond_63_bits_are_refused(self) -> None:
        with pytest.raises(MalformedLogError, match="63 bits"):
            decode_log(_K.TOKEN, encode_log(transfer(_A, _B, 2**63), 1, 0))

    def test_a_number_that_is_larger_than_its_type_is_refused(self) -> None:
        log = encode_log(emitted(_K.MEMBERS, "MemberStatusChanged", _MEMBER, 2), 1, 0)
        with pytest.raises(MalformedLogError, match="larger than 255"):
            decode_log(_K.MEMBERS, log._replace(data=(256).to_bytes(32)))

    def test_bytes_that_claim_to_be_longer_than_the_data_are_refused(self) -> None:
        log = encode_log(emitted(_K.SETTLEMENT, "TradeFailed", _MEMBER, 1, b"\x01" * 4), 1, 0)
        for data in (log.data[:32] + (500).to_bytes(32) + log.data[64:], (2**200).to_bytes(32) + log.data[32:], b""):
            with pytest.raises(MalformedLogError):
                decode_log(_K.SETTLEMENT, log._replace(data=data))

    def test_an_isin_that_is_not_ascii_is_refused(self) -> None:
        log = encode_log(issue(), 1, 0)
        broken = log.topics[:32] + b"\xff" * 12 + log.topics[44:]
        with pytest.raises(MalformedLogError):
            decode_log(_K.FACTORY, log._replace(topics=broken))
