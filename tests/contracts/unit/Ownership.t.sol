// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IModularCompliance} from "../../../contracts/interfaces/IModularCompliance.sol";
import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {IGoverned} from "../Interfaces.sol";
import {ProductionSuite} from "./ProductionSuite.sol";

/// @title OwnershipTest
/// @notice What the owner keeps, and what only it may prepare.
contract OwnershipTest is ProductionSuite {
    function test_no_contract_of_the_suite_gives_up_its_owner() public {
        address owner = address(authority);
        string memory three = "initialize(address,address,address)";
        address[21] memory suite = [
            address(authority),
            address(members),
            authority.releases(),
            address(topics),
            address(issuers),
            address(identityStorage),
            address(registry),
            address(legal),
            address(quantity),
            address(encumbrances),
            address(settlement),
            address(instructions),
            address(cash),
            address(conversions),
            address(factory),
            address(token),
            address(compliance),
            _made("IssueDirectory", abi.encodeWithSignature("initialize(address)", owner)),
            _made("Anchors", abi.encodeWithSignature("initialize(address,address)", owner, members)),
            _made("Distribution", abi.encodeWithSignature(three, owner, members, registry)),
            _made("Ballot", abi.encodeWithSignature(three, owner, members, registry))
        ];
        for (uint256 i = 0; i < suite.length; i++) {
            _keepsOwner(suite[i], owner);
            _keepsOwner(suite[i], address(this));
            assertEq(IGoverned(suite[i]).owner(), owner);
        }
    }

    function test_the_owner_binds_a_token_beforehand_and_the_token_takes_it() public {
        bytes memory init = abi.encodeCall(IModularCompliance.initialize, (address(authority), rules(), 100));
        IModularCompliance next = IModularCompliance(_proxy(deploy("ModularCompliance"), init));
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        next.bindToken(address(token));
        vm.prank(address(authority));
        next.bindToken(address(token));
        // Nobody else comes first any more, and it is not in force yet.
        vm.prank(buyer);
        vm.expectRevert(abi.encodeWithSelector(IModularCompliance.ComplianceTokenBound.selector, address(token)));
        next.bindToken(buyer);
        assertEq(token.compliance(), address(compliance));
        vm.prank(address(authority));
        token.setCompliance(address(next));
        assertEq(token.compliance(), address(next));
        assertTrue(next.isTokenBound(address(token)));
        assertFalse(compliance.isTokenBound(address(token)));
        vm.prank(seller);
        token.transfer(buyer, 1);
        assertEq(token.balanceOf(buyer), 1);
    }

    function _made(string memory name, bytes memory init) private returns (address) {
        return _proxy(deploy(name), init);
    }

    function _keepsOwner(address at, address caller) private {
        vm.prank(caller);
        vm.expectRevert(abi.encodePacked(bytes4(keccak256("GovernedOwnerRequired()"))));
        IGoverned(at).renounceOwnership();
    }
}
