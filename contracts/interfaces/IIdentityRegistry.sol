// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title IIdentityRegistry
/// @notice The identity registry of ERC-3643: which account belongs to which identity, and whether it is verified.
interface IIdentityRegistry {
    /// @notice The registry of required claim topics changed.
    event ClaimTopicsRegistrySet(address indexed claimTopicsRegistry);

    /// @notice The storage changed.
    event IdentityStorageSet(address indexed identityStorage);

    /// @notice The registry of trusted issuers changed.
    event TrustedIssuersRegistrySet(address indexed trustedIssuersRegistry);

    /// @notice An account was registered.
    event IdentityRegistered(address indexed investorAddress, address indexed identity);

    /// @notice An account left the registry.
    event IdentityRemoved(address indexed investorAddress, address indexed identity);

    /// @notice An account's identity was replaced.
    event IdentityUpdated(address indexed oldIdentity, address indexed newIdentity);

    /// @notice An account's country changed.
    event CountryUpdated(address indexed investorAddress, uint16 indexed country);

    /// @notice The storage of identities.
    function identityStorage() external view returns (address);

    /// @notice The registry of trusted issuers.
    function issuersRegistry() external view returns (address);

    /// @notice The registry of required claim topics.
    function topicsRegistry() external view returns (address);

    /// @notice Changes the storage.
    /// @dev Requirements: the caller is the owner. Emits {IdentityStorageSet}.
    function setIdentityRegistryStorage(address identityRegistryStorage) external;

    /// @notice Changes the registry of required topics.
    /// @dev Requirements: the caller is the owner. Emits {ClaimTopicsRegistrySet}.
    function setClaimTopicsRegistry(address claimTopicsRegistry) external;

    /// @notice Changes the registry of trusted issuers.
    /// @dev Requirements: the caller is the owner. Emits {TrustedIssuersRegistrySet}.
    function setTrustedIssuersRegistry(address trustedIssuersRegistry) external;

    /// @notice Registers an account.
    /// @dev Requirements: the caller is an agent; the account is not registered. Emits {IdentityRegistered}.
    function registerIdentity(address userAddress, address identity, uint16 country) external;

    /// @notice Removes an account.
    /// @dev Requirements: the caller is an agent; the account is registered. Emits {IdentityRemoved}.
    function deleteIdentity(address userAddress) external;

    /// @notice Changes an account's country.
    /// @dev Requirements: the caller is an agent; the account is registered. Emits {CountryUpdated}.
    function updateCountry(address userAddress, uint16 country) external;

    /// @notice Replaces an account's identity.
    /// @dev Requirements: the caller is an agent; the account is registered. Emits {IdentityUpdated}.
    function updateIdentity(address userAddress, address identity) external;

    /// @notice Registers several accounts, all or none.
    function batchRegisterIdentity(
        address[] calldata userAddresses,
        address[] calldata identities,
        uint16[] calldata countries
    ) external;

    /// @notice Whether an account is registered.
    function contains(address userAddress) external view returns (bool);

    /// @notice Whether an account may receive units: registered, and every required claim is valid now.
    function isVerified(address userAddress) external view returns (bool);

    /// @notice The identity of an account, zero if it is not registered.
    function identity(address userAddress) external view returns (address);

    /// @notice The ISO 3166 numeric country of an account.
    function investorCountry(address userAddress) external view returns (uint16);
}
