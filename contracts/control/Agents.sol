// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAgentRole} from "../interfaces/IAgentRole.sol";
import {Governed} from "./Governed.sol";

/// @title Agents
/// @notice The agent role of ERC-3643; an owner is not an agent by itself.
abstract contract Agents is Governed, IAgentRole {
    /// @custom:storage-location erc7201:stoken.storage.Agents
    struct AgentsData {
        mapping(address agent => bool) agents;
    }

    bytes32 private constant _AGENTS =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.Agents")) - 1)) & ~bytes32(uint256(0xff));

    modifier onlyAgent() {
        if (!isAgent(msg.sender)) revert RoleRequired("AGENT");
        _;
    }

    /// @inheritdoc IAgentRole
    function addAgent(address agent) external onlyOwner {
        _addAgent(agent);
    }

    /// @inheritdoc IAgentRole
    function removeAgent(address agent) external onlyOwner {
        _removeAgent(agent);
    }

    /// @inheritdoc IAgentRole
    function isAgent(address agent) public view returns (bool) {
        return _agentsData().agents[agent];
    }

    function _addAgent(address agent) internal {
        _agentsData().agents[agent] = true;
        emit AgentAdded(agent);
    }

    function _removeAgent(address agent) internal {
        _agentsData().agents[agent] = false;
        emit AgentRemoved(agent);
    }

    function _agentsData() private pure returns (AgentsData storage $) {
        bytes32 slot = _AGENTS;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
