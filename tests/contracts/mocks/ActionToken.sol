// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IEncumbrances} from "../../../contracts/interfaces/IEncumbrances.sol";

/// @title ActionToken
/// @notice A token cut down to what corporate actions ask: quantities, record dates, conversion.
contract ActionToken {
    struct Held {
        uint96 balance;
        uint96 frozen;
        uint96 encumbered;
    }

    mapping(address => Held) public held;
    mapping(address => mapping(uint24 => uint256)) public balanceOfAt;
    mapping(uint24 => uint256) public totalSupplyAt;
    mapping(uint24 => uint40) public recordDateOf;
    mapping(address => uint16) public rolesOf;
    uint256 public totalSupply;
    bool public paused = true;
    address private _quantity;
    address private _encumbrances;

    constructor(address quantity, address encumbrances) {
        (_quantity, _encumbrances) = (quantity, encumbrances);
    }

    function give(address account, uint96 units, uint96 frozen) external {
        held[account].balance += units;
        held[account].frozen += frozen;
        totalSupply += units;
    }

    function setPaused(bool value) external {
        paused = value;
    }

    function setRoles(address agent, uint16 roles) external {
        rolesOf[agent] = roles;
    }

    function setRecordDate(uint24 id, address[] calldata accounts) external {
        recordDateOf[id] = uint40(block.timestamp);
        totalSupplyAt[id] = totalSupply;
        for (uint256 i = 0; i < accounts.length; i++) {
            balanceOfAt[accounts[i]][id] = held[accounts[i]].balance;
        }
    }

    function wiring() external view returns (address, address, address, address) {
        return (_quantity, _encumbrances, address(0), address(0));
    }

    function accountOf(address account) external view returns (uint256, uint256, uint256, bool) {
        Held memory found = held[account];
        return (found.balance, found.frozen, found.encumbered, false);
    }

    function lock(address account, uint96 units) external {
        require(msg.sender == _encumbrances, "encumbrances");
        held[account].encumbered += units;
        require(held[account].encumbered + held[account].frozen <= held[account].balance, "uncovered");
    }

    function unlock(address account, uint96 units) external {
        require(msg.sender == _encumbrances, "encumbrances");
        held[account].encumbered -= units;
    }

    function recover(address lost, address successor) external {
        held[successor] = held[lost];
        delete held[lost];
        IEncumbrances(_encumbrances).relocate(lost, successor);
    }

    function rescale(address account, uint96 balance, uint96 frozen, uint96 encumbered) external {
        require(paused && rolesOf[msg.sender] & 512 != 0, "convert");
        require(uint256(frozen) + encumbered <= balance, "uncovered");
        totalSupply = totalSupply - held[account].balance + balance;
        held[account] = Held(balance, frozen, encumbered);
    }
}
