// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Channels, IModularCompliance} from "../interfaces/IModularCompliance.sol";
import {ICompliance} from "../interfaces/ICompliance.sol";
import {Roles} from "../interfaces/ISecurityToken.sol";
import {TokenChecks} from "./TokenChecks.sol";

/// @title SecurityToken
/// @notice What transfers need of ISecurityToken; every other call goes on to the extension, in this storage.
/// @dev Dispatch costs by the number of functions, so each that is rarely called lives in the extension. The extension
/// is part of the code: it changes by an upgrade of this contract alone.
contract SecurityToken is TokenChecks, IERC20 {
    address private immutable _EXTENSION;

    modifier onlyEncumbrances() {
        // Settlement locks what it holds until a later day.
        Data storage $ = _data();
        if (msg.sender != $.encumbrances && msg.sender != $.settlement) revert RoleRequired("ENCUMBRANCES");
        _;
    }

    constructor(address extension_) {
        _EXTENSION = extension_;
    }

    /// @dev What this part does not know, the extension answers, with its own checks of who calls.
    fallback() external {
        address code = _EXTENSION;
        assembly ("memory-safe") {
            let at := mload(0x40)
            calldatacopy(at, 0, calldatasize())
            let success := delegatecall(gas(), code, at, calldatasize(), 0, 0)
            returndatacopy(at, 0, returndatasize())
            switch success
            case 0 { revert(at, returndatasize()) }
            default { return(at, returndatasize()) }
        }
    }

    /// @inheritdoc IERC20
    function approve(address spender, uint256 value) external returns (bool) {
        _approve(msg.sender, spender, value);
        return true;
    }

    /// @inheritdoc IERC20
    function transfer(address to, uint256 value) external returns (bool) {
        _transfer(msg.sender, to, value, msg.sender, Channels.PLAIN);
        return true;
    }

    /// @inheritdoc IERC20
    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        _transfer(from, to, value, msg.sender, Channels.PLAIN);
        return true;
    }

    /// @dev See {IERC3643-batchTransfer}.
    function batchTransfer(address[] calldata toList, uint256[] calldata amounts) external {
        _requireLength(toList.length, amounts.length);
        _transferMany(msg.sender, toList, amounts);
    }

    /// @dev See {ISecurityToken-settle}.
    function settle(address from, address to, uint256 units) external {
        if (msg.sender != _data().settlement) revert RoleRequired("SETTLEMENT");
        _transfer(from, to, units, from, Channels.VENUE);
    }

    /// @dev See {ISecurityToken-instruct}.
    function instruct(address from, address to, uint256 units) external {
        if (msg.sender != _data().instructions) revert RoleRequired("INSTRUCTIONS");
        _transfer(from, to, units, from, Channels.INSTRUCTED);
    }

    /// @dev See {IERC3643-mint}.
    function mint(address to, uint256 amount) external onlyRole(Roles.MINT, "MINT") {
        _mint(to, amount);
    }

    /// @dev See {IERC3643-batchMint}.
    function batchMint(address[] calldata toList, uint256[] calldata amounts) external onlyRole(Roles.MINT, "MINT") {
        _requireLength(toList.length, amounts.length);
        for (uint256 i = 0; i < amounts.length; i++) {
            _mint(toList[i], amounts[i]);
        }
    }

    /// @dev See {ISecurityToken-lock}.
    function lock(address account, uint96 units) external onlyEncumbrances {
        Data storage $ = _data();
        Account storage record = $.accounts[account];
        uint256 word = record.word;
        if (word & _CLOSED != 0) revert AccountClosed(account);
        if (units > _balance(word) - _locked(word)) _revert(_uncovered($, account, word, units, 0));
        // What is encumbered is part of what is locked, and that never exceeds the balance.
        unchecked {
            record.word = word + units * _LOCKED_UNIT;
            _setEncumbered($, account, $.encumbered[account] + units);
        }
        if (msg.sender != $.encumbrances) $.held[account] += units;
    }

    /// @dev See {ISecurityToken-unlock}.
    function unlock(address account, uint96 units) external onlyEncumbrances {
        Data storage $ = _data();
        $.accounts[account].word -= units * _LOCKED_UNIT;
        _setEncumbered($, account, $.encumbered[account] - units);
        if (msg.sender != $.encumbrances) $.held[account] -= units;
    }

    /// @dev See {ISecurityToken-verdict}.
    function verdict(address from, address to, uint256 amount, address spender)
        external
        view
        returns (bytes memory refusal)
    {
        return _refusal(from, to, amount, spender);
    }

    /// @inheritdoc IERC20
    function totalSupply() external view returns (uint256) {
        return _data().totalSupply;
    }

    /// @inheritdoc IERC20
    function balanceOf(address account) external view returns (uint256) {
        return _balance(_data().accounts[account].word);
    }

    /// @inheritdoc IERC20
    function allowance(address owner_, address spender) external view returns (uint256) {
        return _data().allowances[owner_][spender];
    }

    /// @dev See {IERC3643-identityRegistry}; compliance asks it.
    function identityRegistry() external view returns (address) {
        return address(_registry(_data().cfg));
    }

    /// @dev See {ISecurityToken-extension}.
    function extension() external view returns (address) {
        return _EXTENSION;
    }

    /// @dev Termination, quantity, suspension and receiver, rules; works while paused.
    function _mint(address to, uint256 amount) private {
        Data storage $ = _data();
        uint256 cfg = $.cfg;
        if (cfg & _TERMINATED != 0) revert InstrumentTerminated();
        uint256 supply = $.totalSupply;
        _requireRegistered($, supply, amount);
        (, uint256 toWord) = _registry(cfg).pairRefreshed(address(0), to);
        _revert(_unreceivable(cfg, to, toWord));
        if (cfg & _NATIVE != 0) {
            IModularCompliance($.compliance).move(address(0), to, amount, 0, toWord, supply, Channels.MINT);
        } else if (cfg & _ENGAGED != 0) {
            _revert(_barredByForeign($, address(0), to, amount));
        }
        _setSupply($, cfg, supply + amount);
        $.accounts[to].word = _recorded($, cfg, to, $.accounts[to].word) + amount;
        emit Transfer(address(0), to, amount);
        if (cfg & (_ENGAGED | _NATIVE) == _ENGAGED) ICompliance($.compliance).created(to, amount);
    }
}
