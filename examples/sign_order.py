# SPDX-License-Identifier: Apache-2.0
"""Signs an order as a broker's own system would, with eth-account and nothing of stoken.

    python examples/sign_order.py terms.json keystore.json > order.json

`terms.json` holds the domain (`chain_id`, `settlement`), the order's fields, and `client_order_id` and `isin`; the
password of the keystore is read from the terminal. What is printed is the body of `POST /orders`.
"""

import getpass
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data

ORDER = {
    "venue": "bytes20",
    "account": "address",
    "cashAccount": "address",
    "token": "address",
    "cash": "address",
    "side": "uint8",
    "price": "uint64",
    "quantity": "uint64",
    "nonce": "uint64",
    "tradableUntil": "uint40",
    "settleBy": "uint40",
    "replaces": "uint64",
}
SIDES = {"BUY": 1, "SELL": 2}


def signable(terms: Mapping[str, Any]) -> SignableMessage:
    """Return what the broker's key signs: the order under the domain of the settlement contract."""
    domain = {
        "name": "stoken DvpSettlement",
        "version": "1",
        "chainId": terms["chain_id"],
        "verifyingContract": terms["settlement"],
    }
    message = {
        "venue": terms["venue"].encode("ascii"),  # the venue's LEI, 20 characters
        "account": terms["account"],
        "cashAccount": terms["cash_account"],
        "token": terms["token"],
        "cash": terms["cash"],
        "side": SIDES[terms["side"]],
        "price": int(terms["price"]),
        "quantity": int(terms["quantity"]),
        "nonce": int(terms["nonce"]),
        "tradableUntil": terms["tradable_until"],
        "settleBy": terms["settle_by"],
        "replaces": int(terms.get("replaces", 0)),
    }
    return encode_typed_data(domain, {"Order": [{"name": name, "type": kind} for name, kind in ORDER.items()]}, message)


def body(terms: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """Return the body of `POST /orders`: the terms that the venue does not know itself, and the signature."""
    signature = Account.sign_message(signable(terms), key).signature
    known_to_the_venue = {"chain_id", "settlement", "venue", "cash"}
    return {name: value for name, value in terms.items() if name not in known_to_the_venue} | {
        "signature": f"0x{signature.hex().removeprefix('0x')}"
    }


def main() -> int:
    """Read terms and keystore, print the signed body."""
    terms, keystore = (json.loads(Path(name).read_text()) for name in sys.argv[1:3])
    print(json.dumps(body(terms, bytes(Account.decrypt(keystore, getpass.getpass()))), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
