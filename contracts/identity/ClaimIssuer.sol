// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {ClaimForm} from "./ClaimForm.sol";
import {KeyHolder} from "./KeyHolder.sol";
import {Signatures} from "../control/Signatures.sol";
import {IClaimNotes} from "../interfaces/IClaimNotes.sol";
import {IClaimIssuer} from "../interfaces/IIdentity.sol";

/// @title ClaimIssuer
contract ClaimIssuer is KeyHolder, IClaimIssuer {
    /// @custom:storage-location erc7201:stoken.storage.ClaimIssuer
    struct Data {
        mapping(bytes32 claimHash => bool) revoked;
    }

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.ClaimIssuer")) - 1)) & ~bytes32(uint256(0xff));

    IClaimNotes private immutable _REGISTRY;

    /// @notice The code behind every claim issuer; it is none itself.
    constructor(address registry) {
        _REGISTRY = IClaimNotes(registry);
    }

    /// @inheritdoc IClaimIssuer
    function revokeClaim(address identity, uint256 topic, bytes calldata data) external onlyPurpose(_CLAIM) {
        bytes32 claimHash = _hashOf(identity, topic, data);
        Data storage $ = _data();
        if ($.revoked[claimHash]) revert ClaimIssuerClaimRevoked(claimHash);
        $.revoked[claimHash] = true;
        emit ClaimRevoked(identity, topic, claimHash);
        _REGISTRY.claimChanged(identity, address(this), topic);
    }

    /// @inheritdoc IClaimIssuer
    function isClaimRevoked(address identity, uint256 topic, bytes calldata data) external view returns (bool) {
        return _data().revoked[_hashOf(identity, topic, data)];
    }

    /// @inheritdoc IClaimIssuer
    function isClaimValid(address identity, uint256 topic, bytes calldata signature, bytes calldata data)
        external
        view
        returns (bool)
    {
        uint40 until = claimUntil(identity, topic, signature, data);
        return until != 0 && until >= block.timestamp;
    }

    /// @inheritdoc IClaimIssuer
    function claimUntil(address identity, uint256 topic, bytes calldata signature, bytes calldata data)
        public
        view
        returns (uint40)
    {
        bytes32 claimHash = _hashOf(identity, topic, data);
        if (_data().revoked[claimHash]) return 0;
        address signer = Signatures.signerOf(MessageHashUtils.toEthSignedMessageHash(claimHash), signature);
        // Only a key that was given this very purpose: who manages keys does not thereby sign claims.
        if (signer == address(0) || _purposesOf(_keyOf(signer)) >> _CLAIM & 1 == 0) return 0;
        return ClaimForm.untilOf(data);
    }

    /// @dev What a key signed no longer holds when it may not sign.
    function _keyRemoved(uint256 purpose) internal override {
        if (purpose == _CLAIM) _REGISTRY.voidNotes();
    }

    function _hashOf(address identity, uint256 topic, bytes calldata data) private pure returns (bytes32) {
        return keccak256(abi.encode(identity, topic, data));
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
