// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Dti
/// @notice The form of a digital token identifier (ISO 24165): nine characters, digits and the consonants without Y,
/// the first not zero, the last a check character (hybrid system MOD 31,30 of ISO/IEC 7064 over these thirty).
library Dti {
    bytes private constant _CHARACTERS = "0123456789BCDFGHJKLMNPQRSTVWXZ";
    uint256 private constant _COUNT = 30;

    /// @notice Whether form and check character are right.
    function isValid(bytes9 dti) internal pure returns (bool) {
        if (dti[0] == "0") return false;
        uint256 product = _COUNT;
        for (uint256 i = 0; i < 9; ++i) {
            uint256 value = _valueOf(dti[i]);
            if (value == _COUNT) return false;
            uint256 sum = (product + value) % _COUNT;
            if (i == 8) return sum == 1;
            product = (sum == 0 ? _COUNT : sum) * 2 % (_COUNT + 1);
        }
        return false;
    }

    /// @dev The place among the thirty; thirty if it is none of them.
    function _valueOf(bytes1 character) private pure returns (uint256 value) {
        bytes memory characters = _CHARACTERS;
        while (value < _COUNT && characters[value] != character) ++value;
    }
}
