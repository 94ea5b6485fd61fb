// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @notice A payout of an issue to those who held it at a record date; amounts in the smallest unit of the currency,
/// `amount` before and `withheld` of tax in it.
struct Payout {
    /// The security.
    address token;
    /// The token's record date.
    uint24 recordId;
    /// The paying institution: 20 characters of its LEI.
    bytes20 payer;
    /// Units at the record date, all lines together.
    uint96 units;
    /// Sum of all lines, before tax.
    uint96 amount;
    /// Tax withheld, in `amount`.
    uint96 withheld;
    /// Root of the Merkle tree of the lines.
    bytes32 root;
    /// Hash of the decision.
    bytes32 document;
}

/// @notice What one account is paid.
struct PayoutLine {
    /// The securities account.
    address account;
    /// Its units at the record date.
    uint96 units;
    /// What it is due, before tax.
    uint96 amount;
    /// Tax withheld, in `amount`.
    uint96 withheld;
}

/// @title IDistribution
/// @notice Payouts by record date: a Merkle root and its totals, each line provable and paid at most once.
/// @dev A leaf is keccak256(keccak256(abi.encode(id, account, units, amount, withheld))), hashed twice so that no inner
/// node passes for a leaf; pairs are hashed in ascending order. The money moves elsewhere: the paying institution
/// signs, by a key of scope CASH, which lines it paid under which reference, as typed data `Payment(bytes32 id,
/// bytes32[] leaves,bytes32 ref,uint40 deadline)`. Assumes a token with record dates.
interface IDistribution {
    /// @notice The id was used before.
    error DistributionIdUsed(bytes32 id);

    /// @notice There is no such payout.
    error DistributionIdUnknown(bytes32 id);

    /// @notice The payout has ended.
    error DistributionClosed(bytes32 id);

    /// @notice Root, amount, payer or document is missing.
    error DistributionEmpty(bytes32 id);

    /// @notice There is not one proof for each line.
    error DistributionLengthMismatch(uint256 lines, uint256 proofs);

    /// @notice The line is not one of the payout.
    error DistributionProofInvalid(bytes32 id, address account);

    /// @notice The account was paid already.
    error DistributionLinePaid(bytes32 id, address account);

    /// @notice A payout was announced.
    event DistributionOpened(bytes32 indexed id, address indexed token, Payout payout);

    /// @notice A line was paid.
    event DistributionPaid(
        bytes32 indexed id, address indexed account, uint96 units, uint96 amount, uint96 withheld, bytes32 ref
    );

    /// @notice A payout ended; what was not paid is explained by the document.
    event DistributionEnded(bytes32 indexed id, uint96 unpaid, uint96 unwithheld, bytes32 document);

    /// @notice Constructor of the proxy: everything belongs to `owner`.
    function initialize(address owner, address memberRegistry, address identityRegistry) external;

    /// @notice Announces a payout.
    /// @dev Requirements: the caller is the owner; a fresh id; root, document, payer and amount are given; tax at most
    /// the amount; the record date exists and its supply equals the units (CA_RECORD_DATE_INVALID). Emits
    /// {DistributionOpened}.
    function open(bytes32 id, Payout calldata payout) external;

    /// @notice Records lines as paid; anyone relays.
    /// @dev Requirements: open; the deadline has not passed; the payer signed; every line is proven and not yet paid;
    /// no total is exceeded (CA_POOL_MISMATCH). Emits {DistributionPaid} each.
    function pay(
        bytes32 id,
        PayoutLine[] calldata lines,
        bytes32[][] calldata proofs,
        bytes32 ref,
        uint40 deadline,
        bytes calldata signature
    ) external;

    /// @notice Ends a payout.
    /// @dev Requirements: the caller is the owner; open; all is paid, or a document says why not (CA_POOL_MISMATCH).
    /// Emits {DistributionEnded}.
    function close(bytes32 id, bytes32 document) external;

    /// @notice Whether a line belongs to a payout.
    function prove(bytes32 id, PayoutLine calldata line, bytes32[] calldata proof) external view returns (bool);

    /// @notice Whether an account was paid.
    function isPaid(bytes32 id, address account) external view returns (bool);

    /// @notice A payout, what of it was paid, and whether it ended.
    function payoutOf(bytes32 id)
        external
        view
        returns (Payout memory payout, uint96 units, uint96 amount, uint96 withheld, bool ended);
}
