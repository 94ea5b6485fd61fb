// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title IAgentRole
/// @notice The agents of an ERC-3643 contract, appointed by its owner; an owner is not an agent by itself.
interface IAgentRole {
    /// @notice `agent` may act from now on.
    event AgentAdded(address indexed agent);

    /// @notice `agent` may no longer act.
    event AgentRemoved(address indexed agent);

    /// @notice Appoints an agent.
    /// @dev Requirements: the caller is the owner. Emits {AgentAdded}.
    function addAgent(address agent) external;

    /// @notice Dismisses an agent.
    /// @dev Requirements: the caller is the owner. Emits {AgentRemoved}.
    function removeAgent(address agent) external;

    /// @notice Whether an address is an agent.
    function isAgent(address agent) external view returns (bool);
}
