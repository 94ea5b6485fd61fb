// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title IReleases
/// @notice The upgrade file: which code was audited, by what report, tested against what, and until when that counts.
/// @dev A code hash is the EXTCODEHASH of the deployed implementation, so code is recorded after it is deployed and
/// before it is used. Code that was replaced stays recorded, so that a rollback finds its audit. Of a contract that is
/// put in another's place the code hash says nothing, since it is a proxy's: it is recorded by its {instanceHash}, after
/// its auditor looked at the code behind it, its owner and its storage.
interface IReleases {
    /// @notice The hash of the audit's report, that of the compatibility test's report, and the audit's validity.
    struct Release {
        /// Hash of the audit's report.
        bytes32 report;
        /// Hash of the compatibility test's report.
        bytes32 compatibility;
        /// Block time in seconds of the audit.
        uint40 auditedAt;
        /// Last second of block time at which it counts.
        uint40 expiresAt;
    }

    /// @notice Hash of the code, or of a report, is missing.
    error ReleasesRecordIncomplete(bytes32 codeHash);

    /// @notice The audit lies ahead or before the last one, or the period is empty or longer than 366 days.
    error ReleasesPeriodInvalid(uint40 auditedAt, uint40 expiresAt);

    /// @notice Code was audited; a later audit of the same code replaces this one.
    event ReleaseRecorded(
        bytes32 indexed codeHash, bytes32 report, bytes32 compatibility, uint40 auditedAt, uint40 expiresAt
    );

    /// @notice Constructor of the proxy: everything belongs to `owner`.
    function initialize(address owner) external;

    /// @notice Records an audit.
    /// @dev Requirements: the caller is the owner; both reports are named; the audit is not in the future, nor older
    /// than the one recorded, and counts for at most 366 days. Emits {ReleaseRecorded}.
    function record(bytes32 codeHash, bytes32 report, bytes32 compatibility, uint40 auditedAt, uint40 expiresAt)
        external;

    /// @notice The audit of a code hash; all zero if there is none.
    function releaseOf(bytes32 codeHash) external view returns (Release memory);

    /// @notice What stands for one deployed contract: keccak256(abi.encode(its address, its code hash)).
    function instanceHash(address instance) external view returns (bytes32);

    /// @notice Reverts, as {requireAudited}, unless this very contract has an audit that counts now.
    function requireInstanceAudited(address instance) external view;

    /// @notice Reverts unless the code of this address has an audit that counts now.
    /// @dev Reverts with CodeHashMismatch where none is recorded, with LedgerAuditExpired where it has expired.
    function requireAudited(address implementation) external view;
}
