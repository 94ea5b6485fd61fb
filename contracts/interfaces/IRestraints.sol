// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title IRestraints
/// @notice What stops accounts beyond their claims: holds of an account, restrictions of an institution's accounts,
/// suspension of the network. All of it is read from the account's word: a transfer pays nothing for it.
/// @dev Status bits of the word: the account's manager is restricted, for every issue or for some, 16; the network is
/// suspended 32; the account may not sell 64; it may not buy 128. Burns and acts of force do not ask for them.
interface IRestraints {
    /// @notice Effects are 0 to 3.
    error IdentityRegistryHoldInvalid(uint8 effect);

    /// @notice A legal hold of an account: no sale 1, no purchase 2, both 3, none 0. It replaces the one before, and
    /// stays with the account whatever becomes of its identity or manager.
    event AccountHeld(address indexed account, uint8 effect);

    /// @notice The accounts of a manager may not move an issue, or no issue where `token` is zero.
    event InstitutionRestricted(bytes20 indexed manager, address indexed token, bool restricted);

    /// @notice Nothing moves on the whole network.
    event NetworkSuspended(bool suspended);

    /// @notice Sets the legal hold of an account, registered or not.
    /// @dev Requirements: the caller is an agent; the account is not zero; `effect` <= 3. Emits {AccountHeld}.
    function setHold(address account, uint8 effect) external;

    /// @notice Restricts the accounts of a manager, for one issue or, with `token` zero, for all; or ends that.
    /// @dev Requirements: the caller is an agent. Emits {InstitutionRestricted} and {EpochAdvanced}, unless nothing
    /// changes. A restriction of all issues and one of a single issue are apart: ending one leaves the other.
    function setRestriction(bytes20 manager, address token, bool restricted) external;

    /// @notice Suspends the network or releases it.
    /// @dev Requirements: the caller is an agent. Emits {NetworkSuspended}, unless nothing changes.
    function setSuspended(bool suspended) external;

    /// @notice The legal hold of an account.
    function holdOf(address account) external view returns (uint8 effect);

    /// @notice Whether an account's manager is restricted for an issue, and the manager; asked only where the word
    /// says that it is restricted for some.
    function isRestricted(address account, address token) external view returns (bool restricted, bytes20 manager);

    /// @notice Whether the network is suspended.
    function networkSuspended() external view returns (bool);
}
