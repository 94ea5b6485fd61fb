// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EpochSource} from "./EpochSource.sol";
import {ITrustedIssuersRegistry} from "../interfaces/ITrustedIssuersRegistry.sol";
import {ITrustedIssuersMask} from "../interfaces/IVerificationSources.sol";

/// @title TrustedIssuersRegistry
contract TrustedIssuersRegistry is EpochSource, ITrustedIssuersRegistry, ITrustedIssuersMask {
    /// @custom:storage-location erc7201:stoken.storage.TrustedIssuersRegistry
    struct Data {
        /// @dev address:160 | unused:32 | topics below 64:64.
        uint256[] words;
        mapping(address issuer => uint256) places;
        mapping(address issuer => uint256[]) topics;
    }

    uint256 private constant _ISSUERS_MAX = 50;
    uint256 private constant _TOPICS_MAX = 15;

    bytes32 private constant _DATA = keccak256(
        abi.encode(uint256(keccak256("stoken.storage.TrustedIssuersRegistry")) - 1)
    ) & ~bytes32(uint256(0xff));

    /// @notice Constructor of the proxy; `identityRegistry` may be an address that has no code yet.
    function initialize(
        address owner,
        address identityRegistry,
        address[] calldata issuers,
        uint256[][] calldata topics
    ) external initializer {
        __Ownable_init(owner);
        _bind(identityRegistry);
        if (issuers.length != topics.length) revert TrustedIssuersRegistryTopicsInvalid();
        for (uint256 i = 0; i < issuers.length; i++) {
            _add(issuers[i], topics[i]);
        }
    }

    /// @inheritdoc ITrustedIssuersRegistry
    function addTrustedIssuer(address trustedIssuer, uint256[] calldata claimTopics) external onlyOwner {
        _add(trustedIssuer, claimTopics);
        _advanceEpochs();
    }

    /// @inheritdoc ITrustedIssuersRegistry
    function removeTrustedIssuer(address trustedIssuer) external onlyOwner {
        Data storage $ = _data();
        uint256 place = _placeOf($, trustedIssuer);
        uint256 last = $.words[$.words.length - 1];
        $.words[place - 1] = last;
        $.places[address(uint160(last >> 96))] = place;
        $.words.pop();
        delete $.places[trustedIssuer];
        delete $.topics[trustedIssuer];
        emit TrustedIssuerRemoved(trustedIssuer);
        _advanceEpochs();
    }

    /// @inheritdoc ITrustedIssuersRegistry
    function updateIssuerClaimTopics(address trustedIssuer, uint256[] calldata claimTopics) external onlyOwner {
        Data storage $ = _data();
        uint256 place = _placeOf($, trustedIssuer);
        $.words[place - 1] = _word(trustedIssuer, claimTopics);
        $.topics[trustedIssuer] = claimTopics;
        emit ClaimTopicsUpdated(trustedIssuer, claimTopics);
        _advanceEpochs();
    }

    /// @inheritdoc ITrustedIssuersRegistry
    function getTrustedIssuers() external view returns (address[] memory issuers) {
        uint256[] memory words = _data().words;
        issuers = new address[](words.length);
        for (uint256 i = 0; i < words.length; i++) {
            issuers[i] = address(uint160(words[i] >> 96));
        }
    }

    /// @inheritdoc ITrustedIssuersRegistry
    function isTrustedIssuer(address issuer) external view returns (bool) {
        return _data().places[issuer] != 0;
    }

    /// @inheritdoc ITrustedIssuersRegistry
    function getTrustedIssuerClaimTopics(address trustedIssuer) external view returns (uint256[] memory) {
        Data storage $ = _data();
        _placeOf($, trustedIssuer);
        return $.topics[trustedIssuer];
    }

    /// @inheritdoc ITrustedIssuersRegistry
    function getTrustedIssuersForClaimTopic(uint256 claimTopic) external view returns (address[] memory issuers) {
        Data storage $ = _data();
        uint256 count = $.words.length;
        issuers = new address[](count);
        uint256 found = 0;
        for (uint256 i = 0; i < count; i++) {
            address issuer = address(uint160($.words[i] >> 96));
            if (_hasTopic($, issuer, claimTopic)) issuers[found++] = issuer;
        }
        assembly ("memory-safe") {
            mstore(issuers, found)
        }
    }

    /// @inheritdoc ITrustedIssuersRegistry
    function hasClaimTopic(address issuer, uint256 claimTopic) external view returns (bool) {
        return _hasTopic(_data(), issuer, claimTopic);
    }

    /// @inheritdoc ITrustedIssuersMask
    function trustedIssuerWords() external view returns (uint256[] memory words) {
        return _data().words;
    }

    /// @inheritdoc ITrustedIssuersMask
    function topicMaskOf(address issuer) external view returns (uint64) {
        Data storage $ = _data();
        uint256 place = $.places[issuer];
        return place == 0 ? 0 : uint64($.words[place - 1]);
    }

    function _add(address issuer, uint256[] calldata claimTopics) private {
        Data storage $ = _data();
        if (issuer == address(0)) revert TrustedIssuersRegistryAddressZero();
        if ($.places[issuer] != 0) revert TrustedIssuersRegistryIssuerTrusted(issuer);
        if ($.words.length == _ISSUERS_MAX) revert TrustedIssuersRegistryFull();
        $.words.push(_word(issuer, claimTopics));
        $.places[issuer] = $.words.length;
        $.topics[issuer] = claimTopics;
        emit TrustedIssuerAdded(issuer, claimTopics);
    }

    function _word(address issuer, uint256[] calldata claimTopics) private pure returns (uint256 word) {
        if (claimTopics.length == 0 || claimTopics.length > _TOPICS_MAX) revert TrustedIssuersRegistryTopicsInvalid();
        word = uint256(uint160(issuer)) << 96;
        for (uint256 i = 0; i < claimTopics.length; i++) {
            if (claimTopics[i] < 64) word |= 1 << claimTopics[i];
        }
    }

    function _placeOf(Data storage $, address issuer) private view returns (uint256 place) {
        place = $.places[issuer];
        if (place == 0) revert ClaimIssuerUntrusted(issuer);
    }

    function _hasTopic(Data storage $, address issuer, uint256 claimTopic) private view returns (bool) {
        uint256[] storage topics = $.topics[issuer];
        uint256 count = topics.length;
        for (uint256 i = 0; i < count; i++) {
            if (topics[i] == claimTopic) return true;
        }
        return false;
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
