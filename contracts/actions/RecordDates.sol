// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IActionToken} from "../interfaces/IActionToken.sol";
import {Refusals} from "../interfaces/Refusals.sol";

/// @title RecordDates
/// @notice What every corporate action asks of its record date.
library RecordDates {
    /// @notice The supply at a record date that the token has set.
    function supplyAt(address token, uint24 recordId) internal view returns (uint256) {
        if (token.code.length == 0 || recordId == 0 || IActionToken(token).recordDateOf(recordId) == 0) {
            revert Refusals.CaRecordDateInvalid(token, recordId);
        }
        return IActionToken(token).totalSupplyAt(recordId);
    }
}
