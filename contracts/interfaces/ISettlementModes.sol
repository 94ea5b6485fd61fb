// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {Broker, Order, Trade} from "./IDvpSettlement.sol";

/// @notice A cash agent's word that won were paid outside the chain for a trade: from the buyer's broker to the
/// seller's. `ref` is the agent's reference, used once.
struct CashConfirmation {
    /// The venue of the trade: 20 characters of its LEI.
    bytes20 venue;
    /// The trade.
    uint64 tradeId;
    /// The security.
    address token;
    /// The securities account that sold.
    address seller;
    /// The securities account that bought.
    address buyer;
    /// Whole won that were paid.
    uint96 amount;
    /// The cash agent's reference, used once.
    bytes32 ref;
    /// Last block time in seconds at which it is taken.
    uint40 deadline;
}

/// @notice A trade whose units and cash are held, with all that settling it needs.
struct Hold {
    /// The venue of the trade: 20 characters of its LEI.
    bytes20 venue;
    /// The trade.
    uint64 tradeId;
    /// The security.
    address token;
    /// The deposit token.
    address cash;
    /// The securities account whose units are held.
    address seller;
    /// The securities account that will get them.
    address buyer;
    /// The cash account that will be paid.
    address sellerCash;
    /// The cash account whose won are held.
    address buyerCash;
    /// The member that signed the sell order.
    bytes20 sellerBroker;
    /// The member that signed the buy order.
    bytes20 buyerBroker;
    /// Nonce of the sell order.
    uint64 sellNonce;
    /// Nonce of the buy order.
    uint64 buyNonce;
    /// Units.
    uint64 quantity;
    /// Won a unit.
    uint64 price;
    /// Last block time in seconds at which it settles.
    uint40 expiresAt;
}

/// @title ISettlementModes
/// @notice The other modes of {IDvpSettlement}, at the same address and over the same fills and trade ids: batches as a
/// whole, gross or netted; trades paid outside the chain; and trades that are held today and settle on a later day.
/// @dev What {IDvpSettlement} says of orders, brokers and assumptions holds here. All orders of one broker count
/// against its quantity whatever the mode; a trade that settled or is held in one mode is not taken up in another.
interface ISettlementModes {
    /// @notice There is not one signed confirmation for each trade.
    error SettlementModesLengthMismatch();

    /// @notice The hold has not expired.
    error SettlementModesHoldActive(uint64 tradeId, uint40 expiresAt);

    /// @notice A batch was netted: the nets are sums over its trades, whose hash is that of {settleNet}.
    event BatchNetted(
        bytes20 indexed venue, address indexed cash, bytes32 indexed grossHash, address[] cashAccounts, int256[] nets
    );

    /// @notice A cash agent confirmed that a trade was paid.
    event CashConfirmed(
        bytes20 indexed venue, uint64 indexed tradeId, bytes32 indexed ref, bytes20 agent, uint96 amount
    );

    /// @notice Both legs of a trade are held.
    event TradeHeld(bytes20 indexed venue, uint64 indexed tradeId, Hold hold);

    /// @notice Both legs of a held trade are free again, and its orders no longer count it.
    event HoldReleased(bytes20 indexed venue, uint64 indexed tradeId);

    /// @notice Settles all trades, or none.
    /// @dev Requirements: those of settleBatch for the batch and for each trade; no trade settled before or is held
    /// (DuplicateInstruction). Reverts with the refusal of the first trade that does not settle.
    /// Emits TradeSettled, and OrderCanceled for what a filled order replaces.
    function settleAll(Order[] calldata orders, bytes[] calldata signatures, Trade[] calldata trades) external;

    /// @notice Settles all trades, or none; units move trade by trade, cash by what each cash account owes or is owed
    /// over all of them.
    /// @dev Requirements: as {settleAll}; all trades are of one cash (SettlementUnmatched "cash"). The hash of the
    /// gross trades starts as zero; each trade makes it keccak256(abi.encode(hash, tradeId, the buyer's cash account,
    /// the seller's cash account, price × quantity)). Emits as {settleAll}, and {BatchNetted}.
    function settleNet(Order[] calldata orders, bytes[] calldata signatures, Trade[] calldata trades) external;

    /// @notice Settles trades that were paid outside the chain, all or none: units move, cash is confirmed.
    /// @dev Requirements: as {settleAll}, but both orders name no cash on the chain (zero; SettlementUnmatched "cash");
    /// a confirmation and signature for each trade, of the trade's venue, id, token and accounts ("trade"), for price ×
    /// quantity ("amount"), in time ("deadline"), by an active CASH key of a cash agent ("signer"), whose reference is
    /// fresh ("ref"): CashConfirmInvalid names the field. Emits as {settleAll}, and {CashConfirmed}.
    function settleConfirmed(
        Order[] calldata orders,
        bytes[] calldata signatures,
        Trade[] calldata trades,
        CashConfirmation[] calldata confirmations,
        bytes[] calldata confirmationSignatures
    ) external;

    /// @notice Holds both legs of trades, one by one, until the earlier `settleBy` of the two orders; a trade that
    /// cannot be held is reported and stops no other, one that settled or is held already is passed over.
    /// @dev Requirements: those of settleBatch for the batch and for each trade, but the token is asked only whether so
    /// many units are free; the seller's account was not recovered to another (AccountClosed).
    /// Emits {TradeHeld}, and OrderCanceled for what an order replaces, or TradeFailed.
    function holdBatch(Order[] calldata orders, bytes[] calldata signatures, Trade[] calldata trades) external;

    /// @notice Holds both legs of a checked trade.
    /// @dev Requirements: the caller is this contract itself. Emits {TradeHeld}.
    function holdItem(
        Trade calldata trade,
        Order calldata buy,
        Order calldata sell,
        Broker calldata buyer,
        Broker calldata seller
    ) external;

    /// @notice Settles held trades one by one; a trade that fails is reported and stops no other, one that settled is
    /// passed over. Units of a recovered account move from its successor.
    /// @dev Requirements for the batch: as settleBatch. For a trade: it is the caller's venue's (SettlementUnmatched
    /// "venue"); both legs are held as {TradeHeld} said (DvpLegMissing); it has not expired (HoldExpired); then the
    /// token's refusals. Emits TradeSettled or TradeFailed.
    function settleHeld(Hold[] calldata holds) external;

    /// @notice Settles a checked hold.
    /// @dev Requirements: the caller is this contract itself. Emits TradeSettled.
    function settleHeldItem(Hold calldata hold) external;

    /// @notice Frees both legs of a held trade and gives its orders their quantity back.
    /// @dev Requirements: both legs are held as {TradeHeld} said (DvpLegMissing); it has expired, or the caller is the
    /// owner. Emits {HoldReleased}.
    function releaseHold(Hold calldata hold) external;

    /// @notice keccak256(abi.encode(hold)) of what is held for a trade; zero if nothing is.
    function holdOf(bytes20 venue, uint64 tradeId) external view returns (bytes32);

    /// @notice Whether a cash agent's reference confirmed a trade.
    function confirmed(bytes20 agent, bytes32 ref) external view returns (bool);
}
