// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title IRegistryMeasures
/// @notice What measures ask of the identity registry, across all issues.
interface IRegistryMeasures {
    /// @notice Sets the hold on an account: 1 bars sales, 2 purchases, 3 both, 0 none.
    function setHold(address account, uint8 effect) external;

    /// @notice Bars the transfers of an institution's customers in one issue, or in every issue (token zero).
    function setRestriction(bytes20 manager, address token, bool restricted) external;

    /// @notice Suspends the network or ends its suspension.
    function setSuspended(bool suspended) external;
}
