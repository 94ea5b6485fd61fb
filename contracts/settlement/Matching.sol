// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Order, Trade} from "../interfaces/IDvpSettlement.sol";
import {Refusals} from "../interfaces/Refusals.sol";

/// @title Matching
/// @notice Whether a trade lies within two orders: the checks that need nothing but the batch and the block's time.
library Matching {
    uint8 private constant _BUY = 1;
    uint8 private constant _SELL = 2;

    /// @notice The refusal of a trade, empty if it fits both orders.
    function refusalOf(bytes20 venue, Order calldata buy, Order calldata sell, Trade calldata trade)
        internal
        view
        returns (bytes memory)
    {
        bytes32 field = _mismatch(venue, buy, sell, trade);
        if (field != 0) return abi.encodeWithSelector(Refusals.SettlementUnmatched.selector, field);
        if (trade.quantity == 0) return abi.encodeWithSelector(Refusals.LotInvalid.selector, 0, 1);
        if (buy.account == sell.account) return abi.encodeWithSelector(Refusals.SelfTransfer.selector, buy.account);
        if (trade.matchedAt > block.timestamp) {
            return abi.encodeWithSelector(Refusals.SettlementUnmatched.selector, bytes32("matchedAt"));
        }
        uint40 deadline = _earlier(buy.tradableUntil, sell.tradableUntil);
        if (trade.matchedAt > deadline) return _tooLate(deadline, trade.matchedAt);
        deadline = _earlier(buy.settleBy, sell.settleBy);
        if (block.timestamp > deadline) return _tooLate(deadline, block.timestamp);
        return "";
    }

    function _mismatch(bytes20 venue, Order calldata buy, Order calldata sell, Trade calldata trade)
        private
        pure
        returns (bytes32)
    {
        if (buy.venue != venue || sell.venue != venue) return "venue";
        if (buy.side != _BUY || sell.side != _SELL) return "side";
        if (buy.token != sell.token) return "token";
        if (buy.cash != sell.cash) return "cash";
        if (buy.nonce == 0 || sell.nonce == 0) return "nonce";
        if (buy.replaces == buy.nonce || sell.replaces == sell.nonce) return "replaces";
        if (trade.price > buy.price || trade.price < sell.price || trade.price == 0) return "price";
        return 0;
    }

    function _earlier(uint40 left, uint40 right) private pure returns (uint40) {
        return left < right ? left : right;
    }

    function _tooLate(uint256 deadline, uint256 at) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Refusals.TooLate.selector, deadline, at);
    }
}
