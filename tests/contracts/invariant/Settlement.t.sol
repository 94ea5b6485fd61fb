// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "../Test.sol";
import {SettlementHandler} from "./SettlementHandler.sol";

/// @notice What holds of money, orders and trades whatever is settled, sent again, cancelled or tried without a right.
contract SettlementInvariants is Test {
    SettlementHandler private _market;

    function setUp() public {
        _market = new SettlementHandler();
        _market.setUp();
        targetContract(address(_market));
        targetSender(address(0xCA11));
    }

    /// @dev Read by Forge at the end of each run: an empty run would show nothing.
    function afterInvariant() public view {
        assertGe(_market.settledTrades(), 1, "trades settled");
    }

    function invariant_of_money_and_orders() public view {
        assertEq(_market.cashSupply(), _market.cashHeld(), "20. the money is that of the accounts");
        assertEq(_market.cashSupply(), _market.paidIn() - _market.paidOut(), "21. only paying in and out changes it");
        assertEq(_market.unitSupply(), _market.unitsHeld(), "22. settlement neither makes nor loses units");
        assertEq(_market.halves(), 0, "23. both legs moved exactly, or none");
        assertEq(_market.echoes(), 0, "24. nothing is carried out twice, nor after its cancellation");
        assertEq(_market.intrusions(), 0, "25. nobody without a right moves units or money, or the code");
        _held();
        for (uint256 i = 0; i < _market.orderCount(); i++) {
            (uint64 buy, uint64 sell, uint64 ordered) = _market.fillsAt(i);
            assertLe(_market.filledBy(i), ordered, "26. no order is filled beyond its quantity");
            assertEq(sell, _market.filledBy(i), "27. what is counted as filled was filled");
            if (buy != type(uint64).max) assertEq(buy, sell, "28. both sides count the same fills");
        }
    }

    function _held() private view {
        (uint256 units, uint256 money) = _market.held();
        (uint256 unitsBack, uint256 moneyBack) = _market.heldBack();
        assertEq(unitsBack, units, "32. the units that settlement holds back are those of open held trades");
        assertEq(moneyBack, money, "33. and so is the cash");
        (uint256 encumbered, uint256 recorded) = _market.encumberedOfSeller();
        assertEq(encumbered, recorded, "34. encumbered units are those of records and of held trades");
        assertEq(_market.strayHolds(), 0, "35. a held trade is known until it settles or is released, and no longer");
    }
}
