// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";

import {IKeyHolder} from "../interfaces/IIdentity.sol";
import {Refusals} from "../interfaces/Refusals.sol";

/// @title KeyHolder
/// @notice Base of identities and claim issuers, behind minimal proxies of a factory.
abstract contract KeyHolder is IKeyHolder, Refusals {
    /// @custom:storage-location erc7201:stoken.storage.KeyHolder
    struct KeyData {
        /// @dev The first key in one slot with its purposes, since most identities never have another.
        address first;
        uint8 firstPurposes;
        mapping(bytes32 key => uint8) purposes;
        bytes32[] keys;
    }

    uint256 internal constant _MANAGEMENT = 1;
    uint256 internal constant _CLAIM = 3;

    uint256 private constant _PURPOSE_MAX = 4;
    uint256 private constant _KEYS_MAX = 32;
    uint256 private constant _ECDSA_KEY = 1;

    bytes32 private constant _KEY_DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.KeyHolder")) - 1)) & ~bytes32(uint256(0xff));

    address private immutable _FACTORY = msg.sender;
    address private immutable _CODE = address(this);

    modifier onlyPurpose(uint256 purpose) {
        if (!keyHasPurpose(_keyOf(msg.sender), purpose)) revert RoleRequired(bytes32(purpose));
        _;
    }

    /// @inheritdoc IKeyHolder
    function initialize(bytes32 salt, address managementKey) external {
        KeyData storage $ = _keyData();
        if ($.first != address(0)) revert IdentityKeyWritten($.first);
        bytes32 bound = keccak256(abi.encode(salt, managementKey));
        if (Clones.predictDeterministicAddress(_CODE, bound, _FACTORY) != address(this)) {
            revert IdentityKeyUnproven(managementKey);
        }
        ($.first, $.firstPurposes) = (managementKey, uint8(1 << _MANAGEMENT));
        emit KeyAdded(_keyOf(managementKey), _MANAGEMENT, _ECDSA_KEY);
    }

    /// @inheritdoc IKeyHolder
    function addKey(bytes32 key, uint256 purpose, uint256 keyType) external onlyPurpose(_MANAGEMENT) returns (bool) {
        if (keyType != _ECDSA_KEY) revert IdentityKeyTypeInvalid(keyType);
        _requirePurpose(purpose);
        KeyData storage $ = _keyData();
        if (key == _keyOf($.first)) {
            $.firstPurposes |= uint8(1 << purpose);
        } else {
            if ($.purposes[key] == 0) {
                if ($.keys.length == _KEYS_MAX) revert IdentityKeysFull();
                $.keys.push(key);
            }
            $.purposes[key] |= uint8(1 << purpose);
        }
        emit KeyAdded(key, purpose, keyType);
        return true;
    }

    /// @inheritdoc IKeyHolder
    function removeKey(bytes32 key, uint256 purpose) external onlyPurpose(_MANAGEMENT) returns (bool) {
        _requirePurpose(purpose);
        if (_purposesOf(key) >> purpose & 1 == 0) revert IdentityKeyUnknown(key);
        if (purpose == _MANAGEMENT && getKeysByPurpose(_MANAGEMENT).length == 1) revert IdentityLastManagementKey();
        KeyData storage $ = _keyData();
        if (key == _keyOf($.first)) {
            $.firstPurposes ^= uint8(1 << purpose);
        } else {
            $.purposes[key] ^= uint8(1 << purpose);
            if ($.purposes[key] == 0) _drop($.keys, key);
        }
        emit KeyRemoved(key, purpose, _ECDSA_KEY);
        _keyRemoved(purpose);
        return true;
    }

    /// @inheritdoc IKeyHolder
    function getKey(bytes32 key) external view returns (uint256[] memory purposes, uint256 keyType, bytes32 found) {
        uint8 mask = _purposesOf(key);
        if (mask == 0) return (purposes, 0, 0);
        purposes = new uint256[](_PURPOSE_MAX);
        uint256 count = 0;
        for (uint256 purpose = 1; purpose <= _PURPOSE_MAX; purpose++) {
            if (mask >> purpose & 1 != 0) purposes[count++] = purpose;
        }
        assembly ("memory-safe") {
            mstore(purposes, count)
        }
        return (purposes, _ECDSA_KEY, key);
    }

    /// @inheritdoc IKeyHolder
    function getKeysByPurpose(uint256 purpose) public view returns (bytes32[] memory found) {
        _requirePurpose(purpose);
        KeyData storage $ = _keyData();
        uint256 count = $.keys.length;
        found = new bytes32[](count + 1);
        uint256 place = 0;
        if ($.firstPurposes >> purpose & 1 != 0) found[place++] = _keyOf($.first);
        for (uint256 i = 0; i < count; i++) {
            bytes32 key = $.keys[i];
            if ($.purposes[key] >> purpose & 1 != 0) found[place++] = key;
        }
        assembly ("memory-safe") {
            mstore(found, place)
        }
    }

    /// @inheritdoc IKeyHolder
    function keyHasPurpose(bytes32 key, uint256 purpose) public view returns (bool) {
        uint8 mask = _purposesOf(key);
        return purpose <= _PURPOSE_MAX && (mask >> purpose & 1 != 0 || mask >> _MANAGEMENT & 1 != 0);
    }

    /// @dev Called after a key lost a purpose.
    function _keyRemoved(uint256 purpose) internal virtual;

    function _purposesOf(bytes32 key) internal view returns (uint8) {
        KeyData storage $ = _keyData();
        return key == _keyOf($.first) ? $.firstPurposes : $.purposes[key];
    }

    function _keyOf(address holder) internal pure returns (bytes32) {
        return keccak256(abi.encode(holder));
    }

    function _drop(bytes32[] storage list, bytes32 item) internal {
        uint256 last = list.length - 1;
        for (uint256 i = 0; i < last; i++) {
            if (list[i] == item) list[i] = list[last];
        }
        list.pop();
    }

    function _requirePurpose(uint256 purpose) private pure {
        if (purpose == 0 || purpose > _PURPOSE_MAX) revert IdentityPurposeInvalid(purpose);
    }

    function _keyData() private pure returns (KeyData storage $) {
        bytes32 slot = _KEY_DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
