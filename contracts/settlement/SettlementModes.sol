// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Fills} from "./Fills.sol";
import {Netting} from "./Netting.sol";
import {SettlementBase} from "./SettlementBase.sol";
import {Signatures} from "../control/Signatures.sol";
import {CashParty, IDepositToken} from "../interfaces/IDepositToken.sol";
import {Broker, IDvpSettlement, Order, Trade} from "../interfaces/IDvpSettlement.sol";
import {IEncumbrances} from "../interfaces/IEncumbrances.sol";
import {ISecurityToken} from "../interfaces/ISecurityToken.sol";
import {CashConfirmation, Hold, ISettlementModes} from "../interfaces/ISettlementModes.sol";

/// @title SettlementModes
/// @dev Runs by delegation from {DvpSettlement}, over its storage and as its address; it is nothing by itself.
contract SettlementModes is SettlementBase, ISettlementModes {
    using Fills for Fills.Cells;
    using Netting for Netting.Nets;

    uint8 private constant _CASH = 8;
    uint16 private constant _CASH_AGENT = 1 << 7;

    bytes32 private constant _CONFIRMATION = keccak256(
        "CashConfirmation(bytes20 venue,uint64 tradeId,address token,address seller,address buyer,uint96 amount,"
        "bytes32 ref,uint40 deadline)"
    );

    /// @inheritdoc ISettlementModes
    function settleAll(Order[] calldata orders, bytes[] calldata signatures, Trade[] calldata trades) external {
        Data storage $ = _data();
        bytes20 venue = _enter($);
        Party[] memory parties = _parties($, orders, signatures);
        for (uint256 i = 0; i < trades.length; ++i) {
            Trade calldata trade = trades[i];
            _settleUnits($, venue, orders, parties, trade);
            (CashParty memory payer, CashParty memory payee) = _cashParties(orders, parties, trade);
            IDepositToken(orders[trade.buy].cash).settle(payer, payee, _amount(trade));
        }
        $.entered = false;
    }

    /// @inheritdoc ISettlementModes
    function settleNet(Order[] calldata orders, bytes[] calldata signatures, Trade[] calldata trades) external {
        Data storage $ = _data();
        bytes20 venue = _enter($);
        Party[] memory parties = _parties($, orders, signatures);
        Netting.Nets memory nets = Netting.start(orders.length);
        address cash;
        for (uint256 i = 0; i < trades.length; ++i) {
            Trade calldata trade = trades[i];
            _settleUnits($, venue, orders, parties, trade);
            if (i == 0) cash = orders[trade.buy].cash;
            if (orders[trade.buy].cash != cash) revert SettlementUnmatched("cash");
            (CashParty memory payer, CashParty memory payee) = _cashParties(orders, parties, trade);
            nets.add(trade.tradeId, payer, payee, _amount(trade));
        }
        if (trades.length != 0) {
            (CashParty[] memory owners, address[] memory accounts, int256[] memory sums) = nets.close();
            IDepositToken(cash).settleNet(owners, sums);
            emit BatchNetted(venue, cash, nets.gross, accounts, sums);
        }
        $.entered = false;
    }

    /// @inheritdoc ISettlementModes
    function settleConfirmed(
        Order[] calldata orders,
        bytes[] calldata signatures,
        Trade[] calldata trades,
        CashConfirmation[] calldata confirmations,
        bytes[] calldata confirmationSignatures
    ) external {
        if (trades.length != confirmations.length || trades.length != confirmationSignatures.length) {
            revert SettlementModesLengthMismatch();
        }
        Data storage $ = _data();
        bytes20 venue = _enter($);
        Party[] memory parties = _parties($, orders, signatures);
        for (uint256 i = 0; i < trades.length; ++i) {
            _settleUnits($, venue, orders, parties, trades[i]);
            // Brokers sign that no cash moves on the chain.
            if (orders[trades[i].buy].cash != address(0)) revert SettlementUnmatched("cash");
            _confirm($, venue, orders, trades[i], confirmations[i], confirmationSignatures[i]);
        }
        $.entered = false;
    }

    /// @inheritdoc ISettlementModes
    function holdBatch(Order[] calldata orders, bytes[] calldata signatures, Trade[] calldata trades) external {
        Data storage $ = _data();
        bytes20 venue = _enter($);
        Party[] memory parties = _parties($, orders, signatures);
        for (uint256 i = 0; i < trades.length; ++i) {
            if (_isTaken($, venue, trades[i].tradeId)) continue;
            _carryOut(ISettlementModes.holdItem.selector, venue, orders, parties, trades[i]);
        }
        $.entered = false;
    }

    /// @inheritdoc ISettlementModes
    function holdItem(
        Trade calldata trade,
        Order calldata buy,
        Order calldata sell,
        Broker calldata buyer,
        Broker calldata seller
    ) external {
        if (msg.sender != address(this)) revert RoleRequired("SELF");
        Data storage $ = _data();
        _take($, buy.venue, trade.tradeId);
        _fill($, buy, buyer.member, trade.quantity);
        _fill($, sell, seller.member, trade.quantity);
        // A hold follows the recovery of its account; one that was made after it would follow as well.
        if (_holder(sell.token, sell.account) != sell.account) revert AccountClosed(sell.account);
        ISecurityToken(sell.token).lock(sell.account, trade.quantity);
        IDepositToken(buy.cash)
            .hold(
                CashParty(buy.cashAccount, buyer.member, buyer.kind, buy.account),
                CashParty(sell.cashAccount, seller.member, seller.kind, sell.account),
                _amount(trade)
            );
        Hold memory hold = Hold({
            venue: buy.venue,
            tradeId: trade.tradeId,
            token: buy.token,
            cash: buy.cash,
            seller: sell.account,
            buyer: buy.account,
            sellerCash: sell.cashAccount,
            buyerCash: buy.cashAccount,
            sellerBroker: seller.member,
            buyerBroker: buyer.member,
            sellNonce: sell.nonce,
            buyNonce: buy.nonce,
            quantity: trade.quantity,
            price: trade.price,
            expiresAt: buy.settleBy < sell.settleBy ? buy.settleBy : sell.settleBy
        });
        $.holds[buy.venue][trade.tradeId] = keccak256(abi.encode(hold));
        emit TradeHeld(buy.venue, trade.tradeId, hold);
    }

    /// @inheritdoc ISettlementModes
    function settleHeld(Hold[] calldata holds) external {
        Data storage $ = _data();
        bytes20 venue = _enter($);
        for (uint256 i = 0; i < holds.length; ++i) {
            Hold calldata hold = holds[i];
            bool own = hold.venue == venue;
            if (own && _isTaken($, venue, hold.tradeId) && $.holds[venue][hold.tradeId] == 0) continue;
            bytes memory reason =
                own ? _unheld($, hold) : abi.encodeWithSelector(SettlementUnmatched.selector, bytes32("venue"));
            if (reason.length == 0) {
                bool success;
                (success, reason) = _callItem(abi.encodeCall(ISettlementModes.settleHeldItem, (hold)));
                if (success) continue;
            }
            emit IDvpSettlement.TradeFailed(venue, hold.tradeId, reason);
        }
        $.entered = false;
    }

    /// @inheritdoc ISettlementModes
    function settleHeldItem(Hold calldata hold) external {
        if (msg.sender != address(this)) revert RoleRequired("SELF");
        delete _data().holds[hold.venue][hold.tradeId];
        address seller = _holder(hold.token, hold.seller);
        ISecurityToken(hold.token).unlock(seller, hold.quantity);
        ISecurityToken(hold.token).settle(seller, hold.buyer, hold.quantity);
        IDepositToken(hold.cash).settleHeld(hold.buyerCash, hold.sellerCash, _amount(hold));
        emit IDvpSettlement.TradeSettled(
            hold.venue,
            hold.tradeId,
            hold.token,
            seller,
            hold.buyer,
            hold.quantity,
            hold.price,
            hold.sellNonce,
            hold.buyNonce
        );
    }

    /// @inheritdoc ISettlementModes
    function releaseHold(Hold calldata hold) external {
        Data storage $ = _data();
        if ($.entered) revert IDvpSettlement.DvpSettlementReentered();
        if (!_isHeld($, hold)) revert DvpLegMissing(hold.tradeId);
        if (block.timestamp <= hold.expiresAt && msg.sender != owner()) {
            revert SettlementModesHoldActive(hold.tradeId, hold.expiresAt);
        }
        $.entered = true;
        delete $.holds[hold.venue][hold.tradeId];
        $.taken[hold.venue][hold.tradeId >> 8] &= ~(1 << (hold.tradeId & 0xff));
        $.fills.remove(hold.sellerBroker, hold.sellNonce, hold.quantity);
        $.fills.remove(hold.buyerBroker, hold.buyNonce, hold.quantity);
        ISecurityToken(hold.token).unlock(_holder(hold.token, hold.seller), hold.quantity);
        IDepositToken(hold.cash).release(hold.buyerCash, _amount(hold));
        emit HoldReleased(hold.venue, hold.tradeId);
        $.entered = false;
    }

    /// @inheritdoc ISettlementModes
    function holdOf(bytes20 venue, uint64 tradeId) external view returns (bytes32) {
        return _data().holds[venue][tradeId];
    }

    /// @inheritdoc ISettlementModes
    function confirmed(bytes20 agent, bytes32 ref) external view returns (bool) {
        return _data().references[agent][ref];
    }

    /// @dev The half that every batch as a whole has in common: checks, fills and units, which move before the cash.
    function _settleUnits(
        Data storage $,
        bytes20 venue,
        Order[] calldata orders,
        Party[] memory parties,
        Trade calldata trade
    ) private {
        if (_isTaken($, venue, trade.tradeId)) {
            revert DuplicateInstruction(bytes32(uint256(trade.tradeId)));
        }
        bytes memory reason = _unfit(venue, orders, parties, trade);
        if (reason.length != 0) {
            assembly ("memory-safe") {
                revert(add(reason, 0x20), mload(reason))
            }
        }
        Order calldata buy = orders[trade.buy];
        Order calldata sell = orders[trade.sell];
        _take($, venue, trade.tradeId);
        _fill($, buy, parties[trade.buy].signer.member, trade.quantity);
        _fill($, sell, parties[trade.sell].signer.member, trade.quantity);
        ISecurityToken(buy.token).settle(sell.account, buy.account, trade.quantity);
        emit IDvpSettlement.TradeSettled(
            venue,
            trade.tradeId,
            buy.token,
            sell.account,
            buy.account,
            trade.quantity,
            trade.price,
            sell.nonce,
            buy.nonce
        );
    }

    function _confirm(
        Data storage $,
        bytes20 venue,
        Order[] calldata orders,
        Trade calldata trade,
        CashConfirmation calldata confirmation,
        bytes calldata signature
    ) private {
        bytes32 field = _misstated(venue, orders, trade, confirmation);
        bytes20 agent;
        if (field == 0) {
            address signer = Signatures.signerOf(_digest(keccak256(abi.encode(_CONFIRMATION, confirmation))), signature);
            agent = $.members.authoriseRole(signer, _CASH, _CASH_AGENT, block.timestamp);
            if (agent == 0) field = "signer";
            else if ($.references[agent][confirmation.ref]) field = "ref";
        }
        if (field != 0) revert CashConfirmInvalid(confirmation.ref, field);
        $.references[agent][confirmation.ref] = true;
        emit CashConfirmed(venue, trade.tradeId, confirmation.ref, agent, confirmation.amount);
    }

    /// @dev The field of a confirmation that is not the trade's; zero if all are.
    function _misstated(
        bytes20 venue,
        Order[] calldata orders,
        Trade calldata trade,
        CashConfirmation calldata confirmation
    ) private view returns (bytes32) {
        Order calldata buy = orders[trade.buy];
        bool same = confirmation.venue == venue && confirmation.tradeId == trade.tradeId
            && confirmation.token == buy.token && confirmation.buyer == buy.account
            && confirmation.seller == orders[trade.sell].account;
        if (!same) return "trade";
        if (confirmation.amount != _amount(trade)) return "amount";
        return block.timestamp > confirmation.deadline ? bytes32("deadline") : bytes32(0);
    }

    function _unheld(Data storage $, Hold calldata hold) private view returns (bytes memory) {
        if (!_isHeld($, hold)) return abi.encodeWithSelector(DvpLegMissing.selector, hold.tradeId);
        if (block.timestamp <= hold.expiresAt) return "";
        return abi.encodeWithSelector(HoldExpired.selector, hold.tradeId, hold.expiresAt);
    }

    function _isHeld(Data storage $, Hold calldata hold) private view returns (bool) {
        return $.holds[hold.venue][hold.tradeId] == keccak256(abi.encode(hold));
    }

    function _holder(address token, address account) private view returns (address) {
        (, address encumbrances,,) = ISecurityToken(token).wiring();
        return IEncumbrances(encumbrances).holderOf(token, account);
    }

    function _cashParties(Order[] calldata orders, Party[] memory parties, Trade calldata trade)
        private
        pure
        returns (CashParty memory payer, CashParty memory payee)
    {
        return (_cashParty(orders[trade.buy], parties[trade.buy]), _cashParty(orders[trade.sell], parties[trade.sell]));
    }

    function _cashParty(Order calldata order, Party memory party) private pure returns (CashParty memory) {
        return CashParty(order.cashAccount, party.signer.member, party.kind, order.account);
    }

    function _amount(Trade calldata trade) private pure returns (uint256) {
        return uint256(trade.price) * trade.quantity;
    }

    function _amount(Hold calldata hold) private pure returns (uint256) {
        return uint256(hold.price) * hold.quantity;
    }
}
