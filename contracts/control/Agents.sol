// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAgentRole} from "../interfaces/IAgentRole.sol";
import {AgentRoles} from "./AgentRoles.sol";

/// @title Agents
/// @notice The agent role of ERC-3643; an owner is not an agent by itself.
abstract contract Agents is AgentRoles, IAgentRole {
    /// @inheritdoc IAgentRole
    function addAgent(address agent) external onlyOwner {
        _addAgent(agent);
    }

    /// @inheritdoc IAgentRole
    function removeAgent(address agent) external onlyOwner {
        _removeAgent(agent);
    }

    /// @inheritdoc IAgentRole
    function isAgent(address agent) external view returns (bool) {
        return _rolesOf(agent) != 0;
    }

    /// @dev An agent of the standard may do whatever agents do.
    function _addAgent(address agent) internal {
        _setRoles(agent, _ALL_ROLES);
        emit AgentAdded(agent);
    }

    function _removeAgent(address agent) internal {
        _setRoles(agent, 0);
        emit AgentRemoved(agent);
    }
}
