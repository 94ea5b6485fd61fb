// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title ClaimForm
/// @notice Which data a claim may carry: nothing in which a person could be named.
library ClaimForm {
    bytes11 private constant _URN = "urn:sha256:";
    uint256 private constant _URN_LENGTH = 75;
    uint256 private constant _STATEMENT_LENGTH = 64;

    /// @notice The block time to which a claim's data says that it holds; zero if the data has another form.
    function untilOf(bytes calldata data) internal pure returns (uint40) {
        if (isReference(data)) return type(uint40).max;
        if (data.length != _STATEMENT_LENGTH) return 0;
        uint256 until = uint256(bytes32(data[32:64]));
        return until > type(uint40).max ? 0 : uint40(until);
    }

    /// @notice Whether text is a reference, urn:sha256: and 64 lower-case hexadecimal digits.
    function isReference(bytes calldata text) internal pure returns (bool) {
        if (text.length != _URN_LENGTH || bytes11(text[0:11]) != _URN) return false;
        for (uint256 i = 11; i < _URN_LENGTH; i++) {
            bytes1 digit = text[i];
            if ((digit < "0" || digit > "9") && (digit < "a" || digit > "f")) return false;
        }
        return true;
    }
}
