// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IAttestedIdentityRegistry} from "../../../contracts/interfaces/IAttestedIdentityRegistry.sol";

/// @title MeasuredRegistry
/// @notice Remembers what measures asked for, and answers identities and managers as the real registry does.
contract MeasuredRegistry {
    IAttestedIdentityRegistry private immutable _registry;

    mapping(address account => uint8) public holdOf;
    mapping(bytes20 manager => mapping(address token => bool)) public restricted;
    bool public suspended;

    constructor(address registry) {
        _registry = IAttestedIdentityRegistry(registry);
    }

    function setHold(address account, uint8 effect) external {
        holdOf[account] = effect;
    }

    function setRestriction(bytes20 manager, address token, bool on) external {
        restricted[manager][token] = on;
    }

    function setSuspended(bool on) external {
        suspended = on;
    }

    function identity(address account) external view returns (address) {
        return _registry.identity(account);
    }

    function managerOf(address account) external view returns (bytes20, uint8) {
        return _registry.managerOf(account);
    }
}
