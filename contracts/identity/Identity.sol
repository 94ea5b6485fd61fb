// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ClaimForm} from "./ClaimForm.sol";
import {KeyHolder} from "./KeyHolder.sol";
import {IClaimNotes} from "../interfaces/IClaimNotes.sol";
import {IClaimIssuer, IIdentity} from "../interfaces/IIdentity.sol";

/// @title Identity
contract Identity is KeyHolder, IIdentity {
    struct Claim {
        uint256 topic;
        address issuer;
        bytes signature;
        bytes data;
        string uri;
    }

    /// @custom:storage-location erc7201:stoken.storage.Identity
    struct Data {
        mapping(bytes32 claimId => Claim) claims;
        mapping(uint256 topic => bytes32[]) ids;
    }

    uint256 private constant _ECDSA_SCHEME = 1;
    uint256 private constant _CLAIMS_MAX = 50;

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.Identity")) - 1)) & ~bytes32(uint256(0xff));

    IClaimNotes private immutable _REGISTRY;

    /// @notice The code behind every identity; it is none itself.
    constructor(address registry) {
        _REGISTRY = IClaimNotes(registry);
    }

    /// @inheritdoc IIdentity
    function addClaim(
        uint256 topic,
        uint256 scheme,
        address issuer,
        bytes calldata signature,
        bytes calldata data,
        string calldata uri
    ) external onlyPurpose(_CLAIM) returns (bytes32 claimId) {
        if (ClaimForm.untilOf(data) == 0) revert PiiOnChainForbidden();
        if (bytes(uri).length != 0 && !ClaimForm.isReference(bytes(uri))) revert PiiOnChainForbidden();
        if (
            scheme != _ECDSA_SCHEME || issuer.code.length == 0
                || !IClaimIssuer(issuer).isClaimValid(address(this), topic, signature, data)
        ) revert IdentityClaimInvalid(issuer, topic);
        claimId = keccak256(abi.encode(issuer, topic));
        Data storage $ = _data();
        bool known = $.claims[claimId].issuer != address(0);
        if (!known) {
            if ($.ids[topic].length == _CLAIMS_MAX) revert IdentityClaimsFull(topic);
            $.ids[topic].push(claimId);
        }
        $.claims[claimId] = Claim(topic, issuer, signature, data, uri);
        if (known) emit ClaimChanged(claimId, topic, scheme, issuer, signature, data, uri);
        else emit ClaimAdded(claimId, topic, scheme, issuer, signature, data, uri);
        _REGISTRY.claimChanged(address(this), issuer, topic);
    }

    /// @inheritdoc IIdentity
    function removeClaim(bytes32 claimId) external onlyPurpose(_CLAIM) returns (bool) {
        Data storage $ = _data();
        Claim memory claim = $.claims[claimId];
        if (claim.issuer == address(0)) revert IdentityClaimUnknown(claimId);
        delete $.claims[claimId];
        _drop($.ids[claim.topic], claimId);
        emit ClaimRemoved(claimId, claim.topic, _ECDSA_SCHEME, claim.issuer, claim.signature, claim.data, claim.uri);
        _REGISTRY.claimChanged(address(this), claim.issuer, claim.topic);
        return true;
    }

    /// @inheritdoc IIdentity
    function getClaim(bytes32 claimId)
        external
        view
        returns (
            uint256 topic,
            uint256 scheme,
            address issuer,
            bytes memory signature,
            bytes memory data,
            string memory uri
        )
    {
        Claim memory claim = _data().claims[claimId];
        scheme = claim.issuer == address(0) ? 0 : _ECDSA_SCHEME;
        return (claim.topic, scheme, claim.issuer, claim.signature, claim.data, claim.uri);
    }

    /// @inheritdoc IIdentity
    function getClaimIdsByTopic(uint256 topic) external view returns (bytes32[] memory) {
        return _data().ids[topic];
    }

    /// @dev An identity's keys say nothing of its claims.
    // solhint-disable-next-line no-empty-blocks
    function _keyRemoved(uint256) internal override {}

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
