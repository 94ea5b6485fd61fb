// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @notice What a broker signs (EIP-712): the limit, quantity and deadlines within which a venue may settle for it.
/// `side` is 1 to buy, 2 to sell; nonces count from 1; `replaces` is a nonce of the same broker, zero if none.
struct Order {
    /// The member that may settle it: 20 characters of its LEI.
    bytes20 venue;
    /// The securities account.
    address account;
    /// The broker's cash account, of the account's kind.
    address cashAccount;
    /// The security.
    address token;
    /// The deposit token.
    address cash;
    /// Buy 1, sell 2.
    uint8 side;
    /// Limit in won a unit: at most if it buys, at least if it sells.
    uint64 price;
    /// Units at most, over all fills.
    uint64 quantity;
    /// From 1, of the broker; fills are counted by it.
    uint64 nonce;
    /// Last block time in seconds of a match.
    uint40 tradableUntil;
    /// Last block time in seconds of a settlement.
    uint40 settleBy;
    /// Nonce of the broker's order that the first fill voids; zero for none.
    uint64 replaces;
}

/// @notice A match of two orders of the batch, by their indexes. Ids are sequential for each venue.
struct Trade {
    /// Sequential for each venue; settles once.
    uint64 tradeId;
    /// Index of the buy order within the batch.
    uint16 buy;
    /// Index of the sell order within the batch.
    uint16 sell;
    /// Units.
    uint64 quantity;
    /// Won a unit.
    uint64 price;
    /// When it was matched, as the venue says, in seconds.
    uint40 matchedAt;
}

/// @notice The broker of an order, and the owner type of its account and cash (customer 1, own 2).
struct Broker {
    /// The account's manager, which signed.
    bytes20 member;
    /// Owner type of the account: customer 1, own 2.
    uint8 kind;
}

/// @title IDvpSettlement
/// @notice Settles trades delivery versus payment, in batches whose items stand alone, within what both brokers signed:
/// nobody, not even the venue, moves units or cash otherwise.
/// @dev The account's manager in the identity registry is the broker; it must have signed with a key of scope ORDER
/// that is active at the match, or retired since; a revoked key's orders do not settle. Fills are counted for each
/// (broker, nonce). A replacement's quantity comes on top of what the order it replaces had filled before the
/// replacement's first fill. Assumes that token and cash move units and money only as they say: brokers sign both.
interface IDvpSettlement {
    /// @notice There is not one signature for each order.
    error DvpSettlementLengthMismatch();

    /// @notice A batch is being settled.
    error DvpSettlementReentered();

    /// @notice So little gas is left that a good trade might fail.
    error DvpSettlementGasTooLow(uint256 left, uint256 needed);

    /// @notice There is no code at the address of the other modes.
    error DvpSettlementCodeMissing(address modes);

    /// @notice Both legs of a trade moved.
    event TradeSettled(
        bytes20 indexed venue,
        uint64 indexed tradeId,
        address indexed token,
        address seller,
        address buyer,
        uint64 quantity,
        uint64 price,
        uint64 sellNonce,
        uint64 buyNonce
    );

    /// @notice A trade did not settle; `reason` is the revert data that says why (its first 1,024 bytes). Its id stays
    /// open.
    event TradeFailed(bytes20 indexed venue, uint64 indexed tradeId, bytes reason);

    /// @notice A broker's order is void: cancelled, or a replacement of it settled.
    event OrderCanceled(bytes20 indexed broker, uint64 indexed nonce);

    /// @notice Constructor of the proxy: everything belongs to `owner`.
    function initialize(address owner, address memberRegistry, address identityRegistry) external;

    /// @notice Settles trades one by one, in their order; a trade that fails is reported and stops no other, one whose
    /// id was settled before is passed over.
    /// @dev Requirements for the batch: the caller is an active SENDER key of a venue; a signature for each order;
    /// before each trade so much gas is left that the trade cannot fail for want of it.
    /// Requirements for a trade, in this order, with the refusal that {TradeFailed} reports:
    /// both indexes exist (SettlementUnmatched "order"); both orders name the caller's venue ("venue"), are a buy and a
    /// sell ("side"), of one token ("token") against one cash ("cash"); nonces are not zero ("nonce") and no order
    /// replaces itself ("replaces"); buy price ≥ price ≥ sell price, above zero ("price"); units above zero
    /// (LotInvalid); two accounts (SelfTransfer); the match is not in the future ("matchedAt"), not after
    /// `tradableUntil` of either (TooLate); it is not later than `settleBy` of either (TooLate); then buyer before
    /// seller: low-s signature by an ORDER key (SignatureInvalid) of an active member (BrokerNotMember,
    /// BrokerSuspended) that manages the account (AccountUnknown, NotAccountManager); buyer before seller: the order is
    /// not cancelled or replaced (NonceReplayed), filled + quantity ≤ ordered ("quantity"); then the token's refusals;
    /// then the cash accounts are the brokers' own, of the account's owner type (SegregationViolation), and the money
    /// is there (InsufficientCash).
    /// Emits {TradeSettled}, and {OrderCanceled} for what a filled order replaces, or {TradeFailed}.
    function settleBatch(Order[] calldata orders, bytes[] calldata signatures, Trade[] calldata trades) external;

    /// @notice Moves both legs of a checked trade.
    /// @dev Requirements: the caller is this contract itself. Emits {TradeSettled}.
    function settleItem(
        Trade calldata trade,
        Order calldata buy,
        Order calldata sell,
        Broker calldata buyer,
        Broker calldata seller
    ) external;

    /// @notice Voids an order on chain, whatever a venue holds; anyone relays.
    /// @dev Requirements: an active ORDER key of the broker signed `OrderCancel` (EIP-712); nonce not zero; the order
    /// is not void. Emits {OrderCanceled}.
    function cancelOrder(bytes20 broker, uint64 nonce, bytes calldata signature) external;

    /// @notice Units of an order that settled or are held; 2^64 - 1 if it is void.
    function filled(bytes20 broker, uint64 nonce) external view returns (uint64);

    /// @notice Whether a trade settled.
    function settled(bytes20 venue, uint64 tradeId) external view returns (bool);

    /// @notice The digest that a broker signs.
    function orderDigest(Order calldata order) external view returns (bytes32);

    /// @notice The registry of institutions and keys, and the identity registry.
    function wiring() external view returns (address memberRegistry, address identityRegistry);
}
