// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Act} from "../../../contracts/interfaces/IAuthority.sol";
import {ISuiteFactory, IssueParams, SuiteParts} from "../../../contracts/interfaces/ISuiteFactory.sol";
import {IToken} from "../Interfaces.sol";
import {ProductionSuite} from "./ProductionSuite.sol";

/// @title SuiteFactoryTest
contract SuiteFactoryTest is ProductionSuite {
    bytes12 private constant _SECOND = "ZZ0000000024";

    function test_an_issue_comes_about_at_the_predicted_addresses() public {
        IssueParams memory params = issueParams(_SECOND);
        (address tokenAt, address complianceAt) = factory.predict(params);
        SuiteParts memory parts = factory.parts();
        vm.expectEmit(address(factory));
        emit ISuiteFactory.IssueCreated(
            _SECOND, tokenAt, complianceAt, parts.tokenImplementation.codehash, parts.complianceImplementation.codehash
        );
        issuerAct(address(factory), abi.encodeCall(ISuiteFactory.createIssue, (params)));
        IToken made = IToken(tokenAt);
        assertEq(factory.tokenOf(_SECOND), tokenAt);
        assertEq(bytes32(made.isin()), bytes32(_SECOND));
        assertEq(made.compliance(), complianceAt);
        assertEq(made.identityRegistry(), address(registry));
        assertTrue(made.paused());
        assertEq(made.owner(), address(authority));
        assertTrue(made.isAgent(address(authority)));
        assertFalse(made.isAgent(address(factory)));
        (address quantityAt, address encumbrancesAt, address settlementAt, address instructionsAt) = made.wiring();
        assertEq(quantityAt, address(quantity));
        assertEq(encumbrancesAt, address(encumbrances));
        assertEq(settlementAt, address(settlement));
        assertEq(instructionsAt, factory.parts().instructions);
    }

    function test_an_isin_has_one_issue() public {
        IssueParams memory params = issueParams(ISIN);
        params.salt = "another";
        bytes memory exists =
            abi.encodeWithSelector(ISuiteFactory.SuiteFactoryIssueExists.selector, ISIN, address(token));
        vm.expectRevert(exists);
        vm.prank(address(authority));
        factory.createIssue(params);
    }

    function test_a_wrong_isin_is_refused() public {
        bytes12[6] memory wrong =
            [bytes12("ZZ0000000017"), "Z10000000016", "zz0000000016", "ZZ000000001A", "ZZ00000000 6", bytes12(0)];
        for (uint256 i = 0; i < wrong.length; i++) {
            IssueParams memory params = issueParams(wrong[i]);
            vm.expectRevert(abi.encodeWithSelector(IdentifierInvalid.selector, bytes32(wrong[i])));
            vm.prank(address(authority));
            factory.createIssue(params);
        }
    }

    function test_real_isins_are_accepted() public {
        bytes12[2] memory right = [bytes12("KR7005930003"), "US0378331005"];
        for (uint256 i = 0; i < right.length; i++) {
            vm.prank(address(authority));
            factory.createIssue(issueParams(right[i]));
            assertTrue(factory.tokenOf(right[i]) != address(0));
        }
    }

    function test_only_its_owner_makes_issues() public {
        IssueParams memory params = issueParams(_SECOND);
        bytes memory refusal = abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER"));
        vm.expectRevert(refusal);
        factory.createIssue(params);
        vm.expectRevert(refusal);
        factory.setImplementations(address(this), address(this));
    }

    function test_an_issue_needs_issuer_and_registrar() public {
        Act memory act = actOf(address(factory), abi.encodeCall(ISuiteFactory.createIssue, (issueParams(_SECOND))));
        bytes[] memory list = approvals(act, VENUE_NO, REGISTRAR_NO);
        vm.expectPartialRevert(RoleRequired.selector);
        authority.execute(act, list);
    }

    function test_code_of_issues_to_come_must_exist() public {
        vm.startPrank(address(authority));
        vm.expectRevert(abi.encodeWithSelector(ISuiteFactory.SuiteFactoryCodeMissing.selector, address(1)));
        factory.setImplementations(address(1), address(this));
        vm.expectRevert(abi.encodeWithSelector(ISuiteFactory.SuiteFactoryCodeMissing.selector, address(1)));
        factory.setImplementations(address(this), address(1));
        vm.expectEmit(address(factory));
        emit ISuiteFactory.ImplementationsSet(address(this), address(factory));
        factory.setImplementations(address(this), address(factory));
        vm.stopPrank();
    }
}
