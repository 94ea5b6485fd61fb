// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";

import {CashParty} from "../../../contracts/interfaces/IDepositToken.sol";
import {DepositToken} from "../../../contracts/token/DepositToken.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice Settlement makes and loses no cash, and leaves member and kind beside a balance alone.
contract CashSymbolic is Symbolic {
    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.DepositToken")) - 1)) & ~bytes32(uint256(0xff));
    uint256 private constant _ACCOUNTS = 2;
    uint256 private constant _SUPPLY_MAX = type(uint88).max / 2;

    DepositToken private _cash;

    function setUp() public {
        bytes memory init = abi.encodeCall(DepositToken.initialize, (address(0xA), address(0xB), address(this)));
        _cash = DepositToken(address(new ERC1967Proxy(address(new DepositToken()), init)));
    }

    function check_settling_conserves_cash(
        address payer,
        address payee,
        bytes20 member,
        bytes20 other,
        uint88[2] calldata balances,
        uint256 amount
    ) external {
        vm.assume(payer != payee);
        _put(payer, member, balances[0]);
        _put(payee, other, balances[1]);
        _cash.settle(CashParty(payer, member, 1, payer), CashParty(payee, other, 1, payee), amount);
        assert(_word(payer) + amount == _wordOf(member, balances[0]));
        assert(_word(payee) == _wordOf(other, balances[1]) + amount);
        assert(_word(payer) >> 88 == _wordOf(member, 0) >> 88 && _word(payee) >> 88 == _wordOf(other, 0) >> 88);
    }

    function check_cash_is_held_and_released_whole(address payer, bytes20 member, uint88 balance, uint256 amount)
        external
    {
        _put(payer, member, balance);
        CashParty memory party = CashParty(payer, member, 1, payer);
        _cash.hold(party, party, amount);
        assert(amount <= balance && _cash.heldOf(payer) == amount && _cash.balanceOf(payer) == balance);
        _cash.release(payer, amount);
        assert(_cash.heldOf(payer) == 0 && _word(payer) == _wordOf(member, balance));
    }

    function check_held_cash_is_paid_once(address payer, address payee, bytes20 member, uint88 balance, uint256 amount)
        external
    {
        vm.assume(payer != payee && amount != 0);
        _put(payer, member, balance);
        _put(payee, member, 0);
        _cash.hold(CashParty(payer, member, 1, payer), CashParty(payee, member, 1, payee), amount);
        _cash.settleHeld(payer, payee, amount);
        assert(_cash.balanceOf(payer) + _cash.balanceOf(payee) == balance);
        (bool again,) = address(_cash).call(abi.encodeCall(_cash.settleHeld, (payer, payee, amount)));
        assert(!again);
    }

    function check_only_settlement_moves_cash(address caller, address payer, address payee, uint256 amount) external {
        vm.assume(caller != address(this));
        CashParty memory party = CashParty(payer, "member", 1, payer);
        vm.startPrank(caller);
        (bool settled,) = address(_cash).call(abi.encodeCall(_cash.settle, (party, party, amount)));
        (bool held,) = address(_cash).call(abi.encodeCall(_cash.hold, (party, party, amount)));
        (bool released,) = address(_cash).call(abi.encodeCall(_cash.release, (payer, amount)));
        (bool paid,) = address(_cash).call(abi.encodeCall(_cash.settleHeld, (payer, payee, amount)));
        vm.stopPrank();
        assert(!settled && !held && !released && !paid);
    }

    /// @dev The supply, which holds every balance, fits 88 bits.
    function _put(address account, bytes20 member, uint88 balance) private {
        vm.assume(balance <= _SUPPLY_MAX && member != 0);
        vm.store(address(_cash), _slot(account), bytes32(_wordOf(member, balance)));
    }

    function _word(address account) private view returns (uint256) {
        return uint256(vm.load(address(_cash), _slot(account)));
    }

    function _slot(address account) private pure returns (bytes32) {
        return keccak256(abi.encode(account, uint256(_DATA) + _ACCOUNTS));
    }

    function _wordOf(bytes20 member, uint88 balance) private pure returns (uint256) {
        return uint256(uint160(member)) << 96 | 1 << 88 | balance;
    }
}
