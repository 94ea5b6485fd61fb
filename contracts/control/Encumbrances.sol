// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "./Governed.sol";
import {IEncumbrances} from "../interfaces/IEncumbrances.sol";
import {ISecurityToken} from "../interfaces/ISecurityToken.sol";

/// @title Encumbrances
contract Encumbrances is Governed, IEncumbrances {
    struct Sums {
        uint96 lockup;
        uint96 pledged;
        uint96 restricted;
    }

    /// @custom:storage-location erc7201:stoken.storage.Encumbrances
    struct Data {
        mapping(bytes32 id => Encumbrance) records;
        mapping(address token => mapping(address account => Sums)) sums;
        mapping(address token => mapping(address account => address)) successors;
    }

    uint8 private constant _LOCKUP = 1;

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.Encumbrances")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc IEncumbrances
    function initialize(address owner) external initializer {
        __Ownable_init(owner);
    }

    /// @inheritdoc IEncumbrances
    function lock(bytes32 id, address token, address account, uint8 kind, uint96 units, uint40 until)
        external
        onlyOwner
    {
        Data storage $ = _data();
        if ($.records[id].token != address(0)) revert EncumbrancesIdUsed(id);
        if (kind != _LOCKUP) revert EncumbrancesKindUnsupported(kind);
        if (units == 0) revert EncumbrancesEmpty(id);
        if (until <= block.timestamp) revert EncumbrancesEndPassed(until, block.timestamp);
        // A recovered account's records point to its successor: new ones must not.
        if ($.successors[token][account] != address(0)) revert AccountClosed(account);
        $.records[id] = Encumbrance({token: token, units: units, account: account, until: until, kind: kind});
        // The token names the shortfall by the sums as they were, so they change after it agreed.
        ISecurityToken(token).lock(account, units);
        $.sums[token][account].lockup += units;
        emit EncumbranceSet(id, token, account, kind, units, until);
    }

    /// @inheritdoc IEncumbrances
    function release(bytes32 id) external {
        Data storage $ = _data();
        Encumbrance memory record = $.records[id];
        if (record.units == 0) revert EncumbrancesIdUnknown(id);
        if (block.timestamp < record.until) revert EncumbrancesStillActive(id, record.until);
        // The token stays, so that the id is never used again.
        $.records[id].units = 0;
        address account = _holder($, record.token, record.account);
        $.sums[record.token][account].lockup -= record.units;
        emit EncumbranceReleased(id);
        ISecurityToken(record.token).unlock(account, record.units);
    }

    /// @inheritdoc IEncumbrances
    function relocate(address from, address to) external {
        Data storage $ = _data();
        Sums memory moved = $.sums[msg.sender][from];
        Sums storage target = $.sums[msg.sender][to];
        target.lockup += moved.lockup;
        target.pledged += moved.pledged;
        target.restricted += moved.restricted;
        delete $.sums[msg.sender][from];
        $.successors[msg.sender][from] = to;
        emit EncumbrancesMoved(msg.sender, from, to);
    }

    /// @inheritdoc IEncumbrances
    function sums(address token, address account)
        external
        view
        returns (uint96 lockup, uint96 pledged, uint96 restricted)
    {
        Sums storage sum = _data().sums[token][account];
        return (sum.lockup, sum.pledged, sum.restricted);
    }

    /// @inheritdoc IEncumbrances
    function holderOf(address token, address account) external view returns (address) {
        return _holder(_data(), token, account);
    }

    /// @inheritdoc IEncumbrances
    function encumbranceOf(bytes32 id) external view returns (Encumbrance memory) {
        return _data().records[id];
    }

    /// @dev Follows recoveries to the account that holds the units today.
    function _holder(Data storage $, address token, address account) private view returns (address) {
        address successor = $.successors[token][account];
        while (successor != address(0)) {
            account = successor;
            successor = $.successors[token][account];
        }
        return account;
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
