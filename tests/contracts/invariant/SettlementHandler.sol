// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {CashEntry, CashParty} from "../../../contracts/interfaces/IDepositToken.sol";
import {IEncumbrances} from "../../../contracts/interfaces/IEncumbrances.sol";
import {Hold, ISettlementModes} from "../../../contracts/interfaces/ISettlementModes.sol";
import {Order} from "../../../contracts/interfaces/IDvpSettlement.sol";
import {Batches} from "../unit/Batches.sol";

/// @title SettlementHandler
/// @notice Pays in and out, settles, settles again, overfills, cancels and intrudes on the suite as in production.
contract SettlementHandler is Batches {
    uint64 private constant _ORDERED = 10;
    uint256 private constant _LOCKUPS_MAX = 20;

    Order[] private _buys;
    Order[] private _sells;
    Batch private _last;
    Hold[] private _holds;
    /// @dev Of each hold: the place of its orders, and whether it is open.
    uint256[] private _places;
    bool[] private _open;
    uint256 private _lockups;
    uint256 private _reference = 1 << 128;

    /// @notice What was paid in and out in all.
    uint256 public paidIn;
    uint256 public paidOut;
    /// @notice Changes that a batch sent a second time, a failed trade or a cancelled order made.
    uint256 public echoes;
    /// @notice Trades of which not both legs moved, exactly.
    uint256 public halves;
    /// @notice Calls of somebody without a right that went through.
    uint256 public intrusions;
    uint256 public settledTrades;
    mapping(uint256 at => uint64) public filledBy;

    /// @dev Forge also calls it at random: only the first time counts.
    function setUp() public override {
        if (address(token) != address(0)) return;
        super.setUp();
        issuerAct(address(token), abi.encodeCall(IERC3643.mint, (seller, 400)));
        issuerAct(address(token), abi.encodeCall(IERC3643.mint, (buyer, 50)));
        paidIn = cash.totalSupply();
    }

    function cashHeld() external view returns (uint256) {
        return cash.balanceOf(cash1) + cash.balanceOf(cash2) + cash.balanceOf(ownCash1);
    }

    function cashSupply() external view returns (uint256) {
        return cash.totalSupply();
    }

    function unitsHeld() external view returns (uint256) {
        return token.balanceOf(seller) + token.balanceOf(buyer) + token.balanceOf(other) + token.balanceOf(house);
    }

    function unitSupply() external view returns (uint256) {
        return token.totalSupply();
    }

    /// @notice The units and the cash of open held trades.
    function held() external view returns (uint256 units, uint256 money) {
        for (uint256 i = 0; i < _holds.length; i++) {
            if (!_open[i]) continue;
            units += _holds[i].quantity;
            money += uint256(_holds[i].quantity) * _holds[i].price;
        }
    }

    /// @notice The units and the cash that settlement holds back, of all accounts.
    function heldBack() external view returns (uint256 units, uint256 money) {
        units = token.heldOf(seller) + token.heldOf(buyer) + token.heldOf(other) + token.heldOf(house);
        money = cash.heldOf(cash1) + cash.heldOf(cash2) + cash.heldOf(ownCash1);
    }

    /// @notice What is encumbered of the seller's units, and what records and held trades say of it.
    function encumberedOfSeller() external view returns (uint256 encumbered, uint256 recorded) {
        (,, encumbered,) = token.accountOf(seller);
        (uint96 lockup, uint96 pledged, uint96 restricted) = encumbrances.sums(address(token), seller);
        recorded = token.heldOf(seller) + lockup + pledged + restricted;
    }

    /// @notice Held trades that the contract does not know as such, or knows although they are over.
    function strayHolds() external view returns (uint256 count) {
        for (uint256 i = 0; i < _holds.length; i++) {
            bytes32 known = modes.holdOf(VENUE, _holds[i].tradeId);
            if (known != (_open[i] ? keccak256(abi.encode(_holds[i])) : bytes32(0))) count++;
        }
    }

    function orderCount() external view returns (uint256) {
        return _buys.length;
    }

    /// @notice What the contract counts as filled of the two orders at a place, and what they ordered.
    function fillsAt(uint256 at) external view returns (uint64 buy, uint64 sell, uint64 ordered) {
        return (
            settlement.filled(BROKER_2, _buys[at].nonce),
            settlement.filled(BROKER_1, _sells[at].nonce),
            _buys[at].quantity
        );
    }

    // --- cash --------------------------------------------------------------------------------------------------

    function payIn(uint256 at, uint256 amount) external {
        amount = bound(amount, 1, 100_000);
        credit(_cashAt(at), uint96(amount));
        paidIn += amount;
    }

    function payOut(uint256 at, uint256 amount) external {
        uint256 balance = cash.balanceOf(_cashAt(at)) - cash.heldOf(_cashAt(at));
        if (balance == 0) return;
        amount = bound(amount, 1, balance);
        CashEntry memory entry = CashEntry(_cashAt(at), uint96(amount), bytes32(++_reference), LATER);
        bytes memory signature = signatureOf(SIGNER + CASH_AGENT_NO, entryDigest("CashDebit", entry));
        cash.debit(entry, signature);
        paidOut += amount;
        (bool again,) = address(cash).call(abi.encodeCall(cash.debit, (entry, signature)));
        if (again) echoes++;
    }

    // --- trades ------------------------------------------------------------------------------------------------

    function open(uint256 price) external {
        uint64 at = uint64(bound(price, 1, 3_000));
        _buys.push(bid(at, _ORDERED));
        _sells.push(ask(at, _ORDERED));
        _fill(_buys.length - 1, 1 + at % _ORDERED);
    }

    function fillMore(uint256 which, uint256 units) external {
        if (_buys.length == 0) return;
        _fill(which % _buys.length, uint64(bound(units, 1, _ORDERED + 1)));
    }

    function repeat() external {
        if (_last.trades.length == 0) return;
        bool wasDone = settlement.settled(VENUE, _last.trades[0].tradeId);
        if (!wasDone) return;
        bytes32 before = holdings();
        send(_last);
        if (holdings() != before) echoes++;
    }

    function cancel(uint256 which) external {
        if (_buys.length == 0) return;
        uint64 nonce = _buys[which % _buys.length].nonce;
        bytes32 kind = keccak256("OrderCancel(bytes20 broker,uint64 nonce)");
        bytes32 digest =
            typed("stoken DvpSettlement", address(settlement), keccak256(abi.encode(kind, BROKER_2, nonce)));
        bytes memory signature = signatureOf(SIGNER + BROKER_2_NO, digest);
        (bool success,) = address(settlement).call(abi.encodeCall(settlement.cancelOrder, (BROKER_2, nonce, signature)));
        if (success) _fill(which % _buys.length, 1);
        if (success && settlement.filled(BROKER_2, nonce) != type(uint64).max) echoes++;
    }

    // --- trades of a later day ---------------------------------------------------------------------------------

    function wait(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 3 hours));
    }

    function hold(uint256 price, uint256 units) external {
        uint64 at = uint64(bound(price, 1, 3_000));
        uint64 quantity = uint64(bound(units, 1, _ORDERED));
        _buys.push(bid(at, _ORDERED));
        _sells.push(ask(at, _ORDERED));
        Batch memory batch = pair(_buys[_buys.length - 1], _sells[_sells.length - 1], quantity, at);
        bytes32 before = holdings();
        vm.prank(venueSender);
        modes.holdBatch(batch.orders, batch.signatures, batch.trades);
        if (holdings() != before) halves++;
        if (modes.holdOf(VENUE, batch.trades[0].tradeId) == 0) return;
        filledBy[_buys.length - 1] += quantity;
        _holds.push(holdOf(batch));
        _places.push(_buys.length - 1);
        _open.push(true);
    }

    function settleHeld(uint256 which) external {
        if (_holds.length == 0) return;
        which %= _holds.length;
        Hold[] memory list = new Hold[](1);
        list[0] = _holds[which];
        uint256 price = uint256(list[0].price) * list[0].quantity;
        bool due = _open[which] && block.timestamp <= list[0].expiresAt;
        (uint256 unitsBefore, uint256 cashBefore) = (token.balanceOf(buyer), cash.balanceOf(cash1));
        for (uint256 i = 0; i < 2; i++) {
            vm.prank(venueSender);
            modes.settleHeld(list);
            // The second time nothing more happens.
            if (token.balanceOf(buyer) != unitsBefore + (due ? list[0].quantity : 0)) halves++;
            if (cash.balanceOf(cash1) != cashBefore + (due ? price : 0)) halves++;
        }
        if (due) _open[which] = false;
    }

    function releaseHold(uint256 which) external {
        if (_holds.length == 0) return;
        which %= _holds.length;
        Hold memory one = _holds[which];
        bool due = _open[which] && block.timestamp > one.expiresAt;
        bytes32 before = holdings();
        (bool success,) = address(settlement).call(abi.encodeCall(ISettlementModes.releaseHold, (one)));
        if (success != due) intrusions++;
        if (holdings() != before) halves++;
        if (!success) return;
        _open[which] = false;
        filledBy[_places[which]] -= one.quantity;
    }

    function lockUp(uint256 units) external {
        (uint256 balance,, uint256 encumbered,) = token.accountOf(seller);
        if (balance == encumbered || _lockups == _LOCKUPS_MAX) return;
        bytes32 id = bytes32(++_lockups);
        uint96 locked = uint96(bound(units, 1, (balance - encumbered + 19) / 20));
        bytes memory data = abi.encodeCall(
            IEncumbrances.lock, (id, address(token), seller, 1, locked, uint40(block.timestamp + 1 days))
        );
        issuerAct(address(encumbrances), data);
    }

    // --- intruders ---------------------------------------------------------------------------------------------

    function intrude(address intruder, uint256 units) external {
        if (intruder == address(authority) || intruder == address(settlement) || intruder == venueSender) return;
        // Agents of the token are no intruders: encumbrances lock, and force where a pledge is enforced.
        if (token.rolesOf(intruder) != 0) return;
        units = bound(units, 0, 10);
        CashParty memory payer = CashParty(cash2, BROKER_2, 1, buyer);
        CashParty memory payee = CashParty(cash1, BROKER_1, 1, seller);
        _refusedTo(intruder, address(token), abi.encodeCall(token.settle, (seller, buyer, units)));
        _refusedTo(intruder, address(token), abi.encodeCall(token.mint, (buyer, units)));
        _refusedTo(intruder, address(token), abi.encodeCall(token.burn, (seller, units)));
        _refusedTo(intruder, address(token), abi.encodeCall(token.forcedTransfer, (seller, buyer, units)));
        _refusedTo(intruder, address(token), abi.encodeCall(token.lock, (seller, uint96(units))));
        _refusedTo(intruder, address(token), abi.encodeCall(token.upgradeToAndCall, (address(this), "")));
        _refusedTo(intruder, address(cash), abi.encodeCall(cash.settle, (payer, payee, units)));
        _refusedTo(intruder, address(cash), abi.encodeCall(cash.transfer, (buyer, units)));
        _refusedTo(intruder, address(quantity), abi.encodeCall(quantity.register, (address(token), type(uint96).max)));
        _refusedTo(intruder, address(settlement), callOf(_last));
        _refusedTo(intruder, address(settlement), abi.encodeCall(modes.settleHeld, (_holds)));
        _refusedTo(intruder, address(cash), abi.encodeCall(cash.settleHeld, (cash2, cash1, units)));
        _refusedTo(intruder, address(cash), abi.encodeCall(cash.release, (cash2, units)));
    }

    function _refusedTo(address intruder, address target, bytes memory call) private {
        vm.prank(intruder);
        (bool success,) = target.call(call);
        if (success) intrusions++;
    }

    /// @dev Settles units of two orders, or fails; nothing in between.
    function _fill(uint256 at, uint64 units) private {
        _remember(pair(_buys[at], _sells[at], units, _buys[at].price));
        uint256 price = uint256(_buys[at].price) * units;
        (uint256 unitsBefore, uint256 cashBefore) = (token.balanceOf(buyer), cash.balanceOf(cash1));
        (uint256 soldBefore, uint256 paidBefore) = (token.balanceOf(seller), cash.balanceOf(cash2));
        bytes32 before = holdings();
        Outcome[] memory list = outcomes(_last);
        if (list[0].refusal.length != 0) {
            if (holdings() != before) halves++;
            return;
        }
        settledTrades++;
        filledBy[at] += units;
        if (token.balanceOf(buyer) != unitsBefore + units || token.balanceOf(seller) + units != soldBefore) halves++;
        if (cash.balanceOf(cash1) != cashBefore + price || cash.balanceOf(cash2) + price != paidBefore) halves++;
    }

    function _remember(Batch memory batch) private {
        delete _last;
        for (uint256 i = 0; i < 2; i++) {
            _last.orders.push(batch.orders[i]);
            _last.signatures.push(batch.signatures[i]);
        }
        _last.trades.push(batch.trades[0]);
    }

    function _cashAt(uint256 at) private view returns (address) {
        return at % 3 == 0 ? cash1 : at % 3 == 1 ? cash2 : ownCash1;
    }
}
