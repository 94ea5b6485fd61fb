// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Grounds} from "./IAuthority.sol";

/// @notice What a measure bars: see {ILegalActions}. `until` zero means without end.
struct MeasureTerms {
    /// Issue 1, institution 2, account 3, network 4, units 5.
    uint8 scope;
    /// Of a hold in all issues: no sale 1, no purchase 2, both 3; otherwise 0.
    uint8 effect;
    /// Last second of block time at which only the owner lifts it; zero without end.
    uint40 until;
    /// The issue; zero for all, or where there is none.
    address token;
    /// The account, or the member's LEI; zero for issue and network.
    bytes20 subject;
    /// Units that are frozen, of scope 5 alone.
    uint96 units;
}

/// @notice The supervisor's immediate suspension of the network, signed by it alone.
struct Suspension {
    /// Code of the legal basis.
    bytes32 basis;
    /// SHA-256 of the document.
    bytes32 document;
    /// Last second of block time at which only the owner lifts it; zero without end.
    uint40 until;
    /// Fresh for the supervisor.
    uint256 nonce;
    /// Last block time in seconds at which it is taken.
    uint40 deadline;
}

/// @notice An account manager's hold on an account of its own, signed by it alone.
struct AccountHold {
    /// The securities account.
    address account;
    /// Code of the legal basis.
    bytes32 basis;
    /// SHA-256 of the document.
    bytes32 document;
    /// Last second of block time at which only the owner lifts it.
    uint40 until;
    /// Fresh for the manager.
    uint256 nonce;
    /// Last block time in seconds at which it is taken.
    uint40 deadline;
}

/// @notice Units that go from one account to another by force, or out of existence where `to` is zero.
struct ForcedMove {
    /// The security.
    address token;
    /// The account that loses the units.
    address from;
    /// The account that gets them; zero cancels them.
    address to;
    /// Units.
    uint96 units;
}

/// @title ILegalActions
/// @notice What the law does to holders without them: measures, forced transfers, cancelations, corrections and
/// recoveries, each with who did it, on what legal basis and by what document.
/// @dev Scopes of measures: ISSUE 1 (pauses the token), INSTITUTION 2 (bars the customers of the member `subject`, in
/// one issue or, token zero, in all), ACCOUNT 3 (freezes the account `subject` in one issue; with token zero holds it
/// in all, effect 1 barring sales, 2 purchases, 3 both), NETWORK 4 (suspends all transfers), UNITS 5 (freezes units of
/// the account `subject` in one issue). Measures on one subject are counted: what one of them bars stays barred until
/// the last of them is lifted, and what was barred before the first stays so after the last. A measure on an account
/// follows a recovery. Functions of the owner run under two institutions' signatures, whose grounds Authority tells;
/// assumes the agent's role in tokens and in the identity registry.
interface ILegalActions {
    /// @notice A measure. Status: ACTIVE 1, LIFTED 2; zero if there is none.
    struct Measure {
        /// What it bars.
        MeasureTerms terms;
        /// Active 1, lifted 2; zero if there is none.
        uint8 status;
        /// Whether it lapses at its end unless two institutions confirm it.
        bool provisional;
        /// On what it rests.
        Grounds grounds;
    }

    /// @notice The recovery of a lost account's units in one issue. Status: WAITING 1, EXECUTED 2, CANCELED 3.
    struct Recovery {
        /// The security.
        address token;
        /// The account that was lost.
        address lost;
        /// The account that gets the units.
        address successor;
        /// The identity of both.
        address identity;
        /// First second of block time at which it may be carried out.
        uint40 eta;
        /// Waiting 1, executed 2, canceled 3; zero if there is none.
        uint8 status;
    }

    /// @notice The terms do not fit the scope, or the end does not lie ahead.
    error LegalActionsTermsInvalid(uint8 scope);

    /// @notice There is no such measure, or it was lifted.
    error LegalActionsMeasureNotActive(uint64 id);

    /// @notice The measure needs no confirmation.
    error LegalActionsNotProvisional(uint64 id);

    /// @notice A manager's hold ends, and not after `latest`.
    error LegalActionsHoldTooLong(uint40 until, uint256 latest);

    /// @notice The manager may hold the account again from `earliest` on.
    error LegalActionsHoldRepeated(address account, uint40 earliest);

    /// @notice The account is not of this identity.
    error LegalActionsIdentityMismatch(address account, address identity);

    /// @notice There is no such recovery, or it was carried out or withdrawn.
    error LegalActionsRecoveryNotWaiting(uint64 id);

    /// @notice The account was recovered: its successor is `holder`.
    error LegalActionsAccountRecovered(address account, address holder);

    /// @notice There is no move.
    error LegalActionsEmpty();

    /// @notice A measure holds from now on; provisional ones lapse unless confirmed.
    event MeasureImposed(
        uint64 indexed id,
        uint8 indexed scope,
        address indexed token,
        bytes20 subject,
        uint8 effect,
        uint96 units,
        uint40 until,
        bool provisional,
        Grounds grounds
    );

    /// @notice Two institutions confirmed a measure of one, until another time.
    event MeasureConfirmed(uint64 indexed id, uint40 until, Grounds grounds);

    /// @notice A measure ended; the grounds are zero where its time had passed.
    event MeasureLifted(uint64 indexed id, Grounds grounds);

    /// @notice Units moved by force, or were canceled where `to` is zero.
    event UnitsForced(
        uint64 indexed id, address indexed token, address indexed from, address to, uint96 units, Grounds grounds
    );

    /// @notice The forced move `id` corrects an original entry, which stays as it is.
    event CorrectionEntered(uint64 indexed id, bytes32 indexed original, bytes32 cause, Grounds grounds);

    /// @notice A lost account's units will move to another account of the same identity.
    event RecoveryRequested(
        uint64 indexed id,
        address indexed token,
        address indexed lost,
        address successor,
        address identity,
        uint40 eta,
        Grounds grounds
    );

    /// @notice A recovery was carried out.
    event RecoveryExecuted(uint64 indexed id, address indexed token, address indexed lost, address successor);

    /// @notice A recovery will not be carried out.
    event RecoveryCanceled(uint64 indexed id, Grounds grounds);

    /// @notice Constructor of the proxy: everything belongs to `owner`, which is Authority.
    function initialize(address owner, address memberRegistry, address identityRegistry) external;

    /// @notice Imposes a measure.
    /// @dev Requirements: the caller is the owner; the terms fit the scope; `until` is zero or lies ahead; the account
    /// was not recovered (its successor is the one to name).
    /// Emits {MeasureImposed}.
    function impose(MeasureTerms calldata terms) external returns (uint64 id);

    /// @notice Lifts a measure.
    /// @dev Requirements: it is active; the caller is the owner, or anyone once its time has passed.
    /// Emits {MeasureLifted}.
    function lift(uint64 id) external;

    /// @notice Confirms a provisional measure until another time, zero for without end.
    /// @dev Requirements: the caller is the owner; neither institution that approves is the one that imposed it; the
    /// measure is active and provisional, its time has not passed. Emits {MeasureConfirmed}.
    function confirm(uint64 id, uint40 until) external;

    /// @notice Suspends the network at once; anyone relays.
    /// @dev Requirements: basis and document; the deadline has not passed; a fresh nonce; the EIP-712 signature of an
    /// active INSTRUCTION key of a supervisor. Emits {MeasureImposed}.
    function suspendNetwork(Suspension calldata suspension, bytes calldata signature) external returns (uint64 id);

    /// @notice Holds an account in all issues, sales and purchases, for at most 72 hours; anyone relays.
    /// @dev Requirements: as {suspendNetwork}, by the account's manager; not within 30 days of such a hold's end.
    /// Emits {MeasureImposed}.
    function holdAccount(AccountHold calldata hold, bytes calldata signature) external returns (uint64 id);

    /// @notice Moves or cancels units by force, all or nothing.
    /// @dev Requirements: the caller is the owner; there is a move; the token's own. Emits {UnitsForced} each.
    function forceTransfers(ForcedMove[] calldata moves) external;

    /// @notice Corrects an entry by compensating ones.
    /// @dev Requirements: as {forceTransfers}; the original and the cause are named. Emits {UnitsForced} and
    /// {CorrectionEntered} each.
    function correct(bytes32 original, bytes32 cause, ForcedMove[] calldata entries) external;

    /// @notice Begins the waiting time of a recovery: three days.
    /// @dev Requirements: the caller is the owner; both accounts are registered, are different and have this identity.
    /// Emits {RecoveryRequested}.
    function requestRecovery(address token, address lost, address successor, address identity)
        external
        returns (uint64 id);

    /// @notice Carries out a recovery; anyone may.
    /// @dev Requirements: it waits, its time has come, and both accounts still have this identity.
    /// Emits {RecoveryExecuted}.
    function executeRecovery(uint64 id) external;

    /// @notice Withdraws a recovery.
    /// @dev Requirements: the caller is the owner; it waits. Emits {RecoveryCanceled}.
    function cancelRecovery(uint64 id) external;

    /// @notice A measure; all zero if there is none.
    function measureOf(uint64 id) external view returns (Measure memory);

    /// @notice A recovery; all zero if there is none.
    function recoveryOf(uint64 id) external view returns (Recovery memory);

    /// @notice How many active measures bar a subject; `effect` is one bit of a hold in all issues, zero otherwise.
    function countOf(uint8 scope, address token, bytes20 subject, uint8 effect) external view returns (uint32);

    /// @notice Whether a member used a nonce.
    function nonceUsed(bytes20 member, uint256 nonce) external view returns (bool);
}
