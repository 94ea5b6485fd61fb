// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {AgentRoles} from "../control/AgentRoles.sol";
import {IRegisteredQuantity} from "../interfaces/IRegisteredQuantity.sol";
import {ISecurityToken} from "../interfaces/ISecurityToken.sol";

/// @title TokenState
/// @notice The storage of a security token, which both its parts share, and how its packed words are read.
/// @dev Neither part implements the whole of ISecurityToken, so neither inherits it; a test holds them to it.
abstract contract TokenState is AgentRoles {
    /// @dev A struct of one word, so that a transfer works out its slot once.
    struct Account {
        /// @dev flags:8 | recordId:24 | locked:96 | balance:112; locked is frozen plus encumbered, recordId that of the
        /// account's last snapshot.
        uint256 word;
    }

    /// @dev One word and a half; the uri follows from the hash. `index` counts from 1.
    struct Document {
        bytes32 hash;
        uint64 modified;
        uint64 index;
        bool located;
    }

    /// @custom:storage-location erc7201:stoken.storage.SecurityToken
    struct Data {
        /// @dev decimals:8 | options:8 | recordId:24 | paused:8 | registry:160, from the high bits of the low 208.
        uint256 cfg;
        address compliance;
        uint96 totalSupply;
        address encumbrances;
        bytes12 isin;
        address settlement;
        address instructions;
        address quantity;
        /// @dev The record date of the supply's last snapshot.
        uint24 supplyRecordId;
        mapping(address account => Account) accounts;
        /// @dev The encumbered part of locked.
        mapping(address account => uint256) encumbered;
        mapping(address owner => mapping(address spender => uint256)) allowances;
        mapping(address owner => uint256) nonces;
        /// @dev By record date: the record date of the snapshot before:24 | balance:112.
        mapping(address account => mapping(uint256 recordId => uint256)) snapshots;
        mapping(uint256 recordId => uint256) supplySnapshots;
        /// @dev block:64 | time:64.
        mapping(uint256 recordId => uint256) recordDates;
        mapping(bytes32 name => Document) documents;
        bytes32[] documentNames;
        address onchainID;
        string name;
        string symbol;
        /// @dev The part of encumbered that settlement holds for trades of a later day.
        mapping(address account => uint256) held;
    }

    uint256 internal constant _PAUSED = 1 << 160;
    /// @dev The compliance contract must be called at all.
    uint256 internal constant _ENGAGED = 1 << 192;
    /// @dev The compliance contract is called once with both words, not by the standard's hooks.
    uint256 internal constant _NATIVE = 1 << 193;
    uint256 internal constant _TERMINATED = 1 << 194;
    uint256 internal constant _RECORD_UNIT = 1 << 168;
    uint256 internal constant _FROZEN = 1 << 232;
    /// @dev Recovered with its encumbrances, whose records now mean its successor: none is added.
    uint256 internal constant _CLOSED = 1 << 233;
    uint256 internal constant _LOCKED_UNIT = 1 << 112;

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.SecurityToken")) - 1)) & ~bytes32(uint256(0xff));

    function _approve(address owner_, address spender, uint256 value) internal {
        _data().allowances[owner_][spender] = value;
        emit IERC20.Approval(owner_, spender, value);
    }

    function _setEncumbered(Data storage $, address account, uint256 encumbered) internal {
        $.encumbered[account] = encumbered;
        emit ISecurityToken.EncumberedUnits(account, uint96(encumbered));
    }

    /// @dev Refuses units beyond the registered quantity, which fits 96 bits: comparing what is left cannot overflow.
    function _requireRegistered(Data storage $, uint256 supply, uint256 amount) internal view {
        uint256 registered = IRegisteredQuantity($.quantity).quantityOf(address(this));
        if (registered == 0) revert NotRegistered(address(this));
        if (amount <= registered - supply) return;
        revert SupplyCapExceeded(registered, amount > type(uint256).max - supply ? type(uint256).max : supply + amount);
    }

    function _balance(uint256 word) internal pure returns (uint256) {
        return uint112(word);
    }

    function _locked(uint256 word) internal pure returns (uint256) {
        return uint96(word >> 112);
    }

    function _recordId(uint256 cfg) internal pure returns (uint256) {
        return uint24(cfg >> 168);
    }

    function _requireLength(uint256 left, uint256 right) internal pure {
        if (left != right) revert ISecurityToken.SecurityTokenLengthMismatch();
    }

    function _data() internal pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }

    function _revert(bytes memory refusal) internal pure {
        if (refusal.length == 0) return;
        assembly ("memory-safe") {
            revert(add(refusal, 0x20), mload(refusal))
        }
    }
}
