// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Refusals} from "../interfaces/Refusals.sol";

/// @title Fills
/// @notice Filled units by (broker, nonce), four to a word; all ones is void.
library Fills {
    struct Cells {
        /// Four nonces a word, at index nonce / 4: bits 64 * (nonce % 4) on hold the units filled, all ones a void
        /// order.
        mapping(bytes20 broker => mapping(uint256 index => uint256)) words;
    }

    uint64 internal constant VOID = type(uint64).max;

    function get(Cells storage cells, bytes20 broker, uint64 nonce) internal view returns (uint64) {
        return uint64(cells.words[broker][nonce >> 2] >> _shift(nonce));
    }

    /// @notice Adds units, unless the order is void or they exceed what is left of it.
    function add(Cells storage cells, bytes20 broker, uint64 nonce, uint64 units, uint64 ordered) internal {
        mapping(uint256 => uint256) storage words = cells.words[broker];
        uint256 word = words[nonce >> 2];
        uint64 filled = uint64(word >> _shift(nonce));
        if (filled == VOID) revert Refusals.NonceReplayed(broker, nonce);
        if (uint256(filled) + units > ordered) revert Refusals.SettlementUnmatched("quantity");
        // No more than ordered, so the neighbours in the word stay untouched.
        words[nonce >> 2] = word + (uint256(units) << _shift(nonce));
    }

    /// @notice Takes back units that were added and did not settle; a void order stays void.
    function remove(Cells storage cells, bytes20 broker, uint64 nonce, uint64 units) internal {
        mapping(uint256 => uint256) storage words = cells.words[broker];
        uint256 word = words[nonce >> 2];
        if (uint64(word >> _shift(nonce)) == VOID) return;
        words[nonce >> 2] = word - (uint256(units) << _shift(nonce));
    }

    /// @notice Voids an order; false if it was void.
    function void(Cells storage cells, bytes20 broker, uint64 nonce) internal returns (bool) {
        mapping(uint256 => uint256) storage words = cells.words[broker];
        uint256 word = words[nonce >> 2];
        if (uint64(word >> _shift(nonce)) == VOID) return false;
        words[nonce >> 2] = word | (uint256(VOID) << _shift(nonce));
        return true;
    }

    function _shift(uint64 nonce) private pure returns (uint256) {
        return (nonce & 3) << 6;
    }
}
