# SPDX-License-Identifier: Apache-2.0
"""Small numbers and words that contracts, journal and API share: sides, scopes, roles, classes, kinds."""

from enum import IntEnum, IntFlag, StrEnum


class Side(IntEnum):
    """Side of an order, as in FIX tag 54 and in the signed order."""

    BUY = 1
    SELL = 2


class OrderType(StrEnum):
    """Form of an order; only LIMIT is taken, the others exist to be refused by name."""

    LIMIT = "LIMIT"
    MARKET = "MARKET"


class InvestorClass(IntEnum):
    """Class codes of the identity registry."""

    GENERAL = 1
    PROFESSIONAL = 2
    QUASI_PROFESSIONAL = 3


class OwnerType(IntEnum):
    """Whose assets an account or a cash account holds."""

    CUSTOMER = 1
    OWN = 2


class Scope(IntFlag):
    """What a key of a member may sign."""

    MEMBER = 1
    ORDER = 2
    INSTRUCTION = 4
    CASH = 8
    SENDER = 16


class AgentRole(IntFlag):
    """What an agent of a token may do there, one bit each, as the contract has them."""

    MINT = 1
    BURN = 2
    FREEZE_ADDRESS = 4
    FREEZE_UNITS = 8
    FORCE = 16
    RECOVER = 32
    PAUSE = 64
    DOCUMENTS = 128
    RECORD = 256
    CONVERT = 512
    TERMINATE = 1024


class Role(IntFlag):
    """Roles of a member, one bit each, in the order of the reference data model."""

    ISSUER = 1
    TRUSTEE = 2
    ENTRUSTOR = 4
    REGISTRAR = 8
    ACCOUNT_MANAGER = 16
    ISSUER_ACCOUNT_MANAGER = 32
    VENUE = 64
    CASH_AGENT = 128
    CLAIM_ISSUER = 256
    SUPERVISOR = 512
    COURT_AGENT = 1024
    NODE_OPERATOR = 2048
    AUDITOR = 4096


class KeyStatus(IntEnum):
    """A retired key signs nothing new; a revoked key's signatures no longer count."""

    ACTIVE = 1
    RETIRED = 2
    REVOKED = 3


class KeyAct(IntEnum):
    """Kinds of acts for which the key policy names who must approve, and how many."""

    MINT = 1
    BURN = 2
    FORCE = 3
    RULES = 4
    UPGRADE = 5


class Custody(IntEnum):
    """What keeps a key: a hardware security module, a key management service, or an encrypted file."""

    HSM = 1
    KMS = 2
    KEYSTORE = 3


class MemberStatus(IntEnum):
    """Standing of a member."""

    ACTIVE = 1
    SUSPENDED = 2
    REVOKED = 3


class EncumbranceKind(IntEnum):
    """Why units of an account are encumbered."""

    LOCKUP = 1
    PLEDGE = 2
    TRUST_MARK = 3
    CERTIFICATE = 4
    COURT_ORDER = 5


class HoldEffect(IntFlag):
    """What a legal hold bars an account from."""

    NO_SALE = 1
    NO_PURCHASE = 2


class MatchingMode(StrEnum):
    """EQUAL_PRICE trades only where bid and ask name the same price; PRICE_TIME where they cross."""

    EQUAL_PRICE = "EQUAL_PRICE"
    PRICE_TIME = "PRICE_TIME"
