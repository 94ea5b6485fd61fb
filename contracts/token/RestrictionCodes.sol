// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Refusals} from "../interfaces/Refusals.sol";

/// @title RestrictionCodes
/// @notice The refusals of a transfer by the numbers and texts that ERC-1404 asks for.
library RestrictionCodes {
    uint8 private constant _OTHER = type(uint8).max;

    /// @dev The number of a refusal, zero for none, 255 for one that is not a refusal of this suite.
    function codeOf(bytes memory refusal) internal pure returns (uint8) {
        if (refusal.length < 4) return refusal.length == 0 ? 0 : _OTHER;
        bytes4 selector = bytes4(refusal);
        bytes4[18] memory selectors = _selectors();
        for (uint8 i = 0; i < 18; i++) {
            if (selectors[i] == selector) return i + 1;
        }
        return _OTHER;
    }

    function textOf(uint8 code) internal pure returns (string memory text) {
        bytes32[19] memory texts = [
            bytes32(""),
            "TOKEN_PAUSED",
            "ACCOUNT_LEGAL_HOLD",
            "SENDER_NOT_VERIFIED",
            "INVESTOR_NOT_VERIFIED",
            "INVESTOR_CLAIM_EXPIRED",
            "LOT_INVALID",
            "JURISDICTION_BARRED",
            "INVESTOR_CLASS_NOT_ELIGIBLE",
            "HOLDING_LIMIT",
            "HOLDER_COUNT_LIMIT",
            "INSUFFICIENT_SECURITIES",
            "LOCKUP_ACTIVE",
            "SECURITIES_PLEDGED",
            "SECURITIES_RESTRICTED",
            "SECURITIES_FROZEN",
            "INSTRUMENT_TERMINATED",
            "EMERGENCY_SUSPENSION",
            "INSTITUTION_TRANSFER_RESTRICTED"
        ];
        bytes32 word = code < 19 ? texts[code] : bytes32("OTHER");
        uint256 length = 0;
        while (length < 32 && word[length] != 0) length++;
        text = new string(length);
        assembly ("memory-safe") {
            mstore(add(text, 0x20), word)
        }
    }

    function _selectors() private pure returns (bytes4[18] memory) {
        return [
            Refusals.TokenPaused.selector,
            Refusals.AccountLegalHold.selector,
            Refusals.SenderNotVerified.selector,
            Refusals.InvestorNotVerified.selector,
            Refusals.InvestorClaimExpired.selector,
            Refusals.LotInvalid.selector,
            Refusals.JurisdictionBarred.selector,
            Refusals.InvestorClassNotEligible.selector,
            Refusals.HoldingLimit.selector,
            Refusals.HolderCountLimit.selector,
            Refusals.InsufficientSecurities.selector,
            Refusals.LockupActive.selector,
            Refusals.SecuritiesPledged.selector,
            Refusals.SecuritiesRestricted.selector,
            Refusals.SecuritiesFrozen.selector,
            Refusals.InstrumentTerminated.selector,
            Refusals.EmergencySuspension.selector,
            Refusals.InstitutionTransferRestricted.selector
        ];
    }
}
