// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Channels, IModularCompliance, RuleSet} from "../../../contracts/interfaces/IModularCompliance.sol";
import {ObligingModule} from "../mocks/Modules.sol";
import {Suite} from "../Suite.sol";

/// @notice A rule set is kept in few words: each of its values reads, and decides, as it was announced.
contract RuleWordsTest is Suite {
    uint256 private constant _FIELDS = 14;

    /// @dev No token is bound: rules take effect at once.
    function setUp() public override {
        super.setUp();
        compliance = IModularCompliance(
            _proxy(complianceCode, abi.encodeCall(IModularCompliance.initialize, (address(this), noRules(), 100)))
        );
    }

    function test_no_value_of_a_rule_set_touches_another() public {
        for (uint256 i = 0; i <= _FIELDS; i++) {
            RuleSet memory rules = noRules();
            for (uint256 j = 0; j < _FIELDS; j++) {
                // Each alone at its most, then all of them.
                if (i == j || i == _FIELDS) _fill(rules, j);
            }
            compliance.announceRules(rules, 0);
            (uint32 version, RuleSet memory read) = compliance.rules();
            assertEq(abi.encode(read), abi.encode(rules), vm.toString(i));
            (, read) = compliance.ruleSet(version);
            assertEq(abi.encode(read), abi.encode(rules), vm.toString(i));
        }
        (, RuleSet memory last) = compliance.rules();
        compliance.addModule(address(new ObligingModule(3)), 0);
        (, RuleSet memory kept) = compliance.rules();
        assertEq(abi.encode(kept), abi.encode(last), "with a module more");
        assertEq(compliance.getModules().length, 1);
    }

    function test_a_listed_country_is_itself_and_no_neighbour() public {
        uint16[12] memory codes = [uint16(0), 1, 2, 254, 255, 256, 511, 512, 767, 768, 1022, 1023];
        for (uint256 i = 0; i < 24; i++) {
            uint16 listed = codes[i % 12];
            RuleSet memory rules = noRules();
            rules.countriesAllowed = i >= 12;
            rules.countries[listed >> 8] = 1 << (listed & 0xff);
            compliance.announceRules(rules, 0);
            for (uint256 j = 0; j < 12; j++) {
                assertEq(_barred(codes[j]), (codes[j] == listed) != rules.countriesAllowed, vm.toString(listed));
            }
            assertEq(_barred(1024), rules.countriesAllowed, "beyond the list");
            assertEq(_barred(type(uint16).max), rules.countriesAllowed, "far beyond the list");
        }
    }

    function test_the_lower_of_two_caps_decides_whichever_it_is() public {
        uint64[3] memory units = [uint64(99), 100, 101];
        uint256[3] memory most = [uint256(99), 100, 100];
        for (uint256 i = 0; i < 3; i++) {
            RuleSet memory rules = noRules();
            (rules.capUnits, rules.capBps) = (units[i], 1000);
            compliance.announceRules(rules, 0);
            assertEq(_ask(most[i], KOREA), "");
            bytes memory refusal = abi.encodeWithSelector(HoldingLimit.selector, bob, most[i] + 1, most[i]);
            assertEq(_ask(most[i] + 1, KOREA), refusal);
        }
    }

    function test_rules_are_announced_before_a_token_is_bound() public {
        RuleSet memory rules = noRules();
        rules.lot = 7;
        vm.expectEmit(address(compliance));
        emit IModularCompliance.RuleSetAnnounced(2, uint64(block.number), rules);
        compliance.announceRules(rules, 0);
        assertEq(_ask(8, KOREA), abi.encodeWithSelector(LotInvalid.selector, uint256(8), uint256(7)));
    }

    function _barred(uint16 country) private view returns (bool) {
        bytes memory refusal = _ask(1, country);
        if (refusal.length == 0) return false;
        assertEq(refusal, abi.encodeWithSelector(JurisdictionBarred.selector, bob, country));
        return true;
    }

    /// @dev About a transfer from alice to bob, of a supply of a thousand.
    function _ask(uint256 amount, uint16 country) private view returns (bytes memory) {
        uint256 word = uint256(uint160(bob)) << 96 | uint256(country) << 80 | uint256(GENERAL) << 72 | 3;
        return compliance.check(alice, bob, amount, uint256(uint160(alice)) << 96 | 3, word, 1000, Channels.PLAIN);
    }

    function _fill(RuleSet memory rules, uint256 field) private pure {
        if (field == 0) rules.capUnits = type(uint64).max;
        if (field == 1) rules.capBps = 10_000;
        if (field == 2) rules.classes = type(uint16).max;
        if (field == 3) rules.holderLimit = type(uint32).max;
        if (field == 4) rules.lot = type(uint64).max;
        if (field == 5) rules.countriesAllowed = true;
        if (field >= 6 && field < 10) rules.countries[field - 6] = type(uint256).max;
        // A window has both, so that each is tried at its most beside the least of the other.
        if (field == 10) (rules.windowUnits, rules.windowSeconds) = (type(uint64).max, 1);
        if (field == 11) (rules.windowUnits, rules.windowSeconds) = (1, type(uint32).max);
        if (field == 12) (rules.windowUnits, rules.windowSeconds) = (type(uint64).max, type(uint32).max);
        if (field == 13) rules.offVenueBarred = true;
    }
}
