// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Fills
/// @notice Filled units by (broker, nonce), four to a word; all ones is void.
library Fills {
    struct Cells {
        mapping(bytes20 broker => mapping(uint256 index => uint256)) words;
    }

    uint64 internal constant VOID = type(uint64).max;

    function get(Cells storage cells, bytes20 broker, uint64 nonce) internal view returns (uint64) {
        return uint64(cells.words[broker][nonce >> 2] >> _shift(nonce));
    }

    function set(Cells storage cells, bytes20 broker, uint64 nonce, uint64 units) internal {
        mapping(uint256 => uint256) storage words = cells.words[broker];
        uint256 shift = _shift(nonce);
        words[nonce >> 2] = (words[nonce >> 2] & ~(uint256(VOID) << shift)) | (uint256(units) << shift);
    }

    function _shift(uint64 nonce) private pure returns (uint256) {
        return (nonce & 3) << 6;
    }
}
