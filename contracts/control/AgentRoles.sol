// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "./Governed.sol";

/// @title AgentRoles
/// @notice Who is an agent, and for which functions: one bit a function, none is no agent.
abstract contract AgentRoles is Governed {
    /// @custom:storage-location erc7201:stoken.storage.Agents
    struct AgentsData {
        mapping(address agent => uint16) roles;
    }

    uint16 internal constant _ALL_ROLES = type(uint16).max;

    bytes32 private constant _AGENTS =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.Agents")) - 1)) & ~bytes32(uint256(0xff));

    modifier onlyAgent() {
        if (_rolesOf(msg.sender) == 0) revert RoleRequired("AGENT");
        _;
    }

    modifier onlyRole(uint16 role, bytes32 name) {
        _requireRole(role, name);
        _;
    }

    function _setRoles(address agent, uint16 roles) internal {
        _agentsData().roles[agent] = roles;
    }

    function _rolesOf(address agent) internal view returns (uint16) {
        return _agentsData().roles[agent];
    }

    function _requireRole(uint16 role, bytes32 name) private view {
        uint16 roles = _rolesOf(msg.sender);
        if (roles & role == 0) revert RoleRequired(roles == 0 ? bytes32("AGENT") : name);
    }

    function _agentsData() private pure returns (AgentsData storage $) {
        bytes32 slot = _AGENTS;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
