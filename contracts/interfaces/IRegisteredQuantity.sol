// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title IRegisteredQuantity
/// @notice The quantity that the registrar registered for each issue: nothing can be minted beyond it.
interface IRegisteredQuantity {
    /// @notice The quantity is not above the one registered.
    error RegisteredQuantityNotRaised(address token, uint96 registered, uint96 quantity);

    /// @notice The registrar set the quantity that may exist.
    event QuantityRegistered(address indexed token, uint96 quantity);

    /// @notice Constructor of the proxy: everything belongs to `owner`.
    function initialize(address owner) external;

    /// @notice Registers a quantity for a token.
    /// @dev Requirements: the caller is the owner; the quantity is larger than the one registered.
    /// Emits {QuantityRegistered}.
    function register(address token, uint96 quantity) external;

    /// @notice The registered quantity of a token, zero if none.
    function quantityOf(address token) external view returns (uint96);
}
