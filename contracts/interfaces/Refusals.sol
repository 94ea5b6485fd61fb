// SPDX-License-Identifier: Apache-2.0
// Generated from stoken/domain/refusals.py by tools/generate.py: do not edit.
pragma solidity ^0.8.20;

/// @title Refusals
/// @notice The reasons for which the suite refuses, one custom error a refusal code.
interface Refusals {
    /// @notice The identifier's check digit is wrong.
    error IdentifierInvalid(bytes32 identifier);

    /// @notice The ledger's independent audit is older than allowed.
    error LedgerAuditExpired(bytes32 codeHash, uint256 expiresAt);

    /// @notice The deployed code is not the audited build.
    error CodeHashMismatch(bytes32 codeHash);

    /// @notice The instrument was terminated.
    error InstrumentTerminated();

    /// @notice The token is paused.
    error TokenPaused();

    /// @notice The supervisor suspended the network.
    error EmergencySuspension();

    /// @notice The institution's transfers are restricted.
    error InstitutionTransferRestricted(bytes20 member);

    /// @notice The deadline has passed.
    error TooLate(uint256 deadline, uint256 at);

    /// @notice The instruction was already carried out.
    error DuplicateInstruction(bytes32 instruction);

    /// @notice The quantity is not a positive multiple of the lot.
    error LotInvalid(uint256 units, uint256 lot);

    /// @notice Sender and receiver are the same account.
    error SelfTransfer(address account);

    /// @notice The broker is not a member of the venue.
    error BrokerNotMember(bytes20 member);

    /// @notice The broker's membership is suspended.
    error BrokerSuspended(bytes20 member);

    /// @notice The account is not known.
    error AccountUnknown(address account);

    /// @notice The account is closed.
    error AccountClosed(address account);

    /// @notice The account is frozen or under a legal hold.
    error AccountLegalHold(address account);

    /// @notice The institution does not manage the account.
    error NotAccountManager(address account, bytes20 member);

    /// @notice Client and own assets would mix.
    error SegregationViolation(address account, address other);

    /// @notice The receiver is not a verified investor.
    error InvestorNotVerified(address account);

    /// @notice The sender is not registered, or was revoked for cause.
    error SenderNotVerified(address account);

    /// @notice A claim of the receiver has expired.
    error InvestorClaimExpired(address account, uint256 until);

    /// @notice The claim's issuer is not trusted.
    error ClaimIssuerUntrusted(address issuer);

    /// @notice The instrument is not open to this class of investor.
    error InvestorClassNotEligible(address account, uint8 class);

    /// @notice The instrument is closed to this country.
    error JurisdictionBarred(address account, uint16 country);

    /// @notice The limit of this offering would be exceeded.
    error SubscriptionLimit(address identity, uint256 units, uint256 limit);

    /// @notice The holding limit would be exceeded.
    error HoldingLimit(address identity, uint256 position, uint256 limit);

    /// @notice The number of holders would exceed its limit.
    error HolderCountLimit(uint256 holders, uint256 limit);

    /// @notice Cash does not cover the purchase.
    error InsufficientCash(address account, uint256 available, uint256 needed);

    /// @notice The balance does not cover the sale.
    error InsufficientSecurities(address account, uint256 available, uint256 needed);

    /// @notice The units are pledged.
    error SecuritiesPledged(address account, uint256 available, uint256 needed);

    /// @notice The units are pledged already.
    error AlreadyPledged(address account, uint256 available, uint256 needed);

    /// @notice The units are restricted.
    error SecuritiesRestricted(address account, uint256 available, uint256 needed);

    /// @notice The units are frozen.
    error SecuritiesFrozen(address account, uint256 available, uint256 needed);

    /// @notice The units are locked up.
    error LockupActive(address account, uint256 available, uint256 needed);

    /// @notice The person is in a blackout period.
    error InsiderBlackout(address identity, uint256 until);

    /// @notice The two sides do not agree on a field.
    error SettlementUnmatched(bytes32 field);

    /// @notice One leg of the settlement is missing.
    error DvpLegMissing(uint64 tradeId);

    /// @notice The cash confirmation is not valid.
    error CashConfirmInvalid(bytes32 ref, bytes32 field);

    /// @notice The hold has expired.
    error HoldExpired(uint64 tradeId, uint256 expiresAt);

    /// @notice The registrar has not registered a quantity.
    error NotRegistered(address token);

    /// @notice The registered quantity would be exceeded.
    error SupplyCapExceeded(uint256 registered, uint256 supply);

    /// @notice The quantities of a conversion differ.
    error ConversionQuantityMismatch(uint256 expected, uint256 found);

    /// @notice The caller lacks the role.
    error RoleRequired(bytes32 role);

    /// @notice Two people of two institutions must approve.
    error DualControlRequired();

    /// @notice A legal basis and a document are required.
    error LegalBasisRequired();

    /// @notice The signatures do not meet the policy.
    error SignaturePolicyUnmet(uint256 signed, uint256 electors);

    /// @notice An off-market move needs a reason and a document.
    error TransferReasonRequired(address from, address to);

    /// @notice A sale between customers goes through the venue.
    error OffVenueSaleBarred();

    /// @notice The waiting time of the recovery has not passed.
    error RecoveryCooldown(uint256 eta, uint256 at);

    /// @notice The upgrade's waiting time has not passed.
    error UpgradeTimelock(uint256 eta, uint256 at);

    /// @notice The nonce was used, cancelled or replaced.
    error NonceReplayed(bytes20 member, uint256 nonce);

    /// @notice The signature is not by a key that may sign this.
    error SignatureInvalid(address signer);

    /// @notice The rule set is not known.
    error RuleVersionUnknown(uint32 version);

    /// @notice Text on the chain is not allowed.
    error PiiOnChainForbidden();

    /// @notice The record date is not valid.
    error CaRecordDateInvalid(uint256 id);

    /// @notice Payouts and residue differ from the pool.
    error CaPoolMismatch(uint256 pool, uint256 paid);
}
