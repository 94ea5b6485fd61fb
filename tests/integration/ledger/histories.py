# SPDX-License-Identifier: Apache-2.0
"""Random histories: every event of the table, over few enough objects that they meet again and again."""

from random import Random

from stoken.ledger.signatures import ContractKind
from tests.ledger_events import COMPLIANCE, ISIN, NOBODY, SUITE, TOKEN, Emitted, address, emitted, issue, transfer

_K = ContractKind
_MEMBERS = (b"BROKER00000000000001", b"BROKER00000000000002")
_GROUNDS = (bytes(32), *_MEMBERS, b"\x01" * 32, b"\x02" * 32)


def random_history(seed: int, blocks: int) -> list[list[Emitted]]:
    """Return the events of that many blocks; the first creates the issue."""
    random = Random(seed)  # noqa: S311 - a history must be repeatable
    first = [issue(ISIN), *(transfer(NOBODY, address(index), 1_000_000) for index in range(4))]
    return [first, *([_event(random) for _ in range(random.randrange(6))] for _ in range(blocks - 1))]


def _event(random: Random) -> Emitted:
    return random.choice(_MAKERS)(random)


def _account(random: Random) -> bytes:
    return address(random.randrange(6))


def _id(random: Random) -> bytes:
    return bytes([random.randrange(3)]) * 32


_MAKERS = [
    *[lambda r: transfer(_account(r), _account(r), r.randrange(1_000))] * 6,
    lambda r: transfer(NOBODY, _account(r), r.randrange(1_000)),
    lambda r: transfer(_account(r), NOBODY, r.randrange(1_000)),
    lambda r: emitted(_K.TOKEN, r.choice(["Paused", "Unpaused"]), _account(r)),
    lambda r: emitted(_K.TOKEN, "AddressFrozen", _account(r), r.random() < 0.5, _account(r)),
    lambda r: emitted(_K.TOKEN, r.choice(["TokensFrozen", "TokensUnfrozen"]), _account(r), r.randrange(9)),
    lambda r: emitted(_K.QUANTITY, "QuantityRegistered", TOKEN, r.randrange(10**9)),
    lambda r: emitted(
        _K.ENCUMBRANCES, "EncumbranceSet", _id(r), TOKEN, _account(r), r.randrange(1, 6), r.randrange(9), 99
    ),
    lambda r: emitted(_K.ENCUMBRANCES, "EncumbranceReleased", _id(r)),
    lambda r: emitted(_K.ENCUMBRANCES, "EncumbrancesMoved", TOKEN, _account(r), _account(r)),
    lambda r: emitted(
        _K.COMPLIANCE,
        "RuleSetAnnounced",
        r.randrange(4),
        r.randrange(99),
        (1, 2, 3, 4, 5, True, (r.randrange(2**256), 0, 0, 0)),
        at=COMPLIANCE,
    ),
    lambda r: emitted(_K.REGISTRY, "AccountBound", _account(r), r.choice(_MEMBERS), _account(r), 410, 1, 1),
    lambda r: emitted(_K.REGISTRY, "IdentityRemoved", _account(r), _account(r)),
    lambda r: emitted(_K.REGISTRY, "ClaimAttested", _account(r), _account(r), 6, r.randrange(99)),
    lambda r: emitted(_K.REGISTRY, "ClaimRevoked", _account(r), _account(r), r.random() < 0.5),
    lambda r: emitted(_K.TOPICS, r.choice(["ClaimTopicAdded", "ClaimTopicRemoved"]), r.randrange(3)),
    lambda r: emitted(_K.ISSUERS, "TrustedIssuerAdded", _account(r), [1, 2]),
    lambda r: emitted(_K.ISSUERS, "TrustedIssuerRemoved", _account(r)),
    lambda r: emitted(_K.MEMBERS, "MemberAdmitted", r.choice(_MEMBERS), r.randrange(4096)),
    lambda r: emitted(_K.MEMBERS, "MemberStatusChanged", r.choice(_MEMBERS), r.randrange(1, 4)),
    lambda r: emitted(_K.MEMBERS, "KeyAdded", _account(r), r.choice(_MEMBERS), 31, 0, 99),
    lambda r: emitted(_K.MEMBERS, r.choice(["KeyRetired", "KeyRevoked"]), _account(r)),
    lambda r: emitted(_K.DEPOSIT, "CashAccountOpened", _account(r), r.choice(_MEMBERS), 1),
    lambda r: emitted(_K.DEPOSIT, "Transfer", r.choice([NOBODY, _account(r)]), _account(r), r.randrange(99)),
    lambda r: emitted(
        _K.SETTLEMENT,
        "TradeSettled",
        _MEMBERS[0],
        r.randrange(9),
        TOKEN,
        _account(r),
        _account(r),
        r.randrange(99),
        5_000,
        r.randrange(1, 4),
        r.randrange(1, 4),
    ),
    lambda r: emitted(_K.SETTLEMENT, "TradeFailed", _MEMBERS[0], r.randrange(9), r.randbytes(5)),
    lambda r: emitted(_K.SETTLEMENT, "OrderCanceled", r.choice(_MEMBERS), r.randrange(1, 4)),
    lambda r: emitted(
        _K.LEGAL, "MeasureImposed", r.randrange(4), 5, TOKEN, _account(r), 0, 9, 99, r.random() < 0.5, _GROUNDS
    ),
    lambda r: emitted(_K.LEGAL, "MeasureConfirmed", r.randrange(4), r.randrange(99), _GROUNDS),
    lambda r: emitted(_K.LEGAL, "MeasureLifted", r.randrange(4), _GROUNDS),
    lambda r: emitted(_K.LEGAL, "CorrectionEntered", r.randrange(4), _id(r), _id(r), _GROUNDS),
    lambda r: emitted(_K.MEMBERS, "NodeAdded", _id(r), r.choice(_MEMBERS), _id(r), _id(r), 1, 0, r.randrange(99)),
    lambda r: emitted(_K.MEMBERS, "NodeRemoved", _id(r), r.choice(_MEMBERS)),
    lambda r: emitted(_K.ANCHORS, "Anchored", r.choice(_MEMBERS), r.randrange(1, 5), r.randrange(9), _id(r)),
    # Nothing that the ledger knows: a stranger's token.
    lambda r: emitted(_K.TOKEN, "Transfer", _account(r), _account(r), 5, at=SUITE["authority"]),
]
