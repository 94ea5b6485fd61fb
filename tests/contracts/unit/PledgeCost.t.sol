// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IEncumbrances} from "../../../contracts/interfaces/IEncumbrances.sol";
import {ConsentsSuite} from "../Consents.sol";

/// @notice What a pledge costs as a whole transaction, and that later transfers of its account pay nothing for it.
/// forge-config: default.isolate = true
contract PledgeCostTest is ConsentsSuite {
    event Cost(string what, uint256 gas);

    function _lastCost(string memory what) private returns (uint256 gas) {
        (, gas,,,) = vm.lastCallGas();
        emit Cost(what, gas);
    }

    function _transfer(string memory what) private returns (uint256) {
        vm.prank(alice);
        token.transfer(bob, 1);
        return _lastCost(what);
    }

    function test_a_pledge_and_what_it_adds_to_a_transfer() public {
        token.mint(bob, 1);
        _transfer("warm-up");
        uint256 before = _transfer("transfer");
        bytes32 digest = encumberDigest("p", pledgeOf(10));
        bytes memory a = signatureOf(BROKER_A_KEY, digest);
        bytes memory b = signatureOf(BROKER_B_KEY, digest);
        encumbrances.encumber("p", pledgeOf(10), DEADLINE, a, b);
        // Through IR the same source costs some hundreds more or less with what it is compiled beside.
        assertLe(_lastCost("first pledge of an account"), 166_000, "first pledge");
        assertEq(_transfer("transfer beside a pledge"), before);
        digest = encumberDigest("q", pledgeOf(10));
        a = signatureOf(BROKER_A_KEY, digest);
        b = signatureOf(BROKER_B_KEY, digest);
        encumbrances.encumber("q", pledgeOf(10), DEADLINE, a, b);
        assertLe(_lastCost("next pledge"), 149_000, "next pledge");
    }
}
