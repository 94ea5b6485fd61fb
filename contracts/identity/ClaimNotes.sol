// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Attestations} from "./Attestations.sol";
import {ClaimQuestions} from "./ClaimQuestions.sol";
import {IClaimNotes} from "../interfaces/IClaimNotes.sol";
import {ITrustedIssuersMask} from "../interfaces/IVerificationSources.sol";

/// @title ClaimNotes
/// @notice Claims of identities that are contracts, admitted code, and what it tells.
abstract contract ClaimNotes is Attestations {
    uint256 private constant _TOPIC_BITS = 64;
    /// @dev When a walk has spent this on questions, it asks no more.
    uint256 private constant _WALK_GAS = 2_000_000;

    /// @inheritdoc IClaimNotes
    function setCodeAdmitted(bytes32 codeHash, bool admitted) external onlyOwner {
        _data().admittedCodes[codeHash] = admitted;
        emit CodeAdmitted(codeHash, admitted);
        _advance();
    }

    /// @inheritdoc IClaimNotes
    function claimChanged(address identity, address issuer, uint256 topic) external {
        mapping(bytes32 codeHash => bool) storage admitted = _data().admittedCodes;
        bytes32 identityCode = identity.codehash;
        bytes32 issuerCode = issuer.codehash;
        if (topic >= _TOPIC_BITS || !admitted[identityCode] || !admitted[issuerCode]) return;
        uint40 until = uint40(ClaimQuestions.untilOf(identity, issuer, topic, true));
        emit ClaimNoted(identity, issuer, uint8(topic), until, identityCode, issuerCode);
        // Others change nothing by calling, and what an issuer says that is not trusted is in no word.
        if ((msg.sender == identity || msg.sender == issuer) && _isTrusted(issuer)) _clear(identity);
    }

    /// @inheritdoc IClaimNotes
    function voidNotes() external {
        if (!_data().admittedCodes[msg.sender.codehash]) return;
        emit IssuerNotesVoided(msg.sender);
        if (_isTrusted(msg.sender)) _advance();
    }

    /// @inheritdoc IClaimNotes
    function isAdmittedCode(bytes32 codeHash) external view returns (bool) {
        return _data().admittedCodes[codeHash];
    }

    /// @inheritdoc Attestations
    function _claimedUntil(address identity, uint256 topic, uint256[] memory issuers, uint256 gasBefore)
        internal
        view
        override
        returns (uint256 until, bool tells)
    {
        mapping(bytes32 codeHash => bool) storage admitted = _data().admittedCodes;
        tells = admitted[identity.codehash];
        for (uint256 i = 0; i < issuers.length; i++) {
            address issuer = address(uint160(issuers[i] >> 96));
            if (issuers[i] >> topic & 1 == 0 || issuer.code.length == 0) continue;
            if (gasBefore - gasleft() > _WALK_GAS) return (until, false);
            bool issuerTells = admitted[issuer.codehash];
            uint256 claimed = ClaimQuestions.untilOf(identity, issuer, topic, issuerTells);
            if (claimed > until) until = claimed;
            tells = tells && issuerTells;
        }
    }

    function _isTrusted(address issuer) private view returns (bool) {
        return ITrustedIssuersMask(_data().issuersRegistry).topicMaskOf(issuer) != 0;
    }
}
