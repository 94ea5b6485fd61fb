# SPDX-License-Identifier: Apache-2.0
"""The order that a broker signs (EIP-712): field for field and in the order of the contract's `Order`."""

import msgspec

from stoken.domain.facts import Address, MemberId


class SignedOrder(msgspec.Struct, frozen=True, array_like=True):
    """What the settlement contract verifies again: nobody can trade above, beyond or after it."""

    venue: MemberId
    account: Address
    cash_account: Address
    token: Address
    cash: Address
    side: int
    price: int
    quantity: int
    nonce: int
    tradable_until: int
    settle_by: int
    replaces: int = 0
