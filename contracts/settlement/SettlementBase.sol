// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

import {Fills} from "./Fills.sol";
import {Matching} from "./Matching.sol";
import {Governed} from "../control/Governed.sol";
import {Signatures} from "../control/Signatures.sol";
import {TypedData} from "../control/TypedData.sol";
import {IAttestedIdentityRegistry} from "../interfaces/IAttestedIdentityRegistry.sol";
import {Broker, IDvpSettlement, Order, Trade} from "../interfaces/IDvpSettlement.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {IIdentityProfiles} from "../interfaces/IVerificationSources.sol";

/// @title SettlementBase
/// @notice What every mode of settlement shares: the storage, who stands behind an order, whether a trade lies within
/// its orders, and how much of them is filled.
abstract contract SettlementBase is Governed, TypedData {
    using Fills for Fills.Cells;

    /// @dev A key that signed orders of the batch, for matches from `since` to `until`; a reason says why not at all.
    struct Signer {
        address key;
        bytes20 member;
        uint40 since;
        uint40 until;
        bytes reason;
    }

    /// @dev Who stands behind an order: found once a batch, however many trades fill it.
    struct Party {
        Signer signer;
        uint8 kind;
        bytes reason;
    }

    /// @custom:storage-location erc7201:stoken.storage.DvpSettlement
    struct Data {
        IMemberRegistry members;
        bool entered;
        IAttestedIdentityRegistry identities;
        Fills.Cells fills;
        /// @dev A bit for each trade that settled or is held: it is not taken up again.
        mapping(bytes20 venue => mapping(uint256 index => uint256)) taken;
        /// @dev What was held, hashed; zero if nothing is.
        mapping(bytes20 venue => mapping(uint64 tradeId => bytes32)) holds;
        mapping(bytes20 agent => mapping(bytes32 ref => bool)) references;
    }

    uint8 internal constant _ORDER_SCOPE = 2;
    uint8 private constant _SENDER_SCOPE = 16;
    uint16 private constant _VENUE = 1 << 6;
    uint8 internal constant _ACTIVE = 1;
    uint8 private constant _RETIRED = 2;
    uint8 private constant _SUSPENDED = 2;

    /// @dev A trade gets exactly so much gas, however much the batch has: its outcome does not depend on the sender.
    uint256 private constant _ITEM_GAS = 1_000_000;
    /// @dev What must be left besides: 1/64 of the whole is withheld from a call, and the outcome is recorded.
    uint256 private constant _ITEM_GAS_FLOOR = _ITEM_GAS + _ITEM_GAS / 63 + 50_000;
    /// @dev A refusal takes at most 100 bytes; a foreign token cannot make the batch pay for more than this.
    uint256 private constant _REASON_BYTES_MAX = 1024;

    /// @dev So many orders back a signer is looked for: a batch has few, and a long search costs more than asking.
    uint256 private constant _LOOK_BACK = 8;

    bytes32 internal constant _ORDER = keccak256(
        "Order(bytes20 venue,address account,address cashAccount,address token,address cash,uint8 side,uint64 price,"
        "uint64 quantity,uint64 nonce,uint40 tradableUntil,uint40 settleBy,uint64 replaces)"
    );

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.DvpSettlement")) - 1)) & ~bytes32(uint256(0xff));

    /// @dev Locks against re-entrance and names the venue whose sender key calls.
    function _enter(Data storage $) internal returns (bytes20 venue) {
        if ($.entered) revert IDvpSettlement.DvpSettlementReentered();
        $.entered = true;
        venue = $.members.authoriseRole(msg.sender, _SENDER_SCOPE, _VENUE, block.timestamp);
        if (venue == 0) revert RoleRequired("SENDER");
    }

    /// @dev Calls only the suite's own registries: nothing that a broker or venue names can stop the batch here.
    function _parties(Data storage $, Order[] calldata orders, bytes[] calldata signatures)
        internal
        view
        returns (Party[] memory parties)
    {
        if (orders.length != signatures.length) revert IDvpSettlement.DvpSettlementLengthMismatch();
        bytes32 separator = _domainSeparator();
        // What the identity registry would ask: straight from its storage costs half.
        IIdentityProfiles profiles = IIdentityProfiles($.identities.identityStorage());
        parties = new Party[](orders.length);
        for (uint256 i = 0; i < orders.length; ++i) {
            bytes32 digest = MessageHashUtils.toTypedDataHash(separator, _structHash(orders[i]));
            address key = Signatures.signerOf(digest, signatures[i]);
            address account = orders[i].account;
            (bool known, uint256 last) = _lastBy(parties, i, key);
            if (known && orders[last].account == account) {
                // The same key for the same account: nothing else of an order says who stands behind it.
                parties[i] = parties[last];
                continue;
            }
            Signer memory signer = known ? parties[last].signer : _signer($, key);
            parties[i].signer = signer;
            if (signer.reason.length != 0) continue;
            bytes20 manager;
            (manager, parties[i].kind) = profiles.managerOf(account);
            if (manager == signer.member) continue;
            parties[i].reason = manager == 0
                ? abi.encodeWithSelector(AccountUnknown.selector, account)
                : abi.encodeWithSelector(NotAccountManager.selector, account, signer.member);
        }
    }

    /// @dev The last of the orders just before `at` that the same key signed.
    function _lastBy(Party[] memory parties, uint256 at, address key) private pure returns (bool known, uint256 last) {
        for (uint256 i = at; i > 0 && at - i < _LOOK_BACK; --i) {
            if (parties[i - 1].signer.key == key) return (true, i - 1);
        }
    }

    function _signer(Data storage $, address key) private view returns (Signer memory signer) {
        signer = Signer(key, 0, 0, 0, "");
        uint8 scopes;
        uint8 status;
        (signer.member, scopes, status, signer.since, signer.until) = $.members.keyOf(key);
        if (scopes & _ORDER_SCOPE == 0 || (status != _ACTIVE && status != _RETIRED)) {
            signer.reason = abi.encodeWithSelector(SignatureInvalid.selector, key);
            return signer;
        }
        if (status == _RETIRED) signer.until = type(uint40).max;
        (, uint8 standing) = $.members.memberOf(signer.member);
        if (standing != _ACTIVE) {
            bytes4 refusal = standing == _SUSPENDED ? BrokerSuspended.selector : BrokerNotMember.selector;
            signer.reason = abi.encodeWithSelector(refusal, signer.member);
        }
    }

    /// @dev An order lies in the calldata as it is hashed. What its fields hold beyond their size no broker signed.
    function _structHash(Order calldata order) private pure returns (bytes32 structHash) {
        bytes32 kind = _ORDER;
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, kind)
            calldatacopy(add(at, 0x20), order, 0x180)
            structHash := keccak256(at, 0x1a0)
        }
    }

    /// @dev Why the orders do not allow a trade; empty if they do.
    function _unfit(bytes20 venue, Order[] calldata orders, Party[] memory parties, Trade calldata trade)
        internal
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

    function _refusalOf(Party memory party, uint40 matchedAt) private pure returns (bytes memory) {
        Signer memory signer = party.signer;
        if (signer.reason.length != 0) return signer.reason;
        if (matchedAt >= signer.since && matchedAt <= signer.until) return party.reason;
        return abi.encodeWithSelector(SignatureInvalid.selector, signer.key);
    }

    /// @dev Settles or holds one trade by a call of the item named, or reports why not. All items have the arguments of
    /// one.
    function _carryOut(
        bytes4 item,
        bytes20 venue,
        Order[] calldata orders,
        Party[] memory parties,
        Trade calldata trade
    ) internal {
        bytes memory reason = _unfit(venue, orders, parties, trade);
        if (reason.length == 0) {
            bool success;
            (success, reason) = _callItem(
                abi.encodeWithSelector(
                    item,
                    trade,
                    orders[trade.buy],
                    orders[trade.sell],
                    _broker(parties[trade.buy]),
                    _broker(parties[trade.sell])
                )
            );
            if (success) return;
        }
        emit IDvpSettlement.TradeFailed(venue, trade.tradeId, reason);
    }

    /// @dev A self-call, so that a trade reverts alone; with a fixed share of gas, which must be there before, so that
    /// a sender cannot make a good trade fail by sending too little. Solidity's try would copy revert data of any size.
    function _callItem(bytes memory data) internal returns (bool success, bytes memory reason) {
        if (gasleft() < _ITEM_GAS_FLOOR) revert IDvpSettlement.DvpSettlementGasTooLow(gasleft(), _ITEM_GAS_FLOOR);
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

    /// @dev The first fill of a replacement voids what it replaces.
    function _fill(Data storage $, Order calldata order, bytes20 broker, uint64 quantity) internal {
        $.fills.add(broker, order.nonce, quantity, order.quantity);
        if (order.replaces != 0 && $.fills.void(broker, order.replaces)) {
            emit IDvpSettlement.OrderCanceled(broker, order.replaces);
        }
    }

    function _isTaken(Data storage $, bytes20 venue, uint64 tradeId) internal view returns (bool) {
        return $.taken[venue][tradeId >> 8] & (1 << (tradeId & 0xff)) != 0;
    }

    function _broker(Party memory party) private pure returns (Broker memory) {
        return Broker(party.signer.member, party.kind);
    }

    function _take(Data storage $, bytes20 venue, uint64 tradeId) internal {
        $.taken[venue][tradeId >> 8] |= 1 << (tradeId & 0xff);
    }

    function _domainName() internal pure override returns (string memory) {
        return "stoken DvpSettlement";
    }

    function _data() internal pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
