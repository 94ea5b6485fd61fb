// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title IActionToken
/// @notice What corporate actions ask of a security token beside ISecurityToken: record dates, roles and conversion.
interface IActionToken {
    /// @notice The roles of an agent as bits; CONVERT is 512.
    function rolesOf(address agent) external view returns (uint16 roles);

    /// @notice The block time of a record date; zero if there is none of this id.
    function recordDateOf(uint24 id) external view returns (uint40 at);

    /// @notice An account's units at a record date.
    function balanceOfAt(address account, uint24 id) external view returns (uint256);

    /// @notice The issued units at a record date.
    function totalSupplyAt(uint24 id) external view returns (uint256);

    /// @notice Sets an account's quantities in a conversion, and the supply with them.
    /// @dev Requirements: the caller is an agent with role CONVERT; the token is paused.
    function rescale(address account, uint96 balance, uint96 frozen, uint96 encumbered) external;
}
