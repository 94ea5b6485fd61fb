# SPDX-License-Identifier: Apache-2.0
"""Every digest equals the one of eth_account."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from eth_account.messages import _hash_eip191_message, encode_typed_data
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from stoken.chain import eip712
from stoken.chain.statements import (
    Act,
    ActVote,
    Attest,
    Attested,
    CashAccount,
    CashAllocation,
    CashEntry,
    Encumber,
    KeyApproval,
    KeyChange,
    KeyHolder,
    KeyPolicy,
    KeyRule,
    MemberKey,
    Onboarding,
    OnboardingBatch,
    OrderCancel,
    Revoke,
)
from stoken.domain.signed_order import SignedOrder

CONTRACT = b"\x11" * 20
CHAIN_ID = 20260


def _fields(type_string: str) -> list[dict[str, str]]:
    inner = type_string[type_string.index("(") + 1 : type_string.index(")")]
    return [dict(zip(("type", "name"), field.split(" "), strict=True)) for field in inner.split(",")]


def _message(type_name: str, statement: msgspec.Struct) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field, value in zip(_fields(eip712.TYPES[type_name]), msgspec.structs.astuple(statement), strict=True):
        item_type = field["type"].removesuffix("[]")
        if field["type"].endswith("[]"):
            values[field["name"]] = [_message(item_type, item) if item_type in eip712.TYPES else item for item in value]
        else:
            values[field["name"]] = value
    return values


def reference_digest(domain_name: str, type_name: str, statement: msgspec.Struct) -> bytes:
    domain = {"name": domain_name, "version": "1", "chainId": CHAIN_ID, "verifyingContract": CONTRACT}
    types = {name: _fields(text) for name, text in eip712.TYPES.items()}
    used = {type_name}
    while inner := {field["type"].removesuffix("[]") for name in used for field in types[name]} & types.keys() - used:
        used |= inner
    message = _message(type_name, statement)
    return bytes(_hash_eip191_message(encode_typed_data(domain, {name: types[name] for name in used}, message)))


def separator(domain_name: str) -> bytes:
    return eip712.domain(domain_name, CHAIN_ID, CONTRACT)


def integers(bits: int) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1)


ADDRESS = st.binary(min_size=20, max_size=20)
WORD = st.binary(min_size=32, max_size=32)
ORDERS = st.builds(
    SignedOrder,
    *(ADDRESS,) * 5,
    st.sampled_from([1, 2]),
    *(integers(64),) * 3,
    integers(40),
    integers(40),
    integers(64),
)
ONBOARDING = st.builds(Onboarding, ADDRESS, ADDRESS, integers(16), integers(8), integers(8), integers(64), integers(40))
ATTESTED = st.builds(Attested, ADDRESS, integers(64), integers(40))
KEYS = st.builds(MemberKey, ADDRESS, integers(8), integers(40), integers(40))
CASH_ENTRY = st.builds(CashEntry, ADDRESS, integers(96), WORD, integers(40))


def tuples(items: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, max_size=3).map(tuple)


RULES = st.builds(KeyRule, integers(8), integers(8), tuples(st.builds(KeyHolder, ADDRESS, ADDRESS, integers(8))))

CASES: list[tuple[str, str, Callable[..., bytes], st.SearchStrategy[Any]]] = [
    (eip712.DVP_SETTLEMENT, "Order", eip712.order, ORDERS),
    (eip712.DVP_SETTLEMENT, "OrderCancel", eip712.order_cancel, st.builds(OrderCancel, ADDRESS, integers(64))),
    (
        eip712.AUTHORITY,
        "Act",
        eip712.act,
        st.builds(Act, ADDRESS, st.binary(max_size=99), WORD, WORD, integers(256), integers(40)),
    ),
    (
        eip712.IDENTITY_REGISTRY,
        "OnboardingBatch",
        eip712.onboarding_batch,
        st.builds(OnboardingBatch, ADDRESS, ADDRESS, integers(256), integers(40), tuples(ONBOARDING)),
    ),
    (
        eip712.IDENTITY_REGISTRY,
        "Attest",
        eip712.attest,
        st.builds(Attest, ADDRESS, tuples(ATTESTED), integers(256), integers(40)),
    ),
    (
        eip712.IDENTITY_REGISTRY,
        "Revoke",
        eip712.revoke,
        st.builds(Revoke, ADDRESS, ADDRESS, st.booleans(), integers(256), integers(40)),
    ),
    (
        eip712.DEPOSIT_TOKEN,
        "CashAccount",
        eip712.cash_account,
        st.builds(CashAccount, ADDRESS, ADDRESS, integers(8), integers(256), integers(40)),
    ),
    (eip712.DEPOSIT_TOKEN, "CashCredit", eip712.cash_credit, CASH_ENTRY),
    (eip712.DEPOSIT_TOKEN, "CashDebit", eip712.cash_debit, CASH_ENTRY),
    (
        eip712.MEMBER_REGISTRY,
        "KeyChange",
        eip712.key_change,
        st.builds(KeyChange, ADDRESS, tuples(KEYS), tuples(ADDRESS), tuples(ADDRESS), integers(256), integers(40)),
    ),
    (
        eip712.KEY_POLICY,
        "KeyPolicy",
        lambda separator, statement: keccak(eip712.key_policy_payload(separator, statement)),
        st.builds(KeyPolicy, integers(256), WORD, tuples(RULES), WORD, integers(40), integers(40)),
    ),
    (
        eip712.KEY_POLICY,
        "KeyApproval",
        lambda separator, statement: keccak(eip712.key_approval_payload(separator, statement)),
        st.builds(KeyApproval, st.binary(), WORD, integers(40)),
    ),
    (eip712.MEMBER_REGISTRY, "ActVote", eip712.act_vote, st.builds(ActVote, WORD, st.booleans())),
    (
        eip712.ENCUMBRANCES,
        "Encumber",
        eip712.encumber,
        st.builds(
            Encumber, WORD, ADDRESS, integers(96), ADDRESS, integers(40), integers(8), ADDRESS, WORD, integers(40)
        ),
    ),
    (
        eip712.DVP_SETTLEMENT,
        "CashAllocation",
        eip712.cash_allocation,
        st.builds(CashAllocation, ADDRESS, ADDRESS, ADDRESS, integers(64), integers(64), integers(40)),
    ),
]


class TestDigests:
    @pytest.mark.parametrize(("domain_name", "type_name", "digest", "statements"), CASES, ids=[c[1] for c in CASES])
    def test_a_digest_equals_the_one_of_eth_account(
        self, domain_name: str, type_name: str, digest: Callable[..., bytes], statements: st.SearchStrategy[Any]
    ) -> None:
        @settings(max_examples=10, deadline=None)
        @given(statements)
        def compare(statement: msgspec.Struct) -> None:
            assert digest(separator(domain_name), statement) == reference_digest(domain_name, type_name, statement)

        compare()

    def test_every_signed_type_has_a_case(self) -> None:
        nested = {"Onboarding", "Attested", "Key", "KeyHolder", "KeyRule"}
        assert {case[1] for case in CASES} == eip712.TYPES.keys() - nested

    def test_the_chain_and_the_contract_are_part_of_the_digest(self) -> None:
        cancel = OrderCancel(b"b" * 20, 1)
        here = eip712.order_cancel(eip712.domain(eip712.DVP_SETTLEMENT, 1, CONTRACT), cancel)
        assert here != eip712.order_cancel(eip712.domain(eip712.DVP_SETTLEMENT, 2, CONTRACT), cancel)
        assert here != eip712.order_cancel(eip712.domain(eip712.DVP_SETTLEMENT, 1, b"\x12" * 20), cancel)
