// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title IEpochSource
/// @notice What every source of verification shares: it tells the identity registries bound to it that it changed.
interface IEpochSource {
    /// @notice The registry is told of changes already.
    error EpochSourceRegistryBound(address identityRegistry);

    /// @notice The registry is not told of changes.
    error EpochSourceRegistryUnknown(address identityRegistry);

    /// @notice 300 registries are told of changes already.
    error EpochSourceFull();

    /// @notice A registry is told of changes from now on.
    event EpochListenerBound(address indexed identityRegistry);

    /// @notice A registry is no longer told.
    event EpochListenerUnbound(address indexed identityRegistry);

    /// @notice Tells a registry of changes.
    /// @dev Requirements: the caller is the owner; not bound yet; at most 300. Emits {EpochListenerBound}.
    function bindIdentityRegistry(address identityRegistry) external;

    /// @notice Stops telling a registry, which must not use this source any more.
    /// @dev Requirements: the caller is the owner; it is bound. Emits {EpochListenerUnbound}.
    function unbindIdentityRegistry(address identityRegistry) external;

    /// @notice Whether a registry is told.
    function isBoundIdentityRegistry(address identityRegistry) external view returns (bool);
}

/// @title IClaimTopicsMask
/// @notice The required topics as the registry's walk reads them.
interface IClaimTopicsMask is IEpochSource {
    /// @notice The topic is required already.
    error ClaimTopicsRegistryTopicRequired(uint256 topic);

    /// @notice 15 topics are required already.
    error ClaimTopicsRegistryFull();

    /// @notice Bit 1 << topic for each topic below 64, and whether others are required, which none can attest.
    function requiredTopics() external view returns (uint64 mask, bool beyondMask);
}

/// @title ITrustedIssuersMask
/// @notice The trusted issuers as the registry's walk reads them.
interface ITrustedIssuersMask is IEpochSource {
    /// @notice The zero address is no issuer.
    error TrustedIssuersRegistryAddressZero();

    /// @notice The issuer is trusted already.
    error TrustedIssuersRegistryIssuerTrusted(address issuer);

    /// @notice An issuer has 1 to 15 topics.
    error TrustedIssuersRegistryTopicsInvalid();

    /// @notice 50 issuers are trusted already.
    error TrustedIssuersRegistryFull();

    /// @notice One word an issuer: address:160 | unused:32 | topics below 64:64.
    function trustedIssuerWords() external view returns (uint256[] memory words);

    /// @notice The topics below 64 that an issuer is trusted for, zero if none.
    function topicMaskOf(address issuer) external view returns (uint64);
}

/// @title IIdentityProfiles
/// @notice The storage's extension: class, owner type and manager beside identity and country, in one word.
interface IIdentityProfiles {
    /// @notice The account has an identity already.
    error IdentityRegistryStorageAccountStored(address account);

    /// @notice The zero address is neither account nor identity.
    error IdentityRegistryStorageAddressZero();

    /// @notice 300 registries are bound, or 65,535 managers are known.
    error IdentityRegistryStorageFull();

    /// @notice The registry is bound already.
    error IdentityRegistryStorageRegistryBound(address identityRegistry);

    /// @notice The registry is not bound.
    error IdentityRegistryStorageRegistryUnknown(address identityRegistry);

    /// @notice Stores an account with its profile.
    /// @dev Requirements: the caller is an agent; the account is not stored. Emits IdentityStored.
    function addProfile(
        address account,
        address identity,
        uint16 country,
        uint8 class,
        uint8 ownerType,
        bytes20 manager
    ) external;

    /// @notice Replaces the class of an account's investor.
    /// @dev Requirements: the caller is an agent; the account is stored.
    function modifyStoredClass(address account, uint8 class) external;

    /// @notice Moves accounts from one manager to another, and returns their profile words.
    /// @dev Requirements: the caller is an agent; each account is stored, managed by `from`, and a customer's.
    function modifyStoredManagers(bytes20 from, bytes20 to, address[] calldata accounts)
        external
        returns (uint256[] memory profiles);

    /// @notice identity:160 | country:16 | class:8 | ownerType:8 | manager:16 | unused:40 | replaced:8.
    function profileWord(address account) external view returns (uint256);

    /// @notice The member that manages an account and whom it serves; zero if none.
    function managerOf(address account) external view returns (bytes20 manager, uint8 ownerType);

    /// @notice The identity under which an account was first stored, if it was replaced or removed since.
    function firstIdentityOf(address account) external view returns (address);
}
