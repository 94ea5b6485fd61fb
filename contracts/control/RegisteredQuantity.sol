// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "./Governed.sol";
import {IRegisteredQuantity} from "../interfaces/IRegisteredQuantity.sol";

/// @title RegisteredQuantity
contract RegisteredQuantity is Governed, IRegisteredQuantity {
    /// @custom:storage-location erc7201:stoken.storage.RegisteredQuantity
    struct Data {
        mapping(address token => uint96) quantities;
    }

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.RegisteredQuantity")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc IRegisteredQuantity
    function initialize(address owner) external initializer {
        __Ownable_init(owner);
    }

    /// @inheritdoc IRegisteredQuantity
    function register(address token, uint96 quantity) external onlyOwner {
        Data storage $ = _data();
        uint96 registered = $.quantities[token];
        if (quantity <= registered) revert RegisteredQuantityNotRaised(token, registered, quantity);
        $.quantities[token] = quantity;
        emit QuantityRegistered(token, quantity);
    }

    /// @inheritdoc IRegisteredQuantity
    function quantityOf(address token) external view returns (uint96) {
        return _data().quantities[token];
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
