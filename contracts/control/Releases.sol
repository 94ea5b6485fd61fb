// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "./Governed.sol";
import {IReleases} from "../interfaces/IReleases.sol";

/// @title Releases
contract Releases is Governed, IReleases {
    /// @custom:storage-location erc7201:stoken.storage.Releases
    struct Data {
        mapping(bytes32 codeHash => Release) releases;
    }

    uint40 private constant _VALIDITY_MAX = 366 days;

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.Releases")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc IReleases
    function initialize(address owner) external initializer {
        __Ownable_init(owner);
    }

    /// @inheritdoc IReleases
    function record(bytes32 codeHash, bytes32 report, bytes32 compatibility, uint40 auditedAt, uint40 expiresAt)
        external
        onlyOwner
    {
        if (codeHash == 0 || report == 0 || compatibility == 0) revert ReleasesRecordIncomplete(codeHash);
        Release storage release = _data().releases[codeHash];
        bool misdated = auditedAt > block.timestamp || auditedAt < release.auditedAt;
        if (misdated || expiresAt <= auditedAt || expiresAt - auditedAt > _VALIDITY_MAX) {
            revert ReleasesPeriodInvalid(auditedAt, expiresAt);
        }
        _data().releases[codeHash] = Release(report, compatibility, auditedAt, expiresAt);
        emit ReleaseRecorded(codeHash, report, compatibility, auditedAt, expiresAt);
    }

    /// @inheritdoc IReleases
    function releaseOf(bytes32 codeHash) external view returns (Release memory) {
        return _data().releases[codeHash];
    }

    /// @inheritdoc IReleases
    function requireAudited(address implementation) external view {
        _requireAudited(implementation.codehash);
    }

    /// @inheritdoc IReleases
    function requireInstanceAudited(address instance) external view {
        _requireAudited(instanceHash(instance));
    }

    /// @inheritdoc IReleases
    function instanceHash(address instance) public view returns (bytes32) {
        return keccak256(abi.encode(instance, instance.codehash));
    }

    function _requireAudited(bytes32 codeHash) private view {
        uint40 expiresAt = _data().releases[codeHash].expiresAt;
        if (expiresAt == 0) revert CodeHashMismatch(codeHash);
        if (block.timestamp > expiresAt) revert LedgerAuditExpired(codeHash, expiresAt);
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
