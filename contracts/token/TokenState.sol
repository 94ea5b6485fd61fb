// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Agents} from "../control/Agents.sol";
import {TypedData} from "../control/TypedData.sol";
import {ISecurityToken} from "../interfaces/ISecurityToken.sol";

/// @title TokenState
/// @notice The storage of a security token, and how its packed words are read.
abstract contract TokenState is Agents, TypedData, ISecurityToken {
    /// @dev A struct of one word, so that a transfer works out its slot once.
    struct Account {
        /// @dev flags:8 | recordId:24 | locked:96 | balance:112; locked is frozen plus encumbered.
        uint256 word;
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
        mapping(address account => Account) accounts;
        /// @dev The encumbered part of locked.
        mapping(address account => uint256) encumbered;
        mapping(address owner => mapping(address spender => uint256)) allowances;
        mapping(address owner => uint256) nonces;
        address onchainID;
        string name;
        string symbol;
    }

    uint256 internal constant _PAUSED = 1 << 160;
    /// @dev The compliance contract must be called at all.
    uint256 internal constant _ENGAGED = 1 << 192;
    /// @dev The compliance contract is called once with both words, not by the standard's hooks.
    uint256 internal constant _NATIVE = 1 << 193;
    uint256 internal constant _FROZEN = 1 << 232;
    uint256 internal constant _LOCKED_UNIT = 1 << 112;

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.SecurityToken")) - 1)) & ~bytes32(uint256(0xff));

    function _domainName() internal pure override returns (string memory) {
        return "stoken SecurityToken";
    }

    function _balance(uint256 word) internal pure returns (uint256) {
        return uint112(word);
    }

    function _locked(uint256 word) internal pure returns (uint256) {
        return uint96(word >> 112);
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
