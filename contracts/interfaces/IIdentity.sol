// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title IKeyHolder
/// @notice Keys by purpose, as ERC-734 has them: MANAGEMENT 1 changes keys and may do what the others may, ACTION 2,
/// CLAIM 3 changes or signs claims, ENCRYPTION 4. A key is keccak256(abi.encode(address)), of type 1 (ECDSA).
/// @dev Nothing is executed on behalf of an identity: it holds no property and calls nobody.
interface IKeyHolder {
    /// @notice Keys are of type 1 (ECDSA).
    error IdentityKeyTypeInvalid(uint256 keyType);

    /// @notice The key has not this purpose.
    error IdentityKeyUnknown(bytes32 key);

    /// @notice There are 32 keys beside the first already.
    error IdentityKeysFull();

    /// @notice The last key with MANAGEMENT stays.
    error IdentityLastManagementKey();

    /// @notice Purposes are 1 to 4.
    error IdentityPurposeInvalid(uint256 purpose);

    /// @notice This address was not made for this salt and key.
    error IdentityKeyUnproven(address managementKey);

    /// @notice The first key is written already.
    error IdentityKeyWritten(address managementKey);

    /// @notice A key has a purpose.
    event KeyAdded(bytes32 indexed key, uint256 indexed purpose, uint256 indexed keyType);

    /// @notice A key no longer has a purpose.
    event KeyRemoved(bytes32 indexed key, uint256 indexed purpose, uint256 indexed keyType);

    /// @notice Writes the first management key, which the address was made for: anyone may call, once, and only when
    /// its keys are needed. An identity that is attested does without, and costs so much less.
    /// @dev Requirements: salt and key are those of the factory's call; not written yet. Emits {KeyAdded}.
    function initialize(bytes32 salt, address managementKey) external;

    /// @notice Gives a key a purpose.
    /// @dev Requirements: the caller has MANAGEMENT; a purpose from 1 to 4; type 1; at most 32 keys beside the first.
    /// Emits {KeyAdded}.
    function addKey(bytes32 key, uint256 purpose, uint256 keyType) external returns (bool);

    /// @notice Takes a purpose from a key.
    /// @dev Requirements: the caller has MANAGEMENT; the key has the purpose; it is not the last with MANAGEMENT.
    /// Emits {KeyRemoved}.
    function removeKey(bytes32 key, uint256 purpose) external returns (bool);

    /// @notice A key's purposes, type and itself; empty if it has none.
    function getKey(bytes32 key) external view returns (uint256[] memory purposes, uint256 keyType, bytes32 found);

    /// @notice The keys that were given this very purpose.
    function getKeysByPurpose(uint256 purpose) external view returns (bytes32[] memory);

    /// @notice Whether a key has a purpose, or MANAGEMENT.
    function keyHasPurpose(bytes32 key, uint256 purpose) external view returns (bool);
}

/// @title IIdentity
/// @notice An investor's claims, as ERC-735 has them. Claim id = keccak256(abi.encode(issuer, topic)).
/// @dev `data` is 64 bytes, the hash of a document and the block time to which the claim holds, or a reference
/// urn:sha256:<hex>, which holds until revoked; `uri` is empty or such a reference. No other text is taken.
interface IIdentity is IKeyHolder {
    /// @notice The scheme is not 1, or the issuer does not say that the claim holds.
    error IdentityClaimInvalid(address issuer, uint256 topic);

    /// @notice There is no such claim.
    error IdentityClaimUnknown(bytes32 claimId);

    /// @notice The topic has 50 claims already.
    error IdentityClaimsFull(uint256 topic);

    /// @notice A claim was added.
    event ClaimAdded(
        bytes32 indexed claimId,
        uint256 indexed topic,
        uint256 scheme,
        address indexed issuer,
        bytes signature,
        bytes data,
        string uri
    );

    /// @notice A claim replaced the one of the same issuer and topic.
    event ClaimChanged(
        bytes32 indexed claimId,
        uint256 indexed topic,
        uint256 scheme,
        address indexed issuer,
        bytes signature,
        bytes data,
        string uri
    );

    /// @notice A claim was removed.
    event ClaimRemoved(
        bytes32 indexed claimId,
        uint256 indexed topic,
        uint256 scheme,
        address indexed issuer,
        bytes signature,
        bytes data,
        string uri
    );

    /// @notice Adds or replaces a claim and tells the identity registry.
    /// @dev Requirements: the caller has CLAIM; scheme 1 (ECDSA); no text but references; the issuer is a contract that
    /// holds the claim valid; at most 50 claims a topic. Emits {ClaimAdded} or {ClaimChanged}.
    function addClaim(
        uint256 topic,
        uint256 scheme,
        address issuer,
        bytes calldata signature,
        bytes calldata data,
        string calldata uri
    ) external returns (bytes32 claimId);

    /// @notice Removes a claim and tells the identity registry.
    /// @dev Requirements: the caller has CLAIM; the claim exists. Emits {ClaimRemoved}.
    function removeClaim(bytes32 claimId) external returns (bool);

    /// @notice A claim; all zero if there is none.
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
        );

    /// @notice The claims of a topic.
    function getClaimIdsByTopic(uint256 topic) external view returns (bytes32[] memory);
}

/// @title IClaimIssuer
/// @notice Says which claims are its own and hold: signature = personal_sign(keccak256(abi.encode(identity, topic,
/// data))) by a key with purpose CLAIM, 65 bytes with low s and v 27 or 28.
/// @dev A claim is revoked by its hash, so whatever shape a signature takes, or another signature of the same claim.
/// Issued anew, a claim needs other data.
interface IClaimIssuer is IKeyHolder {
    /// @notice The claim was revoked already.
    error ClaimIssuerClaimRevoked(bytes32 claimHash);

    /// @notice A claim no longer holds.
    event ClaimRevoked(address indexed identity, uint256 indexed topic, bytes32 indexed claimHash);

    /// @notice Revokes a claim, issued or not, and tells the identity registry.
    /// @dev Requirements: the caller has CLAIM; not revoked yet. Emits {ClaimRevoked}.
    function revokeClaim(address identity, uint256 topic, bytes calldata data) external;

    /// @notice Whether a claim was revoked.
    function isClaimRevoked(address identity, uint256 topic, bytes calldata data) external view returns (bool);

    /// @notice Whether a claim is this issuer's, was not revoked and has not expired.
    function isClaimValid(address identity, uint256 topic, bytes calldata signature, bytes calldata data)
        external
        view
        returns (bool);

    /// @notice The block time to which a claim holds, also when that has passed; zero if it is not this issuer's, was
    /// revoked, or has data of another form.
    function claimUntil(address identity, uint256 topic, bytes calldata signature, bytes calldata data)
        external
        view
        returns (uint40);
}

/// @title IIdentityFactory
/// @notice Makes identities and claim issuers as minimal proxies of one code each, at predictable addresses.
/// @dev An address follows from salt and key, so that nobody can take it with another key. Making what is there
/// returns it. The factory keeps no rights. An identity's key is written by its own `initialize`, when it is needed.
interface IIdentityFactory {
    /// @notice There is not one key for each salt.
    error IdentityFactoryLengthMismatch();

    /// @notice An identity came into being, for a management key.
    event IdentityCreated(address indexed identity, address indexed managementKey);

    /// @notice A claim issuer came into being, with its management key.
    event ClaimIssuerCreated(address indexed issuer, address indexed managementKey);

    /// @notice Makes identities, one for each salt and key; anyone may call.
    /// @dev Emits {IdentityCreated} for each that is new.
    function createIdentities(bytes32[] calldata salts, address[] calldata managementKeys)
        external
        returns (address[] memory identities);

    /// @notice Makes a claim issuer; anyone may call, and being trusted is another matter.
    /// @dev Emits {ClaimIssuerCreated} if it is new.
    function createClaimIssuer(bytes32 salt, address managementKey) external returns (address issuer);

    /// @notice Where the identity of a salt and key stands, or will.
    function identityAddress(bytes32 salt, address managementKey) external view returns (address);

    /// @notice Where the claim issuer of a salt and key stands, or will.
    function claimIssuerAddress(bytes32 salt, address managementKey) external view returns (address);

    /// @notice The code hashes to admit at the identity registry: of identities and of claim issuers.
    function codeHashes() external view returns (bytes32 identity, bytes32 claimIssuer);
}
