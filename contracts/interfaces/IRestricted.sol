// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title IRestricted
/// @notice Which accounts an order against their manager stops.
interface IRestricted {
    /// @notice Whether an account's manager may not move units of this token, and who that is.
    function isRestricted(address account, address token) external view returns (bool restricted, bytes20 manager);
}
