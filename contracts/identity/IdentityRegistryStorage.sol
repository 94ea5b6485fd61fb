// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Agents} from "../control/Agents.sol";
import {IAttestedIdentityRegistry} from "../interfaces/IAttestedIdentityRegistry.sol";
import {IIdentityRegistryStorage} from "../interfaces/IIdentityRegistryStorage.sol";
import {IIdentityProfiles} from "../interfaces/IVerificationSources.sol";

/// @title IdentityRegistryStorage
contract IdentityRegistryStorage is Agents, IIdentityRegistryStorage, IIdentityProfiles {
    /// @custom:storage-location erc7201:stoken.storage.IdentityRegistryStorage
    struct Data {
        /// @dev identity:160 | country:16 | class:8 | ownerType:8 | manager:16 | unused:40 | replaced:8.
        mapping(address account => uint256) profiles;
        mapping(address account => address) firstIdentities;
        bytes20[] managers;
        mapping(bytes20 manager => uint256) places;
        address[] registries;
    }

    uint256 private constant _REGISTRIES_MAX = 300;
    uint256 private constant _MANAGERS_MAX = type(uint16).max;
    uint256 private constant _REPLACED = 1;
    uint8 private constant _CUSTOMER = 1;

    bytes32 private constant _DATA = keccak256(
        abi.encode(uint256(keccak256("stoken.storage.IdentityRegistryStorage")) - 1)
    ) & ~bytes32(uint256(0xff));

    /// @notice Constructor of the proxy; `identityRegistry` may be an address that has no code yet.
    function initialize(address owner, address identityRegistry) external initializer {
        __Ownable_init(owner);
        _bind(identityRegistry);
    }

    /// @inheritdoc IIdentityRegistryStorage
    function bindIdentityRegistry(address identityRegistry) external onlyOwner {
        _bind(identityRegistry);
    }

    /// @inheritdoc IIdentityRegistryStorage
    function unbindIdentityRegistry(address identityRegistry) external onlyOwner {
        address[] storage registries = _data().registries;
        uint256 count = registries.length;
        for (uint256 i = 0; i < count; i++) {
            if (registries[i] != identityRegistry) continue;
            registries[i] = registries[count - 1];
            registries.pop();
            _removeAgent(identityRegistry);
            emit IdentityRegistryUnbound(identityRegistry);
            return;
        }
        revert IdentityRegistryStorageRegistryUnknown(identityRegistry);
    }

    /// @inheritdoc IIdentityRegistryStorage
    function addIdentityToStorage(address userAddress, address identity, uint16 country) external onlyAgent {
        _add(userAddress, identity, uint256(country) << 80);
    }

    /// @inheritdoc IIdentityProfiles
    function addProfile(
        address account,
        address identity,
        uint16 country,
        uint8 class,
        uint8 ownerType,
        bytes20 manager
    ) external onlyAgent {
        uint256 profile = uint256(country) << 80 | uint256(class) << 72 | uint256(ownerType) << 64;
        _add(account, identity, profile | _placeOf(manager) << 48);
    }

    /// @inheritdoc IIdentityRegistryStorage
    function removeIdentityFromStorage(address userAddress) external onlyAgent {
        uint256 profile = _stored(userAddress);
        address identity = address(uint160(profile >> 96));
        _keepFirst(userAddress, identity);
        _data().profiles[userAddress] = _REPLACED;
        emit IdentityUnstored(userAddress, identity);
        _forget(userAddress);
    }

    /// @inheritdoc IIdentityRegistryStorage
    function modifyStoredInvestorCountry(address userAddress, uint16 country) external onlyAgent {
        uint256 profile = _stored(userAddress) & ~(uint256(type(uint16).max) << 80);
        _data().profiles[userAddress] = profile | uint256(country) << 80;
        emit CountryModified(userAddress, country);
        _forget(userAddress);
    }

    /// @inheritdoc IIdentityProfiles
    function modifyStoredClass(address account, uint8 class) external onlyAgent {
        uint256 profile = _stored(account) & ~(uint256(type(uint8).max) << 72);
        _data().profiles[account] = profile | uint256(class) << 72;
        _forget(account);
    }

    /// @inheritdoc IIdentityRegistryStorage
    function modifyStoredIdentity(address userAddress, address identity) external onlyAgent {
        uint256 profile = _stored(userAddress);
        if (identity == address(0)) revert IdentityRegistryStorageAddressZero();
        address former = address(uint160(profile >> 96));
        _keepFirst(userAddress, former);
        _data().profiles[userAddress] = profile & type(uint96).max | uint256(uint160(identity)) << 96 | _REPLACED;
        emit IdentityModified(former, identity);
        _forget(userAddress);
    }

    /// @inheritdoc IIdentityProfiles
    function modifyStoredManagers(bytes20 from, bytes20 to, address[] calldata accounts)
        external
        onlyAgent
        returns (uint256[] memory profiles)
    {
        Data storage $ = _data();
        uint256 former = $.places[from];
        uint256 place = _placeOf(to);
        profiles = new uint256[](accounts.length);
        for (uint256 i = 0; i < accounts.length; i++) {
            address account = accounts[i];
            uint256 profile = _stored(account);
            if (former == 0 || uint16(profile >> 48) != former) revert NotAccountManager(account, from);
            // What an institution holds itself never becomes another's.
            if (uint8(profile >> 64) != _CUSTOMER) revert SegregationViolation(account, address(0));
            profile = profile & ~(uint256(type(uint16).max) << 48) | place << 48;
            $.profiles[account] = profile;
            profiles[i] = profile;
            _forget(account);
        }
    }

    /// @inheritdoc IIdentityRegistryStorage
    function storedIdentity(address userAddress) external view returns (address) {
        return address(uint160(_data().profiles[userAddress] >> 96));
    }

    /// @inheritdoc IIdentityRegistryStorage
    function storedInvestorCountry(address userAddress) external view returns (uint16) {
        return uint16(_data().profiles[userAddress] >> 80);
    }

    /// @inheritdoc IIdentityRegistryStorage
    function linkedIdentityRegistries() external view returns (address[] memory) {
        return _data().registries;
    }

    /// @inheritdoc IIdentityProfiles
    function profileWord(address account) external view returns (uint256) {
        return _data().profiles[account];
    }

    /// @inheritdoc IIdentityProfiles
    function managerOf(address account) external view returns (bytes20 manager, uint8 ownerType) {
        Data storage $ = _data();
        uint256 profile = $.profiles[account];
        uint256 place = uint16(profile >> 48);
        if (place != 0) manager = _managerAt($.managers, place);
        ownerType = uint8(profile >> 64);
    }

    /// @inheritdoc IIdentityProfiles
    function firstIdentityOf(address account) external view returns (address) {
        return _data().firstIdentities[account];
    }

    function _bind(address identityRegistry) private {
        address[] storage registries = _data().registries;
        uint256 count = registries.length;
        if (count == _REGISTRIES_MAX) revert IdentityRegistryStorageFull();
        for (uint256 i = 0; i < count; i++) {
            if (registries[i] == identityRegistry) revert IdentityRegistryStorageRegistryBound(identityRegistry);
        }
        registries.push(identityRegistry);
        _addAgent(identityRegistry);
        emit IdentityRegistryBound(identityRegistry);
    }

    function _add(address account, address identity, uint256 profile) private {
        if (account == address(0) || identity == address(0)) revert IdentityRegistryStorageAddressZero();
        Data storage $ = _data();
        uint256 former = $.profiles[account];
        if (former >> 96 != 0) revert IdentityRegistryStorageAccountStored(account);
        // What is left of a removed account says that its units may be counted under its first identity.
        $.profiles[account] = uint256(uint160(identity)) << 96 | profile | former;
        emit IdentityStored(account, identity);
    }

    /// @dev The number of a manager, from 1; zero for none.
    function _placeOf(bytes20 manager) private returns (uint256 place) {
        if (manager == 0) return 0;
        Data storage $ = _data();
        place = $.places[manager];
        if (place != 0) return place;
        if ($.managers.length == _MANAGERS_MAX) revert IdentityRegistryStorageFull();
        $.managers.push(manager);
        place = $.managers.length;
        $.places[manager] = place;
    }

    /// @dev A place that a profile names was given, so the list's length, a slot of its own, is not read.
    function _managerAt(bytes20[] storage managers, uint256 place) private view returns (bytes20 manager) {
        assembly ("memory-safe") {
            mstore(0, managers.slot)
            manager := shl(96, sload(add(keccak256(0, 0x20), sub(place, 1))))
        }
    }

    function _keepFirst(address account, address identity) private {
        Data storage $ = _data();
        if ($.firstIdentities[account] == address(0)) $.firstIdentities[account] = identity;
    }

    /// @dev The registries keep words worked out from this profile.
    function _forget(address account) private {
        address[] storage registries = _data().registries;
        uint256 count = registries.length;
        for (uint256 i = 0; i < count; i++) {
            IAttestedIdentityRegistry(registries[i]).forget(account);
        }
    }

    function _stored(address account) private view returns (uint256 profile) {
        profile = _data().profiles[account];
        if (profile >> 96 == 0) revert AccountUnknown(account);
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
