// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @notice A question to those who held an issue at a record date; options count from zero.
struct Question {
    /// The security.
    address token;
    /// The token's record date.
    uint24 recordId;
    /// Number of options, 2 to 32.
    uint8 options;
    /// First second of block time of the vote.
    uint40 opensAt;
    /// Last second of block time of the vote.
    uint40 closesAt;
    /// Hash of the question's text.
    bytes32 document;
}

/// @title IBallot
/// @notice Unit-weighted votes on a record date, counted on chain.
/// @dev An account votes with the units it held at the record date, less those that Authority barred before the vote
/// opened (a court's order, treasury units, units whose voter is in dispute); trust-marked units vote like others, as
/// the account's manager instructs for the trustee. The manager of today signs typed data `Vote(bytes32 ballot,
/// address account,uint8 option,uint32 sequence)`; a later sequence replaces the vote until the ballot closes, so an
/// earlier statement never comes back. Assumes a token with record dates.
interface IBallot {
    /// @notice The id was used before.
    error BallotIdUsed(bytes32 id);

    /// @notice There is no such ballot.
    error BallotIdUnknown(bytes32 id);

    /// @notice The document is missing, the options are not 2 to 32, or the times are out of order.
    error BallotQuestionInvalid(bytes32 id);

    /// @notice The vote has not opened yet.
    error BallotNotOpen(uint40 opensAt, uint256 at);

    /// @notice The vote has opened: who may vote stays as it is.
    error BallotAlreadyOpen(uint40 opensAt, uint256 at);

    /// @notice The question has no such option.
    error BallotOptionUnknown(uint8 option, uint8 options);

    /// @notice A question was put.
    event BallotOpened(bytes32 indexed id, address indexed token, Question question);

    /// @notice So many units of an account do not vote; this replaces what was said before.
    event VotesBarred(bytes32 indexed id, address indexed account, uint96 units, bytes32 basis, bytes32 document);

    /// @notice An account voted; this replaces its earlier vote.
    event VoteCast(bytes32 indexed id, address indexed account, uint8 option, uint96 weight, uint32 sequence);

    /// @notice Constructor of the proxy: everything belongs to `owner`.
    function initialize(address owner, address memberRegistry, address identityRegistry) external;

    /// @notice Puts a question.
    /// @dev Requirements: the caller is the owner; a fresh id; the document is given; 2 to 32 options; it opens now or
    /// later and closes after that; the record date exists (CA_RECORD_DATE_INVALID). Emits {BallotOpened}.
    function put(bytes32 id, Question calldata question) external;

    /// @notice Bars units of an account from voting.
    /// @dev Requirements: the caller is the owner; the vote has not opened; basis and document are given. Emits
    /// {VotesBarred}.
    function bar(bytes32 id, address account, uint96 units, bytes32 basis, bytes32 document) external;

    /// @notice Casts or replaces an account's vote; anyone relays.
    /// @dev Requirements: open; a known option; the account's manager signed; the sequence is above the last one
    /// (NONCE_REPLAYED); the account held units (INSUFFICIENT_SECURITIES), not all of them barred
    /// (SECURITIES_RESTRICTED). Emits {VoteCast}.
    function vote(bytes32 id, address account, uint8 option, uint32 sequence, bytes calldata signature) external;

    /// @notice Units by option, and the units that could vote were none barred.
    function tally(bytes32 id) external view returns (uint96[] memory units, uint256 supply);

    /// @notice An account's vote; sequence zero if it has not voted.
    function voteOf(bytes32 id, address account) external view returns (uint8 option, uint96 weight, uint32 sequence);
}
