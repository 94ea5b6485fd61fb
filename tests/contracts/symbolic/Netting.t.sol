// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CashParty} from "../../../contracts/interfaces/IDepositToken.sol";
import {Netting} from "../../../contracts/settlement/Netting.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice Nets create and lose no cash, whoever pays whom.
contract NettingSymbolic is Symbolic {
    using Netting for Netting.Nets;

    function check_nets_sum_to_zero(address[4] calldata accounts, uint64[2] calldata prices, uint64[2] calldata units)
        external
        pure
    {
        Netting.Nets memory nets = Netting.start(4);
        for (uint256 i = 0; i < 2; i++) {
            nets.add(
                uint64(i), _party(accounts[2 * i]), _party(accounts[2 * i + 1]), uint256(prices[i]) * uint256(units[i])
            );
        }
        (CashParty[] memory parties, address[] memory named, int256[] memory sums) = nets.close();
        int256 sum;
        for (uint256 i = 0; i < sums.length; i++) {
            sum += sums[i];
            for (uint256 j = 0; j < i; j++) {
                assert(named[i] != named[j]);
            }
        }
        assert(sum == 0);
        assert(parties.length == sums.length && sums.length == named.length && sums.length <= 4);
    }

    function check_a_net_is_what_was_received_less_what_was_paid(
        address payer,
        address payee,
        uint64 there,
        uint64 back
    ) external pure {
        vm.assume(payer != payee);
        Netting.Nets memory nets = Netting.start(4);
        nets.add(1, _party(payer), _party(payee), there);
        nets.add(2, _party(payee), _party(payer), back);
        (, address[] memory named, int256[] memory sums) = nets.close();
        assert(named.length == 2 && named[0] == payer && named[1] == payee);
        assert(sums[0] == int256(uint256(back)) - int256(uint256(there)));
    }

    function check_an_account_belongs_to_one_member(address account, bytes20 first, bytes20 second) external pure {
        Netting.Nets memory nets = Netting.start(2);
        nets.add(1, CashParty(account, first, 1, account), CashParty(account, second, 1, account), 1);
        assert(first == second);
    }

    function _party(address account) private pure returns (CashParty memory) {
        return CashParty(account, "member", 1, account);
    }
}
