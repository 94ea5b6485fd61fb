// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title IIdentityRegistryStorage
/// @notice The storage of ERC-3643 identities, shared by the registries bound to it.
interface IIdentityRegistryStorage {
    /// @notice An account was stored.
    event IdentityStored(address indexed investorAddress, address indexed identity);

    /// @notice An account was removed.
    event IdentityUnstored(address indexed investorAddress, address indexed identity);

    /// @notice An identity was replaced.
    event IdentityModified(address indexed oldIdentity, address indexed newIdentity);

    /// @notice A country was replaced.
    event CountryModified(address indexed investorAddress, uint16 indexed country);

    /// @notice A registry may write from now on.
    event IdentityRegistryBound(address indexed identityRegistry);

    /// @notice A registry may no longer write.
    event IdentityRegistryUnbound(address indexed identityRegistry);

    /// @notice The identity of an account, zero if none.
    function storedIdentity(address userAddress) external view returns (address);

    /// @notice The ISO 3166 numeric country of an account.
    function storedInvestorCountry(address userAddress) external view returns (uint16);

    /// @notice Stores an account.
    /// @dev Requirements: the caller is an agent; the account is not stored. Emits {IdentityStored}.
    function addIdentityToStorage(address userAddress, address identity, uint16 country) external;

    /// @notice Removes an account.
    /// @dev Requirements: the caller is an agent; the account is stored. Emits {IdentityUnstored}.
    function removeIdentityFromStorage(address userAddress) external;

    /// @notice Replaces a country.
    /// @dev Requirements: the caller is an agent; the account is stored. Emits {CountryModified}.
    function modifyStoredInvestorCountry(address userAddress, uint16 country) external;

    /// @notice Replaces an identity.
    /// @dev Requirements: the caller is an agent; the account is stored. Emits {IdentityModified}.
    function modifyStoredIdentity(address userAddress, address identity) external;

    /// @notice Lets a registry write, as an agent.
    /// @dev Requirements: the caller is the owner; at most 300 registries. Emits {IdentityRegistryBound}.
    function bindIdentityRegistry(address identityRegistry) external;

    /// @notice Stops a registry from writing.
    /// @dev Requirements: the caller is the owner. Emits {IdentityRegistryUnbound}.
    function unbindIdentityRegistry(address identityRegistry) external;

    /// @notice The registries bound.
    function linkedIdentityRegistries() external view returns (address[] memory);
}
