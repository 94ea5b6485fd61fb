// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title IClaimNotes
/// @notice What the identity registry takes from identities that are contracts.
/// @dev A required topic that no attestation meets now is asked of the identity's claims: for each trusted issuer that
/// is a contract, the claim that the identity gives is put to that issuer. Each question has a bounded gas, and so have
/// all of a walk; who lies, reverts, or answers too much is not verified. Senders are not asked: they need no claim.
/// Code that is admitted tells the registry of every change (identities of claims, issuers of revocations and keys), so
/// words worked out from its claims are stored, and noted claims let a mirror know what the chain would find. Words
/// that rest on other code are never stored.
interface IClaimNotes {
    /// @notice So little gas is left that the answer of a claim's contract might depend on it.
    error IdentityRegistryGasTooLow(uint256 gasLeft);

    /// @notice Code of identities or claim issuers is trusted to tell of changes, or no longer.
    event CodeAdmitted(bytes32 indexed codeHash, bool admitted);

    /// @notice An identity's claim of an issuer holds to a block time; zero if there is none that holds.
    event ClaimNoted(
        address indexed identity,
        address indexed issuer,
        uint8 indexed topic,
        uint40 until,
        bytes32 identityCode,
        bytes32 issuerCode
    );

    /// @notice An issuer's keys changed: what was noted of it does not count until noted anew.
    event IssuerNotesVoided(address indexed issuer);

    /// @notice Admits the code of identities or claim issuers, or no longer.
    /// @dev Requirements: the caller is the owner. Emits {CodeAdmitted} and {EpochAdvanced}.
    function setCodeAdmitted(bytes32 codeHash, bool admitted) external;

    /// @notice Notes what a claim is worth now. Anyone may call; identity and issuer do at each change.
    /// @dev Emits {ClaimNoted}, unless the topic is above 63 or the code of either is not admitted: then without
    /// effect.
    function claimChanged(address identity, address issuer, uint256 topic) external;

    /// @notice Tells that the calling issuer's keys changed; without effect unless its code is admitted.
    /// @dev Emits {IssuerNotesVoided}, and {EpochAdvanced} if it is trusted.
    function voidNotes() external;

    /// @notice Whether code is admitted.
    function isAdmittedCode(bytes32 codeHash) external view returns (bool);
}
