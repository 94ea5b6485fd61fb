// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";

import {ClaimIssuer} from "../identity/ClaimIssuer.sol";
import {Identity} from "../identity/Identity.sol";
import {IIdentityFactory, IKeyHolder} from "../interfaces/IIdentity.sol";

/// @title IdentityFactory
contract IdentityFactory is IIdentityFactory {
    address private immutable _IDENTITY;
    address private immutable _CLAIM_ISSUER;

    /// @notice Makes the code of both, which tells this identity registry of changes.
    constructor(address registry) {
        _IDENTITY = address(new Identity(registry));
        _CLAIM_ISSUER = address(new ClaimIssuer(registry));
    }

    /// @inheritdoc IIdentityFactory
    function createIdentities(bytes32[] calldata salts, address[] calldata managementKeys)
        external
        returns (address[] memory identities)
    {
        if (salts.length != managementKeys.length) revert IdentityFactoryLengthMismatch();
        identities = new address[](salts.length);
        for (uint256 i = 0; i < salts.length; i++) {
            bool isNew;
            (identities[i], isNew) = _create(_IDENTITY, salts[i], managementKeys[i]);
            if (isNew) emit IdentityCreated(identities[i], managementKeys[i]);
        }
    }

    /// @inheritdoc IIdentityFactory
    function createClaimIssuer(bytes32 salt, address managementKey) external returns (address issuer) {
        bool isNew;
        (issuer, isNew) = _create(_CLAIM_ISSUER, salt, managementKey);
        if (!isNew) return issuer;
        emit ClaimIssuerCreated(issuer, managementKey);
        IKeyHolder(issuer).initialize(salt, managementKey);
    }

    /// @inheritdoc IIdentityFactory
    function identityAddress(bytes32 salt, address managementKey) external view returns (address) {
        return _addressOf(_IDENTITY, salt, managementKey);
    }

    /// @inheritdoc IIdentityFactory
    function claimIssuerAddress(bytes32 salt, address managementKey) external view returns (address) {
        return _addressOf(_CLAIM_ISSUER, salt, managementKey);
    }

    /// @inheritdoc IIdentityFactory
    function codeHashes() external view returns (bytes32 identity, bytes32 claimIssuer) {
        return (_codeHash(_IDENTITY), _codeHash(_CLAIM_ISSUER));
    }

    function _create(address code, bytes32 salt, address managementKey) private returns (address made, bool isNew) {
        made = _addressOf(code, salt, managementKey);
        if (made.code.length != 0) return (made, false);
        Clones.cloneDeterministic(code, _saltOf(salt, managementKey));
        isNew = true;
    }

    function _addressOf(address code, bytes32 salt, address managementKey) private view returns (address) {
        return Clones.predictDeterministicAddress(code, _saltOf(salt, managementKey));
    }

    function _saltOf(bytes32 salt, address managementKey) private pure returns (bytes32) {
        return keccak256(abi.encode(salt, managementKey));
    }

    /// @dev The runtime code of an ERC-1167 proxy.
    function _codeHash(address code) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"363d3d373d3d3d363d73", code, hex"5af43d82803e903d91602b57fd5bf3"));
    }
}
