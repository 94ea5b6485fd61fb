// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Rebinding} from "./Rebinding.sol";
import {IAttestedIdentityRegistry} from "../interfaces/IAttestedIdentityRegistry.sol";

/// @title Words
/// @notice The words of accounts as transfers read them: stored ones while they hold, else worked out anew.
abstract contract Words is Rebinding {
    bool private constant _SENDER = false;
    bool private constant _RECEIVER = true;

    /// @inheritdoc IAttestedIdentityRegistry
    function pairRefreshed(address from, address to) external returns (uint256 fromWord, uint256 toWord) {
        uint256 current = _data().current;
        fromWord = _freshSender(from, current);
        toWord = _freshReceiver(to, current);
    }

    /// @inheritdoc IAttestedIdentityRegistry
    function wordsFrom(address from, address[] calldata receivers)
        external
        returns (uint256 fromWord, uint256[] memory words)
    {
        uint256 current = _data().current;
        fromWord = _freshSender(from, current);
        words = new uint256[](receivers.length);
        for (uint256 i = 0; i < receivers.length; ++i) {
            words[i] = _freshReceiver(receivers[i], current);
        }
    }

    /// @inheritdoc IAttestedIdentityRegistry
    function refresh(address[] calldata accounts) external {
        for (uint256 i = 0; i < accounts.length; i++) {
            _renew(accounts[i], _RECEIVER);
        }
    }

    /// @inheritdoc IAttestedIdentityRegistry
    function pair(address from, address to) external view returns (uint256 fromWord, uint256 toWord) {
        uint256 current = _data().current;
        fromWord = _data().words[from];
        if (_isOld(fromWord, current)) (fromWord,) = _walk(from, _SENDER);
        return (fromWord | uint8(current), wordOf(to));
    }

    /// @inheritdoc IAttestedIdentityRegistry
    function wordOf(address account) public view returns (uint256 word) {
        uint256 current = _data().current;
        word = _data().words[account];
        if (_isOld(word, current) || _isUnverified(word)) (word,) = _walk(account, _RECEIVER);
        word |= uint8(current);
    }

    /// @dev Works a word out and stores it, if it may be.
    function _renew(address account, bool receives) private returns (uint256 word) {
        bool lasting;
        (word, lasting) = _walk(account, receives);
        if (lasting) _store(account, word);
    }

    function _freshSender(address from, uint256 current) private returns (uint256 word) {
        word = _data().words[from];
        if (_isOld(word, current)) word = _renew(from, _SENDER);
        word |= uint8(current);
    }

    function _freshReceiver(address to, uint256 current) private returns (uint256 word) {
        word = _data().words[to];
        if (_isOld(word, current) || _isUnverified(word)) word = _renew(to, _RECEIVER);
        word |= uint8(current);
    }

    function _isOld(uint256 word, uint256 current) private pure returns (bool) {
        return (word ^ current) & _EPOCH_MASK != 0;
    }

    /// @dev A receiver's word that does not verify it may have improved since; a sender's claims may have expired.
    function _isUnverified(uint256 word) private view returns (bool) {
        return word & _VERIFIED == 0 || uint40(word >> 32) < block.timestamp;
    }
}
