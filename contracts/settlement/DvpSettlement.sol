// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Fills} from "./Fills.sol";
import {SettlementBase} from "./SettlementBase.sol";
import {Signatures} from "../control/Signatures.sol";
import {IAttestedIdentityRegistry} from "../interfaces/IAttestedIdentityRegistry.sol";
import {CashParty, IDepositToken} from "../interfaces/IDepositToken.sol";
import {Broker, IDvpSettlement, Order, Trade} from "../interfaces/IDvpSettlement.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {ISecurityToken} from "../interfaces/ISecurityToken.sol";

/// @title DvpSettlement
/// @dev The itemised batch, which is used most; {SettlementModes} has the others, over the same storage and fills.
contract DvpSettlement is SettlementBase, IDvpSettlement {
    using Fills for Fills.Cells;

    bytes32 private constant _ORDER_CANCEL = keccak256("OrderCancel(bytes20 broker,uint64 nonce)");

    /// @dev The modes that are used less, which run over this contract's storage.
    address private immutable _MODES;

    constructor(address modes) {
        if (modes.code.length == 0) revert DvpSettlementCodeMissing(modes);
        _MODES = modes;
    }

    /// @notice Any other function is one of {ISettlementModes}.
    fallback() external {
        address modes = _MODES;
        assembly ("memory-safe") {
            let at := mload(0x40)
            calldatacopy(at, 0, calldatasize())
            let success := delegatecall(gas(), modes, at, calldatasize(), 0, 0)
            returndatacopy(at, 0, returndatasize())
            switch success
            case 0 { revert(at, returndatasize()) }
            default { return(at, returndatasize()) }
        }
    }

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
        bytes20 venue = _enter($);
        Party[] memory parties = _parties($, orders, signatures);
        uint256 free;
        assembly ("memory-safe") {
            free := mload(0x40)
        }
        for (uint256 i = 0; i < trades.length; ++i) {
            if (_isTaken($, venue, trades[i].tradeId)) continue;
            _carryOut(IDvpSettlement.settleItem.selector, venue, orders, parties, trades[i]);
            // Nothing of a trade is kept: memory, whose price grows with its square, is used again.
            assembly ("memory-safe") {
                mstore(0x40, free)
            }
        }
        $.entered = false;
    }

    /// @inheritdoc IDvpSettlement
    function settleItem(
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
        ISecurityToken(buy.token).settle(sell.account, buy.account, trade.quantity);
        CashParty memory payer = CashParty(buy.cashAccount, buyer.member, buyer.kind, buy.account);
        CashParty memory payee = CashParty(sell.cashAccount, seller.member, seller.kind, sell.account);
        IDepositToken(buy.cash).settle(payer, payee, uint256(trade.price) * trade.quantity);
        emit TradeSettled(
            buy.venue,
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

    /// @inheritdoc IDvpSettlement
    function cancelOrder(bytes20 broker, uint64 nonce, bytes calldata signature) external {
        Data storage $ = _data();
        address signer = Signatures.signerOf(_digest(keccak256(abi.encode(_ORDER_CANCEL, broker, nonce))), signature);
        // Also a suspended member may withdraw, so its status is not asked.
        (bytes20 member, uint8 scopes, uint8 status, uint40 since, uint40 until) = $.members.keyOf(signer);
        bool valid = status == _ACTIVE && since <= block.timestamp && block.timestamp <= until;
        if (!valid || member != broker || scopes & _ORDER_SCOPE == 0) revert SignatureInvalid(signer);
        if (nonce == 0) revert SettlementUnmatched("nonce");
        if (!$.fills.void(broker, nonce)) revert NonceReplayed(broker, nonce);
        emit OrderCanceled(broker, nonce);
    }

    /// @inheritdoc IDvpSettlement
    function filled(bytes20 broker, uint64 nonce) external view returns (uint64) {
        return _data().fills.get(broker, nonce);
    }

    /// @inheritdoc IDvpSettlement
    function settled(bytes20 venue, uint64 tradeId) external view returns (bool) {
        Data storage $ = _data();
        return _isTaken($, venue, tradeId) && $.holds[venue][tradeId] == 0;
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
}
