// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Fills} from "./Fills.sol";
import {Matching} from "./Matching.sol";
import {Governed} from "../control/Governed.sol";
import {Signatures} from "../control/Signatures.sol";
import {TypedData} from "../control/TypedData.sol";
import {IAttestedIdentityRegistry} from "../interfaces/IAttestedIdentityRegistry.sol";
import {CashParty, IDepositToken} from "../interfaces/IDepositToken.sol";
import {IDvpSettlement, Item, Leg, Order, Trade} from "../interfaces/IDvpSettlement.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {ISecurityToken} from "../interfaces/ISecurityToken.sol";

/// @title DvpSettlement
contract DvpSettlement is Governed, TypedData, IDvpSettlement {
    using Fills for Fills.Cells;

    /// @dev Who stands behind an order: found once a batch, however many trades fill it. The key signs for matches
    /// from `since` to `until`; a reason says why it does not at all.
    struct Party {
        address signer;
        bytes20 broker;
        uint8 kind;
        uint40 since;
        uint40 until;
        bytes reason;
    }

    /// @custom:storage-location erc7201:stoken.storage.DvpSettlement
    struct Data {
        IMemberRegistry members;
        bool entered;
        IAttestedIdentityRegistry identities;
        Fills.Cells fills;
        mapping(bytes20 venue => mapping(uint256 index => uint256)) settled;
    }

    uint8 private constant _ORDER_SCOPE = 2;
    uint8 private constant _SENDER_SCOPE = 16;
    uint16 private constant _VENUE = 1 << 6;
    uint8 private constant _ACTIVE = 1;
    uint8 private constant _RETIRED = 2;
    uint8 private constant _SUSPENDED = 2;

    /// @dev A trade gets exactly so much gas, however much the batch has: its outcome does not depend on the sender.
    uint256 private constant _ITEM_GAS = 1_000_000;
    /// @dev What must be left besides: 1/64 of the whole is withheld from a call, and the outcome is recorded.
    uint256 private constant _ITEM_GAS_FLOOR = _ITEM_GAS + _ITEM_GAS / 63 + 50_000;
    /// @dev A refusal takes at most 100 bytes; a foreign token cannot make the batch pay for more than this.
    uint256 private constant _REASON_BYTES_MAX = 1024;

    bytes32 private constant _ORDER = keccak256(
        "Order(bytes20 venue,address account,address cashAccount,address token,address cash,uint8 side,uint64 price,"
        "uint64 quantity,uint64 nonce,uint40 tradableUntil,uint40 settleBy,uint64 replaces)"
    );
    bytes32 private constant _ORDER_CANCEL = keccak256("OrderCancel(bytes20 broker,uint64 nonce)");

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.DvpSettlement")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc IDvpSettlement
    function initialize(address owner, address memberRegistry, address identityRegistry) external initializer {
        __Ownable_init(owner);
        Data storage $ = _data();
        $.members = IMemberRegistry(memberRegistry);
        $.identities = IAttestedIdentityRegistry(identityRegistry);
    }

    /// @inheritdoc IDvpSettlement
    function settleBatch(Order[] calldata orders, bytes[] calldata signatures, Trade[] calldata trades) external {
        Data storage $ = _data();
        if ($.entered) revert DvpSettlementReentered();
        $.entered = true;
        bytes20 venue = $.members.authoriseRole(msg.sender, _SENDER_SCOPE, _VENUE, block.timestamp);
        if (venue == 0) revert RoleRequired("SENDER");
        Party[] memory parties = _parties($, orders, signatures);
        for (uint256 i = 0; i < trades.length; ++i) {
            if (_isSettled($, venue, trades[i].tradeId)) continue;
            _settle(venue, orders, parties, trades[i]);
        }
        $.entered = false;
    }

    /// @inheritdoc IDvpSettlement
    function settleItem(Item calldata item) external {
        if (msg.sender != address(this)) revert RoleRequired("SELF");
        Data storage $ = _data();
        $.settled[item.venue][item.tradeId >> 8] |= 1 << (item.tradeId & 0xff);
        _fill($, item.buy, item.quantity);
        _fill($, item.sell, item.quantity);
        ISecurityToken(item.token).settle(item.sell.account, item.buy.account, item.quantity);
        IDepositToken(item.cash)
            .settle(_cashParty(item.buy), _cashParty(item.sell), uint256(item.price) * item.quantity);
        emit TradeSettled(
            item.venue,
            item.tradeId,
            item.token,
            item.sell.account,
            item.buy.account,
            item.quantity,
            item.price,
            item.sell.nonce,
            item.buy.nonce
        );
    }

    /// @inheritdoc IDvpSettlement
    function cancelOrder(bytes20 broker, uint64 nonce, bytes calldata signature) external {
        Data storage $ = _data();
        address signer = Signatures.signerOf(_digest(keccak256(abi.encode(_ORDER_CANCEL, broker, nonce))), signature);
        // Also a suspended member may withdraw, so its status is not asked.
        (bytes20 member, uint8 scopes, uint8 status, uint40 since, uint40 until) = $.members.keyOf(signer);
        bool valid = status == _ACTIVE && since <= block.timestamp && block.timestamp <= until;
        if (!valid || member != broker || scopes & _ORDER_SCOPE == 0) revert SignatureInvalid(signer);
        if (nonce == 0) revert SettlementUnmatched("nonce");
        if ($.fills.get(broker, nonce) == Fills.VOID) revert NonceReplayed(broker, nonce);
        _void($, broker, nonce);
    }

    /// @inheritdoc IDvpSettlement
    function filled(bytes20 broker, uint64 nonce) external view returns (uint64) {
        return _data().fills.get(broker, nonce);
    }

    /// @inheritdoc IDvpSettlement
    function settled(bytes20 venue, uint64 tradeId) external view returns (bool) {
        return _isSettled(_data(), venue, tradeId);
    }

    /// @inheritdoc IDvpSettlement
    function orderDigest(Order calldata order) external view returns (bytes32) {
        return _digest(keccak256(abi.encode(_ORDER, order)));
    }

    /// @inheritdoc IDvpSettlement
    function wiring() external view returns (address memberRegistry, address identityRegistry) {
        Data storage $ = _data();
        return (address($.members), address($.identities));
    }

    /// @dev Calls only the suite's own registries: nothing that a broker or venue names can stop the batch here.
    function _parties(Data storage $, Order[] calldata orders, bytes[] calldata signatures)
        private
        view
        returns (Party[] memory parties)
    {
        if (orders.length != signatures.length) revert DvpSettlementLengthMismatch();
        bytes32 separator = _domainSeparator();
        parties = new Party[](orders.length);
        for (uint256 i = 0; i < orders.length; ++i) {
            bytes32 structHash = keccak256(abi.encode(_ORDER, orders[i]));
            bytes32 digest = keccak256(abi.encodePacked(hex"1901", separator, structHash));
            _identify($, orders[i].account, Signatures.signerOf(digest, signatures[i]), parties[i]);
        }
    }

    /// @dev Fills in who signed and whether it may; the time of the match is compared with the key's later.
    function _identify(Data storage $, address account, address signer, Party memory party) private view {
        party.signer = signer;
        (bytes20 member, uint8 scopes, uint8 status, uint40 since, uint40 until) = $.members.keyOf(signer);
        if (scopes & _ORDER_SCOPE == 0 || (status != _ACTIVE && status != _RETIRED)) {
            party.reason = abi.encodeWithSelector(SignatureInvalid.selector, signer);
            return;
        }
        (party.broker, party.since) = (member, since);
        party.until = status == _RETIRED ? type(uint40).max : until;
        (, uint8 standing) = $.members.memberOf(member);
        if (standing != _ACTIVE) {
            bytes4 refusal = standing == _SUSPENDED ? BrokerSuspended.selector : BrokerNotMember.selector;
            party.reason = abi.encodeWithSelector(refusal, member);
            return;
        }
        bytes20 manager;
        (manager, party.kind) = $.identities.managerOf(account);
        if (manager == 0) party.reason = abi.encodeWithSelector(AccountUnknown.selector, account);
        else if (manager != member) party.reason = abi.encodeWithSelector(NotAccountManager.selector, account, member);
    }

    /// @dev Settles one trade or reports why not.
    function _settle(bytes20 venue, Order[] calldata orders, Party[] memory parties, Trade calldata trade) private {
        bytes memory reason = _unfit(venue, orders, parties, trade);
        if (reason.length == 0) {
            bool success;
            (success, reason) = _callItem(_encodeItem(venue, orders, parties, trade));
            if (success) return;
        }
        emit TradeFailed(venue, trade.tradeId, reason);
    }

    /// @dev Why the orders do not allow a trade; empty if they do.
    function _unfit(bytes20 venue, Order[] calldata orders, Party[] memory parties, Trade calldata trade)
        private
        view
        returns (bytes memory reason)
    {
        if (trade.buy >= orders.length || trade.sell >= orders.length) {
            return abi.encodeWithSelector(SettlementUnmatched.selector, bytes32("order"));
        }
        reason = Matching.refusalOf(venue, orders[trade.buy], orders[trade.sell], trade);
        if (reason.length == 0) reason = _refusalOf(parties[trade.buy], trade.matchedAt);
        if (reason.length == 0) reason = _refusalOf(parties[trade.sell], trade.matchedAt);
    }

    function _encodeItem(bytes20 venue, Order[] calldata orders, Party[] memory parties, Trade calldata trade)
        private
        pure
        returns (bytes memory)
    {
        Order calldata buy = orders[trade.buy];
        Item memory item = Item({
            venue: venue,
            tradeId: trade.tradeId,
            token: buy.token,
            cash: buy.cash,
            quantity: trade.quantity,
            price: trade.price,
            buy: _leg(buy, parties[trade.buy]),
            sell: _leg(orders[trade.sell], parties[trade.sell])
        });
        return abi.encodeCall(IDvpSettlement.settleItem, (item));
    }

    function _refusalOf(Party memory party, uint40 matchedAt) private pure returns (bytes memory) {
        if (party.reason.length != 0) return party.reason;
        if (matchedAt >= party.since && matchedAt <= party.until) return "";
        return abi.encodeWithSelector(SignatureInvalid.selector, party.signer);
    }

    /// @dev A self-call, so that a trade reverts alone; with a fixed share of gas, which must be there before, so that
    /// a sender cannot make a good trade fail by sending too little. Solidity's try would copy revert data of any size.
    function _callItem(bytes memory data) private returns (bool success, bytes memory reason) {
        if (gasleft() < _ITEM_GAS_FLOOR) revert DvpSettlementGasTooLow(gasleft(), _ITEM_GAS_FLOOR);
        uint256 size;
        assembly ("memory-safe") {
            success := call(_ITEM_GAS, address(), 0, add(data, 0x20), mload(data), 0, 0)
            size := returndatasize()
        }
        if (success) return (true, "");
        reason = new bytes(size < _REASON_BYTES_MAX ? size : _REASON_BYTES_MAX);
        assembly ("memory-safe") {
            returndatacopy(add(reason, 0x20), 0, mload(reason))
        }
    }

    function _fill(Data storage $, Leg calldata leg, uint64 quantity) private {
        uint64 units = $.fills.get(leg.broker, leg.nonce);
        if (units == Fills.VOID) revert NonceReplayed(leg.broker, leg.nonce);
        if (uint256(units) + quantity > leg.ordered) revert SettlementUnmatched("quantity");
        $.fills.set(leg.broker, leg.nonce, units + quantity);
        if (leg.replaces != 0 && $.fills.get(leg.broker, leg.replaces) != Fills.VOID) {
            _void($, leg.broker, leg.replaces);
        }
    }

    function _void(Data storage $, bytes20 broker, uint64 nonce) private {
        $.fills.set(broker, nonce, Fills.VOID);
        emit OrderCanceled(broker, nonce);
    }

    function _isSettled(Data storage $, bytes20 venue, uint64 tradeId) private view returns (bool) {
        return $.settled[venue][tradeId >> 8] & (1 << (tradeId & 0xff)) != 0;
    }

    function _leg(Order calldata order, Party memory party) private pure returns (Leg memory) {
        return Leg({
            account: order.account,
            cashAccount: order.cashAccount,
            broker: party.broker,
            kind: party.kind,
            nonce: order.nonce,
            ordered: order.quantity,
            replaces: order.replaces
        });
    }

    function _cashParty(Leg calldata leg) private pure returns (CashParty memory) {
        return CashParty(leg.cashAccount, leg.broker, leg.kind, leg.account);
    }

    function _domainName() internal pure override returns (string memory) {
        return "stoken DvpSettlement";
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
