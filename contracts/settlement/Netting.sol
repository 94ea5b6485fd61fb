// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CashParty} from "../interfaces/IDepositToken.sol";
import {Refusals} from "../interfaces/Refusals.sol";

/// @title Netting
/// @notice What each cash account owes or is owed over the trades of a batch, and the hash of those trades.
library Netting {
    struct Nets {
        CashParty[] parties;
        int256[] sums;
        uint256 count;
        bytes32 gross;
    }

    /// @notice No trades yet, of at most so many orders: each names one cash account.
    function start(uint256 orders) internal pure returns (Nets memory nets) {
        nets.parties = new CashParty[](orders);
        nets.sums = new int256[](orders);
    }

    /// @notice Adds a trade: what the payer's account loses the payee's gains.
    function add(Nets memory nets, uint64 tradeId, CashParty memory payer, CashParty memory payee, uint256 amount)
        internal
        pure
    {
        nets.gross = keccak256(abi.encode(nets.gross, tradeId, payer.cashAccount, payee.cashAccount, amount));
        // Price and quantity have 64 bits each.
        nets.sums[_find(nets, payer)] -= int256(amount);
        nets.sums[_find(nets, payee)] += int256(amount);
    }

    /// @notice Every account once, in the order of its first trade.
    function close(Nets memory nets)
        internal
        pure
        returns (CashParty[] memory parties, address[] memory accounts, int256[] memory sums)
    {
        (parties, sums) = (nets.parties, nets.sums);
        uint256 count = nets.count;
        assembly ("memory-safe") {
            mstore(parties, count)
            mstore(sums, count)
        }
        accounts = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            accounts[i] = parties[i].cashAccount;
        }
    }

    /// @dev The deposit token checks an account once, so all who name it must say the same of it.
    function _find(Nets memory nets, CashParty memory party) private pure returns (uint256 at) {
        for (; at < nets.count; ++at) {
            CashParty memory known = nets.parties[at];
            if (known.cashAccount != party.cashAccount) continue;
            if (known.member != party.member || known.kind != party.kind) {
                revert Refusals.SegregationViolation(party.account, party.cashAccount);
            }
            return at;
        }
        nets.parties[nets.count++] = party;
    }
}
