// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IClaimNotes} from "../interfaces/IClaimNotes.sol";
import {IClaimIssuer, IIdentity} from "../interfaces/IIdentity.sol";

/// @title ClaimQuestions
/// @notice Asks contracts that may lie, revert, spend all gas or answer without end; none of that gets through.
library ClaimQuestions {
    uint256 private constant _QUESTION_GAS = 100_000;
    uint256 private constant _ANSWER_MAX = 2048;
    /// @dev topic, scheme, issuer, and where signature, data and uri begin.
    uint256 private constant _CLAIM_HEAD = 192;

    /// @notice The time to which an identity's claim of an issuer holds, says the issuer; zero if it does not.
    /// @dev Issuers that do not tell of changes are asked the standard's question, and their claims' end is theirs.
    function untilOf(address identity, address issuer, uint256 topic, bool issuerTells)
        internal
        view
        returns (uint256 until)
    {
        bytes32 claimId = keccak256(abi.encode(issuer, topic));
        bytes memory claim = _ask(identity, abi.encodeCall(IIdentity.getClaim, (claimId)));
        if (claim.length < _CLAIM_HEAD || _wordAt(claim, 0) != topic) return 0;
        (bool hasSignature, bytes memory signature) = _bytesAt(claim, _wordAt(claim, 96));
        (bool hasData, bytes memory data) = _bytesAt(claim, _wordAt(claim, 128));
        if (!hasSignature || !hasData) return 0;
        bytes memory question = issuerTells
            ? abi.encodeCall(IClaimIssuer.claimUntil, (identity, topic, signature, data))
            : abi.encodeCall(IClaimIssuer.isClaimValid, (identity, topic, signature, data));
        bytes memory answer = _ask(issuer, question);
        if (answer.length != 32) return 0;
        until = _wordAt(answer, 0);
        if (!issuerTells) return until == 1 ? type(uint40).max : 0;
        if (until > type(uint40).max) return 0;
    }

    /// @dev What a contract answers; empty if it reverts, spends too much or answers too much.
    function _ask(address target, bytes memory question) private view returns (bytes memory answer) {
        // With less left the question would get less gas than it may spend, and the verdict depend on the caller's.
        if (gasleft() < _QUESTION_GAS * 5 / 4) revert IClaimNotes.IdentityRegistryGasTooLow(gasleft());
        assembly ("memory-safe") {
            let answered := staticcall(_QUESTION_GAS, target, add(question, 0x20), mload(question), 0, 0)
            let size := returndatasize()
            if or(iszero(answered), gt(size, _ANSWER_MAX)) { size := 0 }
            answer := mload(0x40)
            mstore(0x40, add(answer, and(add(size, 0x3f), not(0x1f))))
            mstore(answer, size)
            returndatacopy(add(answer, 0x20), 0, size)
        }
    }

    /// @dev The bytes that an answer holds at an offset, if they lie within it.
    function _bytesAt(bytes memory answer, uint256 offset) private pure returns (bool found, bytes memory part) {
        if (offset > answer.length || answer.length - offset < 32) return (false, part);
        uint256 size = _wordAt(answer, offset);
        if (size > answer.length - offset - 32) return (false, part);
        part = new bytes(size);
        for (uint256 i = 0; i < size; i++) {
            part[i] = answer[offset + 32 + i];
        }
        found = true;
    }

    function _wordAt(bytes memory answer, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(answer, 0x20), offset))
        }
    }
}
