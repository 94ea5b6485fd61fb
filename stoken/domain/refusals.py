# SPDX-License-Identifier: Apache-2.0
"""The one enumeration of refusal codes: contracts, API, FIX and problem pages are generated from it."""

from enum import StrEnum
from typing import NamedTuple


class Refusal(StrEnum):
    """A reason why a request is refused; the value is the code that every channel shows."""

    INSTRUMENT_UNKNOWN = "INSTRUMENT_UNKNOWN"
    IDENTIFIER_INVALID = "IDENTIFIER_INVALID"
    INSTRUMENT_TYPE_NOT_LICENSED = "INSTRUMENT_TYPE_NOT_LICENSED"
    RELATED_PARTY_INSTRUMENT = "RELATED_PARTY_INSTRUMENT"
    ADMISSION_CRITERIA_UNMET = "ADMISSION_CRITERIA_UNMET"
    LEDGER_AUDIT_EXPIRED = "LEDGER_AUDIT_EXPIRED"
    CODE_HASH_MISMATCH = "CODE_HASH_MISMATCH"
    DISCLOSURE_STALE = "DISCLOSURE_STALE"
    INSTRUMENT_SUSPENDED = "INSTRUMENT_SUSPENDED"
    INSTRUMENT_DELISTED = "INSTRUMENT_DELISTED"
    INSTRUMENT_TERMINATED = "INSTRUMENT_TERMINATED"
    TOKEN_PAUSED = "TOKEN_PAUSED"  # noqa: S105 - a token of value, not a secret
    EMERGENCY_SUSPENSION = "EMERGENCY_SUSPENSION"
    INSTITUTION_TRANSFER_RESTRICTED = "INSTITUTION_TRANSFER_RESTRICTED"
    MARKET_CLOSED = "MARKET_CLOSED"
    TOO_LATE = "TOO_LATE"
    DUPLICATE_ORDER = "DUPLICATE_ORDER"
    DUPLICATE_INSTRUCTION = "DUPLICATE_INSTRUCTION"
    ORDER_TYPE_UNSUPPORTED = "ORDER_TYPE_UNSUPPORTED"
    SHORT_SALE_PROHIBITED = "SHORT_SALE_PROHIBITED"
    MARGIN_PROHIBITED = "MARGIN_PROHIBITED"
    PRICE_OUT_OF_BAND = "PRICE_OUT_OF_BAND"
    TICK_INVALID = "TICK_INVALID"
    LOT_INVALID = "LOT_INVALID"
    SELF_TRANSFER = "SELF_TRANSFER"
    BROKER_NOT_MEMBER = "BROKER_NOT_MEMBER"
    BROKER_SUSPENDED = "BROKER_SUSPENDED"
    BROKER_HALTED = "BROKER_HALTED"
    RATE_LIMITED = "RATE_LIMITED"
    ACCOUNT_UNKNOWN = "ACCOUNT_UNKNOWN"
    ACCOUNT_CLOSED = "ACCOUNT_CLOSED"
    ACCOUNT_LEGAL_HOLD = "ACCOUNT_LEGAL_HOLD"
    NOT_ACCOUNT_MANAGER = "NOT_ACCOUNT_MANAGER"
    SEGREGATION_VIOLATION = "SEGREGATION_VIOLATION"
    INVESTOR_NOT_VERIFIED = "INVESTOR_NOT_VERIFIED"
    SENDER_NOT_VERIFIED = "SENDER_NOT_VERIFIED"
    INVESTOR_CLAIM_EXPIRED = "INVESTOR_CLAIM_EXPIRED"
    CLAIM_ISSUER_UNTRUSTED = "CLAIM_ISSUER_UNTRUSTED"
    INVESTOR_CLASS_NOT_ELIGIBLE = "INVESTOR_CLASS_NOT_ELIGIBLE"
    SUITABILITY_MISSING = "SUITABILITY_MISSING"
    RISK_GRADE_EXCEEDED = "RISK_GRADE_EXCEEDED"
    JURISDICTION_BARRED = "JURISDICTION_BARRED"
    SANCTIONED = "SANCTIONED"
    ANNUAL_NET_PURCHASE_LIMIT = "ANNUAL_NET_PURCHASE_LIMIT"
    SUBSCRIPTION_LIMIT = "SUBSCRIPTION_LIMIT"
    HOLDING_LIMIT = "HOLDING_LIMIT"
    HOLDER_COUNT_LIMIT = "HOLDER_COUNT_LIMIT"
    INSUFFICIENT_CASH = "INSUFFICIENT_CASH"
    INSUFFICIENT_SECURITIES = "INSUFFICIENT_SECURITIES"
    SECURITIES_PLEDGED = "SECURITIES_PLEDGED"
    ALREADY_PLEDGED = "ALREADY_PLEDGED"
    SECURITIES_RESTRICTED = "SECURITIES_RESTRICTED"
    SECURITIES_FROZEN = "SECURITIES_FROZEN"
    LOCKUP_ACTIVE = "LOCKUP_ACTIVE"
    SURVEILLANCE_BLOCK = "SURVEILLANCE_BLOCK"
    SELF_TRADE_PREVENTED = "SELF_TRADE_PREVENTED"
    INSIDER_BLACKOUT = "INSIDER_BLACKOUT"
    SETTLEMENT_UNMATCHED = "SETTLEMENT_UNMATCHED"
    DVP_LEG_MISSING = "DVP_LEG_MISSING"
    CASH_CONFIRM_INVALID = "CASH_CONFIRM_INVALID"
    HOLD_EXPIRED = "HOLD_EXPIRED"
    NOT_REGISTERED = "NOT_REGISTERED"
    SUPPLY_CAP_EXCEEDED = "SUPPLY_CAP_EXCEEDED"
    RECONCILIATION_BREAK = "RECONCILIATION_BREAK"
    CONVERSION_QUANTITY_MISMATCH = "CONVERSION_QUANTITY_MISMATCH"
    ROLE_REQUIRED = "ROLE_REQUIRED"
    DUAL_CONTROL_REQUIRED = "DUAL_CONTROL_REQUIRED"
    LEGAL_BASIS_REQUIRED = "LEGAL_BASIS_REQUIRED"
    SIGNATURE_POLICY_UNMET = "SIGNATURE_POLICY_UNMET"
    TRANSFER_REASON_REQUIRED = "TRANSFER_REASON_REQUIRED"
    OFF_VENUE_SALE_BARRED = "OFF_VENUE_SALE_BARRED"
    RECOVERY_COOLDOWN = "RECOVERY_COOLDOWN"
    UPGRADE_TIMELOCK = "UPGRADE_TIMELOCK"
    NONCE_REPLAYED = "NONCE_REPLAYED"
    SIGNATURE_INVALID = "SIGNATURE_INVALID"
    NODE_NOT_PERMITTED = "NODE_NOT_PERMITTED"
    LEDGER_UNAVAILABLE = "LEDGER_UNAVAILABLE"
    LEDGER_NOT_FINAL = "LEDGER_NOT_FINAL"
    RULE_VERSION_UNKNOWN = "RULE_VERSION_UNKNOWN"
    PII_ON_CHAIN_FORBIDDEN = "PII_ON_CHAIN_FORBIDDEN"
    ACCESS_SCOPE_DENIED = "ACCESS_SCOPE_DENIED"
    RETENTION_LOCK = "RETENTION_LOCK"
    CA_RECORD_DATE_INVALID = "CA_RECORD_DATE_INVALID"
    CA_POOL_MISMATCH = "CA_POOL_MISMATCH"
    ISSUE_FILE_INCOMPLETE = "ISSUE_FILE_INCOMPLETE"
    ISSUE_AMOUNT_MISMATCH = "ISSUE_AMOUNT_MISMATCH"
    SUBSCRIPTION_CLOSED = "SUBSCRIPTION_CLOSED"


class Meaning(NamedTuple):
    """What a refusal says on each channel; `arguments` is its Solidity error's parameter list, None off chain."""

    title: str
    fix: int | None = None
    iso: str | None = None
    arguments: str | None = None


_SHORTFALL = "address account, uint256 available, uint256 needed"
_R = Refusal

#: FIX is OrdRejReason (103), or None where no order can meet it; ISO is the reason in sese and pacs messages.
REFUSALS: dict[Refusal, Meaning] = {
    _R.INSTRUMENT_UNKNOWN: Meaning("The instrument is not in the venue's master.", 1, "DSEC"),
    _R.IDENTIFIER_INVALID: Meaning("The identifier's check digit is wrong.", 1, "DSEC", "bytes32 identifier"),
    _R.INSTRUMENT_TYPE_NOT_LICENSED: Meaning("The venue's licence does not cover this type of instrument.", 1),
    _R.RELATED_PARTY_INSTRUMENT: Meaning(
        "The venue or a related party issued, underwrote, arranged or entrusted it.", 99
    ),
    _R.ADMISSION_CRITERIA_UNMET: Meaning("A criterion of admission is not met.", 99),
    _R.LEDGER_AUDIT_EXPIRED: Meaning(
        "The ledger's independent audit is older than allowed.", 99, None, "bytes32 codeHash, uint256 expiresAt"
    ),
    _R.CODE_HASH_MISMATCH: Meaning("The deployed code is not the audited build.", 99, None, "bytes32 codeHash"),
    _R.DISCLOSURE_STALE: Meaning("A periodic report is overdue.", 99),
    _R.INSTRUMENT_SUSPENDED: Meaning("Trading in the instrument is suspended.", 2, "BLOC"),
    _R.INSTRUMENT_DELISTED: Meaning("The instrument was released from the venue.", 2, "BLOC"),
    _R.INSTRUMENT_TERMINATED: Meaning("The instrument was terminated.", 2, "BLOC", ""),
    _R.TOKEN_PAUSED: Meaning("The token is paused.", 2, "BLOC", ""),
    _R.EMERGENCY_SUSPENSION: Meaning("The supervisor suspended the network.", 99, "BLOC", ""),
    _R.INSTITUTION_TRANSFER_RESTRICTED: Meaning(
        "The institution's transfers are restricted.", 99, "BLOC", "bytes20 member"
    ),
    _R.MARKET_CLOSED: Meaning("The session does not accept orders.", 2, "LATE"),
    _R.TOO_LATE: Meaning("The deadline has passed.", 4, "LATE", "uint256 deadline, uint256 at"),
    _R.DUPLICATE_ORDER: Meaning("The client order id was used today for another order.", 6, "DUPL"),
    _R.DUPLICATE_INSTRUCTION: Meaning("The instruction was already carried out.", 6, "DUPL", "bytes32 instruction"),
    _R.ORDER_TYPE_UNSUPPORTED: Meaning("Only limit orders are taken.", 11),
    _R.SHORT_SALE_PROHIBITED: Meaning("Short sales are not allowed.", 11),
    _R.MARGIN_PROHIBITED: Meaning("Margin is not allowed.", 11),
    _R.PRICE_OUT_OF_BAND: Meaning("The price lies outside the day's band.", 16),
    _R.TICK_INVALID: Meaning("The price is not a multiple of its tick.", 18),
    _R.LOT_INVALID: Meaning(
        "The quantity is not a positive multiple of the lot.", 13, None, "uint256 units, uint256 lot"
    ),
    _R.SELF_TRANSFER: Meaning("Sender and receiver are the same account.", 13, None, "address account"),
    _R.BROKER_NOT_MEMBER: Meaning("The broker is not a member of the venue.", 0, None, "bytes20 member"),
    _R.BROKER_SUSPENDED: Meaning("The broker's membership is suspended.", 0, None, "bytes20 member"),
    _R.BROKER_HALTED: Meaning("The broker's order flow is halted.", 99),
    _R.RATE_LIMITED: Meaning("Too many requests.", 99),
    _R.ACCOUNT_UNKNOWN: Meaning("The account is not known.", 15, "SAFE", "address account"),
    _R.ACCOUNT_CLOSED: Meaning("The account is closed.", 15, "SAFE", "address account"),
    _R.ACCOUNT_LEGAL_HOLD: Meaning("The account is frozen or under a legal hold.", 15, "BLOC", "address account"),
    _R.NOT_ACCOUNT_MANAGER: Meaning(
        "The institution does not manage the account.", 15, "SAFE", "address account, bytes20 member"
    ),
    _R.SEGREGATION_VIOLATION: Meaning("Client and own assets would mix.", 15, "SAFE", "address account, address other"),
    _R.INVESTOR_NOT_VERIFIED: Meaning("The receiver is not a verified investor.", 10, None, "address account"),
    _R.SENDER_NOT_VERIFIED: Meaning(
        "The sender is not registered, or was revoked for cause.", 10, None, "address account"
    ),
    _R.INVESTOR_CLAIM_EXPIRED: Meaning(
        "A claim of the receiver has expired.", 10, None, "address account, uint256 until"
    ),
    _R.CLAIM_ISSUER_UNTRUSTED: Meaning("The claim's issuer is not trusted.", 10, None, "address issuer"),
    _R.INVESTOR_CLASS_NOT_ELIGIBLE: Meaning(
        "The instrument is not open to this class of investor.", 10, None, "address account, uint8 class"
    ),
    _R.SUITABILITY_MISSING: Meaning("No valid suitability result is on file.", 10),
    _R.RISK_GRADE_EXCEEDED: Meaning("The instrument is riskier than the investor's grade.", 10),
    _R.JURISDICTION_BARRED: Meaning(
        "The instrument is closed to this country.", 10, None, "address account, uint16 country"
    ),
    _R.SANCTIONED: Meaning("The person is on a sanctions list.", 10),
    _R.ANNUAL_NET_PURCHASE_LIMIT: Meaning("The annual limit of net purchases would be exceeded.", 3),
    _R.SUBSCRIPTION_LIMIT: Meaning(
        "The limit of this offering would be exceeded.", 3, None, "address identity, uint256 units, uint256 limit"
    ),
    _R.HOLDING_LIMIT: Meaning(
        "The holding limit would be exceeded.", 3, None, "address identity, uint256 position, uint256 limit"
    ),
    _R.HOLDER_COUNT_LIMIT: Meaning(
        "The number of holders would exceed its limit.", 3, None, "uint256 holders, uint256 limit"
    ),
    _R.INSUFFICIENT_CASH: Meaning("Cash does not cover the purchase.", 3, "MONY", _SHORTFALL),
    _R.INSUFFICIENT_SECURITIES: Meaning("The balance does not cover the sale.", 99, "LACK", _SHORTFALL),
    _R.SECURITIES_PLEDGED: Meaning("The units are pledged.", 99, "BLOC", _SHORTFALL),
    _R.ALREADY_PLEDGED: Meaning("The units are pledged already.", 99, "BLOC", _SHORTFALL),
    _R.SECURITIES_RESTRICTED: Meaning("The units are restricted.", 99, "BLOC", _SHORTFALL),
    _R.SECURITIES_FROZEN: Meaning("The units are frozen.", 99, "BLOC", _SHORTFALL),
    _R.LOCKUP_ACTIVE: Meaning("The units are locked up.", 99, "BLOC", _SHORTFALL),
    _R.SURVEILLANCE_BLOCK: Meaning("Market surveillance refuses orders of this account.", 12),
    _R.SELF_TRADE_PREVENTED: Meaning("The order met an order of the same person.", 12),
    _R.INSIDER_BLACKOUT: Meaning("The person is in a blackout period.", 12, None, "address identity, uint256 until"),
    _R.SETTLEMENT_UNMATCHED: Meaning("The two sides do not agree on a field.", None, "DQUA", "bytes32 field"),
    _R.DVP_LEG_MISSING: Meaning("One leg of the settlement is missing.", None, "CMIS", "uint64 tradeId"),
    _R.CASH_CONFIRM_INVALID: Meaning("The cash confirmation is not valid.", None, "DMON", "bytes32 ref, bytes32 field"),
    _R.HOLD_EXPIRED: Meaning("The hold has expired.", None, "DDAT", "uint64 tradeId, uint256 expiresAt"),
    _R.NOT_REGISTERED: Meaning("The registrar has not registered a quantity.", None, None, "address token"),
    _R.SUPPLY_CAP_EXCEEDED: Meaning(
        "The registered quantity would be exceeded.", None, None, "uint256 registered, uint256 supply"
    ),
    _R.RECONCILIATION_BREAK: Meaning("A quantity invariant is broken."),
    _R.CONVERSION_QUANTITY_MISMATCH: Meaning(
        "The quantities of a conversion differ.", None, None, "uint256 expected, uint256 found"
    ),
    _R.ROLE_REQUIRED: Meaning("The caller lacks the role.", None, None, "bytes32 role"),
    _R.DUAL_CONTROL_REQUIRED: Meaning("Two people of two institutions must approve.", None, None, ""),
    _R.LEGAL_BASIS_REQUIRED: Meaning("A legal basis and a document are required.", None, None, ""),
    _R.SIGNATURE_POLICY_UNMET: Meaning(
        "The signatures do not meet the policy.", None, None, "uint256 signed, uint256 electors"
    ),
    _R.TRANSFER_REASON_REQUIRED: Meaning(
        "An off-market move needs a reason and a document.", None, None, "address from, address to"
    ),
    _R.OFF_VENUE_SALE_BARRED: Meaning("A sale between customers goes through the venue.", arguments=""),
    _R.RECOVERY_COOLDOWN: Meaning(
        "The waiting time of the recovery has not passed.", None, None, "uint256 eta, uint256 at"
    ),
    _R.UPGRADE_TIMELOCK: Meaning("The upgrade's waiting time has not passed.", None, None, "uint256 eta, uint256 at"),
    _R.NONCE_REPLAYED: Meaning("The nonce was used, cancelled or replaced.", 99, None, "bytes20 member, uint256 nonce"),
    _R.SIGNATURE_INVALID: Meaning("The signature is not by a key that may sign this.", 99, None, "address signer"),
    _R.NODE_NOT_PERMITTED: Meaning("The node is not permitted.", 99),
    _R.LEDGER_UNAVAILABLE: Meaning("The ledger is not current.", 99),
    _R.LEDGER_NOT_FINAL: Meaning("The block is not final.", 99),
    _R.RULE_VERSION_UNKNOWN: Meaning("The rule set is not known.", 99, None, "uint32 version"),
    _R.PII_ON_CHAIN_FORBIDDEN: Meaning("Text on the chain is not allowed.", None, None, ""),
    _R.ACCESS_SCOPE_DENIED: Meaning("The caller may not read this."),
    _R.RETENTION_LOCK: Meaning("The record must be retained."),
    _R.CA_RECORD_DATE_INVALID: Meaning("The record date is not valid.", None, None, "uint256 id"),
    _R.CA_POOL_MISMATCH: Meaning("Payouts and residue differ from the pool.", None, None, "uint256 pool, uint256 paid"),
    _R.ISSUE_FILE_INCOMPLETE: Meaning("A field of the issue file is missing or malformed."),
    _R.ISSUE_AMOUNT_MISMATCH: Meaning("Units times unit price differ from the issue amount."),
    _R.SUBSCRIPTION_CLOSED: Meaning("The subscription is closed."),
}


def error_name(refusal: Refusal) -> str:
    """Return the Solidity error of a refusal: its code in CapWords."""
    return refusal.value.title().replace("_", "")
