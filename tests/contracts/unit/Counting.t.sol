// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Channels, IModularCompliance, RuleSet} from "../../../contracts/interfaces/IModularCompliance.sol";
import {Suite} from "../Suite.sol";

/// @notice What a compliance contract counts of the moves that its token tells: positions, windows and holders.
contract CountingTest is Suite {
    uint256 private constant _SUPPLY = 1000;

    /// @dev An address that a contract without care would take for none.
    address private _lowest = address(1);
    address private _highest = address(type(uint160).max);
    address private _teller = address(0x7011);

    function countUnder(RuleSet memory rules, address teller) internal returns (IModularCompliance made) {
        made = IModularCompliance(
            _proxy(complianceCode, abi.encodeCall(IModularCompliance.initialize, (address(this), rules, 100)))
        );
        made.bindToken(teller);
        (compliance, _teller) = (made, teller);
    }

    function limited(uint32 holderLimit) internal pure returns (RuleSet memory rules) {
        rules.holderLimit = holderLimit;
    }

    /// @dev The registry's word of an account of this identity.
    function wordFor(address identity) internal pure returns (uint256) {
        return uint256(uint160(identity)) << 96 | uint256(KOREA) << 80 | 3;
    }

    /// @dev A judged move between identities, each with one account of its own address; none mints.
    function tell(address from, address to, uint256 amount) internal {
        uint8 channel = from == address(0) ? Channels.MINT : Channels.PLAIN;
        vm.prank(_teller);
        compliance.move(from, to, amount, from == address(0) ? 0 : wordFor(from), wordFor(to), _SUPPLY, channel);
    }

    /// @dev A move that no rule judges; to none, it burns.
    function force(address from, address to, uint256 amount) internal {
        vm.prank(_teller);
        compliance.recordMove(from, to, amount, wordFor(from), to == address(0) ? 0 : wordFor(to));
    }

    function tellMany(address from, address[] memory to, uint256[] memory amounts) internal {
        uint256[] memory words = new uint256[](to.length);
        for (uint256 i = 0; i < to.length; i++) {
            words[i] = wordFor(to[i]);
        }
        vm.prank(_teller);
        compliance.moveMany(from, to, amounts, wordFor(from), words, _SUPPLY, Channels.PLAIN);
    }

    function counted(address identity) internal view returns (uint256) {
        return compliance.positionOf(identity);
    }

    function test_without_a_limit_nothing_is_counted() public {
        address[2] memory tellers = [address(0x7010), address(0x7011)];
        for (uint256 i = 0; i < 2; i++) {
            countUnder(noRules(), tellers[i]);
            assertFalse(compliance.engaged(), "the token need not call");
            tell(address(0), alice, 10);
            tell(alice, bob, 4);
            tellMany(alice, one(carol), one(uint256(1)));
            force(alice, address(0), 1);
            force(alice, bob, 1);
            assertEq(compliance.holders(), 0, "holders");
            assertEq(counted(alice) + counted(bob) + counted(carol), 0, "positions");
        }
    }

    function test_an_identity_is_counted_whatever_its_address() public {
        address[2] memory firsts = [_lowest, _highest];
        for (uint256 i = 0; i < 2; i++) {
            countUnder(limited(1), address(0x7010));
            tell(address(0), firsts[i], 5);
            tell(firsts[i], alice, 5);
            assertEq(counted(firsts[i]), 0, "who leaves makes room");
            assertEq(counted(alice), 5);
            assertEq(compliance.holders(), 1);
            vm.expectEmit(address(compliance));
            emit IModularCompliance.UnitsRelocated(alice, firsts[i], 1);
            force(alice, firsts[i], 1);
            assertEq(counted(firsts[i]), 1);
        }
    }

    function test_a_single_unit_makes_a_holder_and_its_loss_ends_one() public {
        countUnder(limited(10), _teller);
        tell(address(0), alice, 1);
        assertEq(compliance.holders(), 1);
        tell(alice, bob, 1);
        assertEq(counted(alice), 0);
        assertEq(counted(bob), 1);
        assertEq(compliance.holders(), 1, "one came as the other left");
        tellMany(bob, one(carol), one(uint256(1)));
        assertEq(counted(bob), 0);
        assertEq(counted(carol), 1);
        assertEq(compliance.holders(), 1);
        force(carol, alice, 1);
        assertEq(counted(alice), 1);
        force(alice, address(0), 1);
        assertEq(compliance.holders(), 0);
    }

    function test_a_batch_is_counted_as_its_moves_one_by_one() public {
        (address[] memory to, uint256[] memory amounts) = (new address[](7), new uint256[](7));
        (to[0], to[1], to[2], to[3], to[4], to[5], to[6]) = (bob, carol, alice, bob, _lowest, _highest, bob);
        (amounts[0], amounts[2], amounts[3], amounts[4], amounts[6]) = (2, 5, 1, 1, 6);
        RuleSet memory rules = limited(4);
        (rules.windowUnits, rules.windowSeconds) = (10, 60);
        bytes[2] memory ends;
        for (uint256 i = 0; i < 2; i++) {
            countUnder(rules, _teller);
            tell(address(0), alice, 10);
            if (i == 0) tellMany(alice, to, amounts);
            for (uint256 j = 0; i == 1 && j < to.length; j++) {
                tell(alice, to[j], amounts[j]);
            }
            ends[i] = _end();
            assertEq(counted(alice), 0, "all was given");
            assertEq(counted(bob), 9);
            assertEq(counted(carol), 0, "nothing is no unit");
            assertEq(compliance.holders(), 2);
        }
        assertEq(ends[0], ends[1]);
    }

    function test_units_that_go_nowhere_or_stay_are_not_relocated() public {
        countUnder(limited(10), _teller);
        tell(address(0), alice, 10);
        vm.recordLogs();
        force(alice, address(0), 2);
        force(alice, alice, 3);
        force(alice, bob, 0);
        assertEq(vm.getRecordedLogs().length, 0, "no event");
        assertEq(counted(alice), 8);
        assertEq(compliance.holders(), 1);
    }

    function test_who_holds_nothing_neither_leaves_nor_comes_again() public {
        RuleSet memory rules = noRules();
        (rules.windowUnits, rules.windowSeconds) = (100, 60);
        countUnder(rules, _teller);
        tell(address(0), carol, 1);
        tell(address(0), bob, 10);
        force(bob, address(0), 10);
        assertEq(compliance.holders(), 1);
        force(bob, address(0), 5);
        assertEq(compliance.holders(), 1, "it had left before");
        force(carol, bob, 0);
        assertEq(compliance.holders(), 1, "nothing came");
        (uint256 used,) = compliance.windowOf(bob);
        assertEq(used, 10, "its window is still half full");
    }

    function test_a_mint_takes_from_nobody_and_a_burn_gives_to_nobody() public {
        countUnder(limited(10), address(token));
        onboard(_lowest);
        vm.startPrank(address(token));
        compliance.created(_lowest, 5);
        compliance.created(alice, 3);
        compliance.destroyed(alice, 2);
        compliance.destroyed(_lowest, 1);
        vm.stopPrank();
        assertEq(counted(identityOf(_lowest)), 4);
        assertEq(counted(identityOf(alice)), 1);
        assertEq(compliance.holders(), 2);
    }

    function test_who_is_counted_rightly_is_not_counted_anew() public {
        countUnder(limited(10), address(token));
        vm.prank(address(token));
        compliance.created(alice, 5);
        vm.recordLogs();
        compliance.recount(alice);
        compliance.recount(stranger);
        assertEq(vm.getRecordedLogs().length, 0, "no event");
        assertEq(counted(identityOf(alice)), 5);
    }

    function _end() private view returns (bytes memory end) {
        address[5] memory all = [alice, bob, carol, _lowest, _highest];
        end = abi.encode(compliance.holders());
        for (uint256 i = 0; i < 5; i++) {
            (uint256 used, uint256 since) = compliance.windowOf(all[i]);
            end = abi.encodePacked(end, counted(all[i]), used, since);
        }
    }
}
