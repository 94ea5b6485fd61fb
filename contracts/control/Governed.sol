// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Ownable2StepUpgradeable} from "@openzeppelin/contracts-upgradeable/access/Ownable2StepUpgradeable.sol";
import {ERC1967Utils} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Utils.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";

import {Refusals} from "../interfaces/Refusals.sol";

/// @title Governed
/// @notice Base of the suite's contracts: one owner, handed over in two steps, who alone upgrades the code behind the
/// proxy; the implementation itself is locked.
abstract contract Governed is Ownable2StepUpgradeable, UUPSUpgradeable, Refusals {
    /// @notice Ownership is handed over, never given up.
    error GovernedOwnerRequired();

    constructor() {
        _disableInitializers();
    }

    /// @notice The code behind the proxy, so that the owner knows what an upgrade replaces.
    function implementation() external view returns (address) {
        return ERC1967Utils.getImplementation();
    }

    /// @notice Refused: a contract without an owner could never be mended again.
    function renounceOwnership() public pure override {
        revert GovernedOwnerRequired();
    }

    function _checkOwner() internal view override {
        if (owner() != msg.sender) revert RoleRequired("OWNER");
    }

    // solhint-disable-next-line no-empty-blocks
    function _authorizeUpgrade(address) internal override onlyOwner {}
}
