// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Conversion, Holding, IConversions} from "../../../contracts/interfaces/IConversions.sol";
import {IEncumbrances} from "../../../contracts/interfaces/IEncumbrances.sol";
import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {ForcedMove, ILegalActions, MeasureTerms} from "../../../contracts/interfaces/ILegalActions.sol";
import {IRegisteredQuantity} from "../../../contracts/interfaces/IRegisteredQuantity.sol";
import {Roles} from "../../../contracts/interfaces/ISecurityToken.sol";
import {ISuiteFactory, IssueParams} from "../../../contracts/interfaces/ISuiteFactory.sol";
import {IToken} from "../Interfaces.sol";
import {LegalSuite} from "./LegalSuite.sol";

/// @title BarsTest
/// @notice What measures do to transfers, and what legal actions, encumbrances and conversions may do with a token that
/// the factory has just made.
contract BarsTest is LegalSuite {
    uint8 private constant _ISSUE = 1;
    uint8 private constant _INSTITUTION = 2;
    uint8 private constant _ACCOUNT = 3;
    uint8 private constant _NETWORK = 4;

    uint8 private constant _NO_SALE = 1;
    uint8 private constant _NO_PURCHASE = 2;

    /// @custom:requirement TRF-14
    function test_nothing_of_an_issue_moves_while_it_is_paused() public {
        _pass(seller, buyer);
        _bars(MeasureTerms(_ISSUE, 0, 0, address(token), 0, 0), abi.encodeWithSelector(TokenPaused.selector));
    }

    /// @custom:requirement TRF-14
    function test_a_restricted_institution_neither_sells_nor_buys() public {
        _pass(seller, buyer);
        _bars(
            MeasureTerms(_INSTITUTION, 0, 0, address(0), BROKER_1, 0),
            abi.encodeWithSelector(InstitutionTransferRestricted.selector, BROKER_1)
        );
        _bars(
            MeasureTerms(_INSTITUTION, 0, 0, address(token), BROKER_2, 0),
            abi.encodeWithSelector(InstitutionTransferRestricted.selector, BROKER_2)
        );
    }

    function test_an_institution_restricted_for_one_issue_deals_in_the_others() public {
        IToken second = _issue();
        issuerAct(address(second), abi.encodeCall(IERC3643.mint, (seller, 10)));
        registrarAct(address(second), abi.encodeCall(IERC3643.unpause, ()));
        legalAct(abi.encodeCall(ILegalActions.impose, (MeasureTerms(_INSTITUTION, 0, 0, address(token), BROKER_1, 0))));
        _refuse(seller, buyer, abi.encodeWithSelector(InstitutionTransferRestricted.selector, BROKER_1));
        vm.prank(seller);
        second.transfer(buyer, 1);
        assertEq(second.balanceOf(buyer), 1);
    }

    /// @custom:requirement TRF-14
    function test_nothing_moves_while_the_network_is_suspended() public {
        _pass(seller, buyer);
        _bars(MeasureTerms(_NETWORK, 0, 0, address(0), 0, 0), abi.encodeWithSelector(EmergencySuspension.selector));
    }

    /// @custom:requirement TRF-14
    function test_an_account_on_hold_does_not_sell_or_does_not_buy() public {
        _pass(seller, buyer);
        _pass(buyer, seller);
        bytes memory sellers = abi.encodeWithSelector(AccountLegalHold.selector, seller);
        _bars(MeasureTerms(_ACCOUNT, _NO_SALE, 0, address(0), bytes20(seller), 0), sellers);
        bytes memory buyers = abi.encodeWithSelector(AccountLegalHold.selector, buyer);
        _bars(MeasureTerms(_ACCOUNT, _NO_PURCHASE, 0, address(0), bytes20(buyer), 0), buyers);
        _bars(MeasureTerms(_ACCOUNT, 0, 0, address(token), bytes20(seller), 0), sellers);
        legalAct(
            abi.encodeCall(ILegalActions.impose, (MeasureTerms(_ACCOUNT, _NO_SALE, 0, address(0), bytes20(seller), 0)))
        );
        _pass(buyer, seller);
    }

    function test_a_new_token_has_its_agents_from_the_first_block_on() public {
        IToken second = _issue();
        assertEq(
            second.rolesOf(address(legal)),
            Roles.BURN | Roles.FREEZE_ADDRESS | Roles.FREEZE_UNITS | Roles.FORCE | Roles.RECOVER | Roles.PAUSE
        );
        assertEq(second.rolesOf(address(encumbrances)), Roles.FORCE);
        assertEq(second.rolesOf(address(conversions)), Roles.CONVERT);
    }

    function test_units_of_a_new_token_are_forced_and_canceled_without_a_further_act() public {
        IToken second = _issue();
        issuerAct(address(second), abi.encodeCall(IERC3643.mint, (seller, 10)));
        ForcedMove[] memory moves = new ForcedMove[](2);
        moves[0] = ForcedMove(address(second), seller, buyer, 6);
        moves[1] = ForcedMove(address(second), seller, address(0), 3);
        legalAct(abi.encodeCall(ILegalActions.forceTransfers, (moves)));
        assertEq(second.balanceOf(buyer), 6);
        assertEq(second.balanceOf(seller), 1);
        assertEq(second.totalSupply(), 7);
    }

    function test_a_pledge_of_a_new_token_is_enforced_without_a_further_act() public {
        IToken second = _issue();
        issuerAct(address(second), abi.encodeCall(IERC3643.mint, (seller, 10)));
        IEncumbrances.Encumbrance memory record = _pledge(second);
        registrarAct(
            address(encumbrances), abi.encodeCall(IEncumbrances.enforce, ("p", record, "CIVIL", keccak256("order")))
        );
        assertEq(second.balanceOf(buyer), 4);
        assertEq(second.balanceOf(seller), 6);
    }

    function test_a_new_token_is_rescaled_with_its_pledges_without_a_further_act() public {
        IToken second = _issue();
        issuerAct(address(second), abi.encodeCall(IERC3643.mint, (seller, 10)));
        Holding[] memory holdings = new Holding[](1);
        holdings[0] = Holding(seller, new bytes32[](1), new IEncumbrances.Encumbrance[](1));
        holdings[0].ids[0] = "p";
        holdings[0].records[0] = _pledge(second);
        Conversion memory conversion = Conversion(address(second), 3, 2, house, keccak256("resolution"));
        registrarAct(address(conversions), abi.encodeCall(IConversions.start, ("c", conversion)));
        conversions.convert("c", holdings);
        conversions.finish("c");
        (uint256 balance,, uint256 encumbered,) = second.accountOf(seller);
        assertEq(balance, 15);
        assertEq(encumbered, 6);
    }

    /// @dev As the factory makes it: paused, with a registered quantity.
    function _issue() private returns (IToken made) {
        IssueParams memory params = issueParams("ZZ0000000024");
        (address at,) = factory.predict(params);
        issuerAct(address(factory), abi.encodeCall(ISuiteFactory.createIssue, (params)));
        issuerAct(address(quantity), abi.encodeCall(IRegisteredQuantity.register, (at, 1_000)));
        return IToken(at);
    }

    /// @dev Four units of the seller, pledged to the buyer by both their brokers.
    function _pledge(IToken at) private returns (IEncumbrances.Encumbrance memory record) {
        record = IEncumbrances.Encumbrance(address(at), 4, seller, 0, 2, buyer, "loan");
        bytes32 kind = keccak256(
            "Encumber(bytes32 id,address token,uint96 units,address account,uint40 until,uint8 kind,address party,bytes32 reason,uint40 deadline)"
        );
        bytes32 structHash = keccak256(abi.encode(kind, bytes32("p"), record, LATER));
        bytes32 digest = typed("stoken Encumbrances", address(encumbrances), structHash);
        encumbrances.encumber(
            "p", record, LATER, signatureOf(SIGNER + BROKER_1_NO, digest), signatureOf(SIGNER + BROKER_2_NO, digest)
        );
    }

    /// @dev A measure refuses what the seller sends to the buyer, and passes it again once it is lifted.
    function _bars(MeasureTerms memory terms, bytes memory refusal) private {
        uint64 id = abi.decode(legalAct(abi.encodeCall(ILegalActions.impose, (terms))), (uint64));
        _refuse(seller, buyer, refusal);
        legalAct(abi.encodeCall(ILegalActions.lift, (id)));
        _pass(seller, buyer);
    }

    function _refuse(address from, address to, bytes memory refusal) private {
        assertEq(token.verdict(from, to, 1, address(0)), refusal);
        vm.prank(from);
        vm.expectRevert(refusal);
        token.transfer(to, 1);
    }

    function _pass(address from, address to) private {
        assertEq(token.verdict(from, to, 1, address(0)), "");
        uint256 before = token.balanceOf(to);
        vm.prank(from);
        token.transfer(to, 1);
        assertEq(token.balanceOf(to), before + 1);
    }
}
