// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CashParty} from "../../../contracts/interfaces/IDepositToken.sol";

/// @title HostileToken
/// @notice A token, or cash, that two colluding brokers sign: it calls back, burns gas, or answers at length.
contract HostileToken {
    address private _target;
    bytes private _call;
    bool private _burnsGas;
    uint256 private _noise;

    /// @notice Whether the call back got through, and what it said.
    bool public succeeded;
    bytes public answer;

    function callBack(address target, bytes calldata data) external {
        (_target, _call) = (target, data);
    }

    function burnGas() external {
        _burnsGas = true;
    }

    function shout(uint256 length) external {
        _noise = length;
    }

    function settle(address, address, uint256) external {
        _act();
    }

    function instruct(address, address, uint256) external {
        _act();
    }

    function lock(address, uint96) external {}

    function unlock(address, uint96) external {
        _act();
    }

    /// @dev It keeps its own encumbrances, in which nobody's account was recovered.
    function wiring() external view returns (address, address, address, address) {
        return (address(0), address(this), address(0), address(0));
    }

    function holderOf(address, address account) external pure returns (address) {
        return account;
    }

    /// @notice What it shouts at some length.
    function noise(uint256 length) public pure returns (bytes memory words) {
        words = new bytes(length);
        assembly ("memory-safe") {
            let end := add(add(words, 0x20), length)
            for { let at := add(words, 0x20) } lt(at, end) { at := add(at, 0x20) } { mstore(at, not(0)) }
        }
    }

    function settle(CashParty calldata, CashParty calldata, uint256) external {
        _act();
    }

    function _act() private {
        if (_target != address(0)) (succeeded, answer) = _target.call(_call);
        while (_burnsGas) {}
        if (_noise == 0) return;
        bytes memory words = noise(_noise);
        assembly ("memory-safe") {
            revert(add(words, 0x20), mload(words))
        }
    }
}

/// @notice A token, or cash, that answers false to whatever it is asked, and does nothing.
contract FalseToken {
    fallback() external {
        assembly ("memory-safe") {
            mstore(0, 0)
            return(0, 0x20)
        }
    }
}

/// @notice An account with code: it calls back whenever it is called.
contract CallingAccount {
    address private immutable _target;
    bytes private _call;

    constructor(address target, bytes memory data) {
        (_target, _call) = (target, data);
    }

    fallback() external {
        (bool success,) = _target.call(_call);
        require(success);
    }
}

/// @notice Cash that keeps a tenth of what it moves, in books of its own.
contract FeeCash {
    mapping(address account => uint256) public balanceOf;

    function credit(address account, uint256 amount) external {
        balanceOf[account] += amount;
    }

    function settle(CashParty calldata payer, CashParty calldata payee, uint256 amount) external {
        balanceOf[payer.cashAccount] -= amount;
        balanceOf[payee.cashAccount] += amount - amount / 10;
    }
}

/// @notice A token that locks and never unlocks.
contract LockingToken {
    error Locked();

    address private immutable _encumbrances;

    constructor(address encumbrances) {
        _encumbrances = encumbrances;
    }

    function lock(address, uint96) external {}

    function unlock(address, uint96) external pure {
        revert Locked();
    }

    function wiring() external view returns (address, address, address, address) {
        return (address(0), _encumbrances, address(0), address(0));
    }
}

/// @notice A token that lets itself be encumbered without end.
contract ObligingToken {
    function lock(address, uint96) external {}
}
