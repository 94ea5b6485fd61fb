// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {RuleSet} from "../../../contracts/interfaces/IModularCompliance.sol";
import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {ISecurityToken} from "../../../contracts/interfaces/ISecurityToken.sol";
import {ForeignCompliance} from "../mocks/ForeignCompliance.sol";
import {Suite} from "../Suite.sol";

/// @notice Rescaling accounts in a conversion, and cancelling units with a legal basis.
contract ConversionTest is Suite {
    function setUp() public override {
        super.setUp();
        RuleSet memory rules = noRules();
        (rules.capUnits, rules.holderLimit) = (1000, 5);
        issue(rules);
        token.mint(alice, 100);
        token.mint(bob, 50);
        token.freezePartialTokens(alice, 20);
    }

    function _expect(address account, uint256 balance, uint256 frozen, uint256 encumbered) private view {
        (uint256 balanceNow, uint256 frozenNow, uint256 encumberedNow,) = token.accountOf(account);
        assertEq(balanceNow, balance);
        assertEq(frozenNow, frozen);
        assertEq(encumberedNow, encumbered);
    }

    function test_a_split_grows_account_supply_and_position() public {
        token.pause();
        vm.expectEmit(address(token));
        emit IERC3643.TokensFrozen(alice, 80);
        vm.expectEmit(address(token));
        emit ISecurityToken.EncumberedUnits(alice, 7);
        vm.expectEmit(address(token));
        emit IERC20.Transfer(address(0), alice, 4900);
        token.rescale(alice, 5000, 100, 7);
        _expect(alice, 5000, 100, 7);
        assertEq(token.totalSupply(), 5050);
        assertEq(compliance.positionOf(identityOf(alice)), 5000);
        assertEq(compliance.holders(), 2);
    }

    function test_a_consolidation_shrinks_them() public {
        token.pause();
        token.rescale(alice, 100, 20, 30);
        vm.expectEmit(address(token));
        emit IERC3643.TokensUnfrozen(alice, 18);
        vm.expectEmit(address(token));
        emit ISecurityToken.EncumberedUnits(alice, 3);
        vm.expectEmit(address(token));
        emit IERC20.Transfer(alice, address(0), 90);
        token.rescale(alice, 10, 2, 3);
        _expect(alice, 10, 2, 3);
        token.rescale(bob, 0, 0, 0);
        assertEq(token.totalSupply(), 10);
        assertEq(compliance.positionOf(identityOf(alice)), 10);
        assertEq(compliance.holders(), 1);
    }

    function test_a_compliance_contract_of_another_make_is_told() public {
        ForeignCompliance foreign = new ForeignCompliance();
        token.setCompliance(address(foreign));
        token.pause();
        vm.expectCall(address(foreign), abi.encodeWithSignature("created(address,uint256)", alice, 1));
        token.rescale(alice, 101, 0, 0);
        vm.expectCall(address(foreign), abi.encodeWithSignature("destroyed(address,uint256)", alice, 2));
        token.rescale(alice, 99, 0, 0);
    }

    function test_the_same_figures_change_nothing() public {
        token.pause();
        vm.recordLogs();
        token.rescale(alice, 100, 20, 0);
        assertEq(vm.getRecordedLogs().length, 0);
        _expect(alice, 100, 20, 0);
    }

    function test_it_wants_a_pause_a_holder_and_figures_that_fit() public {
        vm.expectRevert(abi.encodeWithSelector(ISecurityToken.SecurityTokenNotPaused.selector));
        token.rescale(alice, 1, 0, 0);
        token.pause();
        vm.expectRevert(abi.encodeWithSelector(ISecurityToken.SecurityTokenRescaleInvalid.selector, alice));
        token.rescale(alice, 10, 6, 5);
        vm.expectRevert(abi.encodeWithSelector(ISecurityToken.SecurityTokenRescaleInvalid.selector, address(0)));
        token.rescale(address(0), 10, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(SupplyCapExceeded.selector, 1_000_000, 1_000_001));
        token.rescale(alice, 999_951, 0, 0);
        token.rescale(alice, 999_950, 0, 0);
        assertEq(token.totalSupply(), 1_000_000);
    }

    function test_a_cancellation_says_why_and_releases_frozen_units_it_lacks() public {
        vm.expectEmit(address(token));
        emit IERC3643.TokensUnfrozen(alice, 10);
        vm.expectEmit(address(token));
        emit ISecurityToken.UnitsCanceled(address(this), alice, 90, "law", "file");
        token.cancelFor(alice, 90, "law", "file");
        _expect(alice, 10, 10, 0);
        assertEq(compliance.positionOf(identityOf(alice)), 10);
        vm.expectRevert(abi.encodeWithSelector(LegalBasisRequired.selector));
        token.cancelFor(alice, 1, 0, "file");
        vm.expectRevert(abi.encodeWithSelector(LegalBasisRequired.selector));
        token.cancelFor(alice, 1, "law", 0);
        vm.expectRevert(abi.encodeWithSelector(InsufficientSecurities.selector, alice, 10, 11));
        token.cancelFor(alice, 11, "law", "file");
    }
}
