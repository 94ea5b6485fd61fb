// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Isin
/// @notice The form of an ISIN (ISO 6166): two letters, nine letters or digits, a check digit.
library Isin {
    /// @notice Whether form and check digit are right.
    function isValid(bytes12 isin) internal pure returns (bool) {
        uint256 sum;
        uint256 digits;
        // Letters count as two digits, A = 10; from the right every second digit is doubled.
        for (uint256 i = 12; i > 0; --i) {
            uint256 value = _valueOf(uint8(isin[i - 1]));
            bool letter = value > 9;
            if (value > 35 || (i <= 2 && !letter) || (i == 12 && letter)) return false;
            sum += _weighed(value % 10, digits++);
            if (letter) sum += _weighed(value / 10, digits++);
        }
        return sum % 10 == 0;
    }

    function _valueOf(uint8 character) private pure returns (uint256) {
        if (character >= 0x30 && character <= 0x39) return character - 0x30;
        if (character >= 0x41 && character <= 0x5a) return character - 0x37;
        return type(uint8).max;
    }

    function _weighed(uint256 digit, uint256 position) private pure returns (uint256) {
        if (position & 1 == 0) return digit;
        return digit < 5 ? digit * 2 : digit * 2 - 9;
    }
}
