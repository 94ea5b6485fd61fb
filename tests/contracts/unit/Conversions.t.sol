// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Conversion, Holding, IConversions} from "../../../contracts/interfaces/IConversions.sol";
import {IEncumbrances} from "../../../contracts/interfaces/IEncumbrances.sol";
import {Suite} from "../Suite.sol";

/// @notice Splits and merges: see Conversions.tree.
contract ConversionsTest is Suite {
    bytes32 private constant DOCUMENT = keccak256("resolution");
    uint16 private constant CONVERT = 512;
    address private residue = address(0x4E5);
    address private spare = address(0x5A);

    IConversions private conversions;

    function setUp() public override {
        super.setUp();
        conversions =
            IConversions(_proxy(deploy("Conversions"), abi.encodeCall(IConversions.initialize, (address(this)))));
        begin();
        token.mint(alice, 100);
        token.freezePartialTokens(alice, 11);
        token.mint(bob, 55);
    }

    function begin() private {
        token.addAgentFor(address(conversions), CONVERT);
        token.pause();
    }

    function held(address account) private view returns (uint256 balance, uint256 frozen, uint256 locked) {
        (balance, frozen, locked,) = token.accountOf(account);
    }

    function ratio(uint96 numerator, uint96 denominator) private view returns (Conversion memory) {
        return Conversion(address(token), numerator, denominator, residue, DOCUMENT);
    }

    function plain(address account) private pure returns (Holding[] memory holdings) {
        holdings = new Holding[](1);
        holdings[0].account = account;
    }

    function recordOf(uint96 units, uint40 until) private view returns (IEncumbrances.Encumbrance memory) {
        return IEncumbrances.Encumbrance(address(token), units, alice, until, 1, address(0), 0);
    }

    function encumbered() private returns (Holding[] memory holdings) {
        encumbrances.lock("a", address(token), alice, 1, 33, START + 9);
        encumbrances.lock("b", address(token), alice, 1, 1, START + 9);
        holdings = plain(alice);
        holdings[0].ids = new bytes32[](2);
        (holdings[0].ids[0], holdings[0].ids[1]) = ("a", "b");
        holdings[0].records = new IEncumbrances.Encumbrance[](2);
        (holdings[0].records[0], holdings[0].records[1]) = (recordOf(33, START + 9), recordOf(1, START + 9));
    }

    /// @custom:requirement CA-07
    function test_a_split_multiplies_everything_once_the_registrar_raised_the_quantity() public {
        vm.expectRevert(abi.encodeWithSelector(SupplyCapExceeded.selector, uint256(1_000_000), uint256(1_550_000)));
        conversions.start("s", ratio(10_000, 1));
        quantity.register(address(token), 1_550_000);
        conversions.start("s", ratio(10_000, 1));
        Holding[] memory holdings = encumbered();
        vm.prank(stranger);
        conversions.convert("s", holdings);
        (uint256 balance, uint256 frozen, uint256 locked) = held(alice);
        assertTrue(balance == 1_000_000 && frozen == 110_000 && locked == 340_000);
        assertTrue(encumbrances.isActive("a", recordOf(330_000, START + 9)));
        conversions.convert("s", plain(bob));
        vm.expectEmit(address(conversions));
        emit IConversions.ConversionFinished("s", 155, 1_550_000, 0);
        conversions.finish("s");
        vm.warp(START + 9);
        encumbrances.release("a", recordOf(330_000, START + 9));
        (,, locked) = held(alice);
        assertEq(locked, 10_000);
    }

    function test_a_merge_cuts_fractions_and_credits_their_sum_to_the_residue_account() public {
        conversions.start("m", ratio(1, 10));
        Holding[] memory holdings = encumbered();
        vm.expectEmit(address(encumbrances));
        emit IEncumbrances.EncumbranceReleased("b");
        conversions.convert("m", holdings);
        (uint256 balance, uint256 frozen, uint256 locked) = held(alice);
        assertTrue(balance == 10 && frozen == 1 && locked == 3);
        vm.expectEmit(address(conversions));
        emit IConversions.AccountConverted("m", bob, 55, 5, 0, 0, 5);
        conversions.convert("m", plain(bob));
        conversions.finish("m");
        assertEq(token.totalSupply(), 15);
        (Conversion memory conversion, uint96 supply, uint96 converted, bool finished) = conversions.conversionOf("m");
        assertTrue(conversion.denominator == 10 && supply == 155 && converted == 155 && finished);
    }

    function test_the_residue_is_whole_units_of_all_cuts() public {
        token.mint(carol, 5);
        conversions.start("m", ratio(1, 10));
        conversions.convert("m", plain(alice));
        conversions.convert("m", plain(bob));
        conversions.convert("m", plain(carol));
        conversions.finish("m");
        (uint256 credited,,) = held(residue);
        assertTrue(credited == 1 && token.totalSupply() == 16);
    }

    function test_each_account_is_converted_once() public {
        conversions.start("m", ratio(1, 10));
        conversions.convert("m", plain(bob));
        vm.expectRevert(abi.encodeWithSelector(IConversions.ConversionsAccountConverted.selector, bytes32("m"), bob));
        conversions.convert("m", plain(bob));
    }

    function test_nothing_finishes_before_every_unit_is_converted() public {
        conversions.start("m", ratio(1, 10));
        conversions.convert("m", plain(bob));
        vm.expectRevert(abi.encodeWithSelector(ConversionQuantityMismatch.selector, uint256(155), uint256(55)));
        conversions.finish("m");
        conversions.convert("m", plain(alice));
        token.mint(carol, 1);
        vm.expectRevert(abi.encodeWithSelector(ConversionQuantityMismatch.selector, uint256(15), uint256(16)));
        conversions.finish("m");
    }

    /// @dev Known: two institutions can do this by mistake, and nothing abandons a conversion that does not add up.
    function test_units_minted_amid_a_conversion_leave_it_unfinished() public {
        conversions.start("s", ratio(2, 1));
        token.mint(carol, 7);
        conversions.convert("s", plain(alice));
        conversions.convert("s", plain(bob));
        conversions.convert("s", plain(carol));
        vm.expectRevert(abi.encodeWithSelector(ConversionQuantityMismatch.selector, 155, 162));
        conversions.finish("s");
        vm.expectRevert(abi.encodeWithSelector(IConversions.ConversionsBusy.selector, address(token), bytes32("s")));
        conversions.start("t", ratio(2, 1));
    }

    function test_an_accounts_encumbrances_come_complete_in_order_and_as_they_are() public {
        conversions.start("m", ratio(1, 10));
        Holding[] memory holdings = encumbered();
        Holding[] memory wrong = plain(alice);
        vm.expectRevert(abi.encodeWithSelector(ConversionQuantityMismatch.selector, uint256(34), uint256(0)));
        conversions.convert("m", wrong);
        wrong[0].ids = holdings[0].ids;
        vm.expectRevert(abi.encodeWithSelector(ConversionQuantityMismatch.selector, uint256(2), uint256(0)));
        conversions.convert("m", wrong);
        wrong[0].records = holdings[0].records;
        wrong[0].account = bob;
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesIdUnknown.selector, bytes32("a")));
        conversions.convert("m", wrong);
        wrong[0].account = alice;
        (wrong[0].ids[0], wrong[0].ids[1]) = ("b", "a");
        (wrong[0].records[0], wrong[0].records[1]) = (recordOf(1, START + 9), recordOf(33, START + 9));
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesOrderInvalid.selector, bytes32("a")));
        conversions.convert("m", wrong);
        (wrong[0].ids[0], wrong[0].ids[1]) = ("a", "b");
        (wrong[0].records[0], wrong[0].records[1]) = (recordOf(34, START + 9), recordOf(1, START + 9));
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesIdUnknown.selector, bytes32("a")));
        conversions.convert("m", wrong);
    }

    function test_a_recovered_accounts_records_are_converted_where_its_units_are() public {
        Holding[] memory holdings = encumbered();
        onboard(spare, identityOf(alice), KOREA, GENERAL, KYC, LATER);
        token.recoveryAddress(alice, spare, identityOf(alice));
        conversions.start("m", ratio(1, 3));
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesIdUnknown.selector, bytes32("a")));
        conversions.convert("m", holdings);
        holdings[0].account = spare;
        conversions.convert("m", holdings);
        (uint256 balance,, uint256 locked) = held(spare);
        assertTrue(balance == 33 && locked == 11);
        assertTrue(encumbrances.isActive("a", recordOf(11, START + 9)));
    }

    function test_a_court_order_stays_one_over_a_split() public {
        IEncumbrances.Encumbrance memory order =
            IEncumbrances.Encumbrance(address(token), 40, alice, 0, 5, address(0), DOCUMENT);
        encumbrances.decree("o", order, "COURT");
        conversions.start("s", ratio(2, 1));
        Holding[] memory holdings = plain(alice);
        holdings[0].ids = new bytes32[](1);
        holdings[0].ids[0] = "o";
        holdings[0].records = new IEncumbrances.Encumbrance[](1);
        holdings[0].records[0] = order;
        conversions.convert("s", holdings);
        (uint96 lockup, uint96 pledged, uint96 restricted) = encumbrances.sums(address(token), alice);
        assertTrue(lockup == 0 && pledged == 0 && restricted == 80);
    }

    function test_no_record_grows_beyond_what_units_are() public {
        Holding[] memory holdings = encumbered();
        token.addAgentFor(address(this), CONVERT);
        uint96 most = type(uint96).max;
        vm.expectRevert(abi.encodeWithSelector(ConversionQuantityMismatch.selector, most, uint256(most) * 33));
        encumbrances.rescale(address(token), alice, holdings[0].ids, holdings[0].records, most, 1);
        assertTrue(encumbrances.isActive("a", recordOf(33, START + 9)));
    }

    function test_only_the_tokens_converter_rescales() public {
        Holding[] memory holdings = encumbered();
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("CONVERT")));
        encumbrances.rescale(address(token), alice, holdings[0].ids, holdings[0].records, 1, 2);
    }

    function test_what_no_start_may_say() public {
        vm.expectRevert(abi.encodeWithSelector(IConversions.ConversionsRatioInvalid.selector, uint96(0), uint96(1)));
        conversions.start("x", ratio(0, 1));
        vm.expectRevert(abi.encodeWithSelector(IConversions.ConversionsRatioInvalid.selector, uint96(1), uint96(0)));
        conversions.start("x", ratio(1, 0));
        vm.expectRevert(abi.encodeWithSelector(IConversions.ConversionsRatioInvalid.selector, uint96(3), uint96(3)));
        conversions.start("x", ratio(3, 3));
        Conversion memory wrong = ratio(1, 2);
        wrong.document = 0;
        vm.expectRevert(LegalBasisRequired.selector);
        conversions.start("x", wrong);
        wrong = ratio(1, 2);
        wrong.residueAccount = address(0);
        vm.expectRevert(abi.encodeWithSelector(AccountUnknown.selector, address(0)));
        conversions.start("x", wrong);
        token.unpause();
        vm.expectRevert(abi.encodeWithSelector(IConversions.ConversionsNotPaused.selector, address(token)));
        conversions.start("x", ratio(1, 2));
        token.pause();
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        conversions.start("x", ratio(1, 2));
        conversions.start("x", ratio(1, 2));
        vm.expectRevert(abi.encodeWithSelector(IConversions.ConversionsIdUsed.selector, bytes32("x")));
        conversions.start("x", ratio(1, 2));
        vm.expectRevert(abi.encodeWithSelector(IConversions.ConversionsBusy.selector, address(token), bytes32("x")));
        conversions.start("y", ratio(1, 2));
    }

    function test_what_converted_nobody_yet_is_abandoned() public {
        conversions.start("wrong", ratio(3, 1));
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        conversions.abandon("wrong");
        vm.expectEmit(address(conversions));
        emit IConversions.ConversionAbandoned("wrong", address(token));
        conversions.abandon("wrong");
        bytes memory unknown = abi.encodeWithSelector(IConversions.ConversionsIdUnknown.selector, bytes32("wrong"));
        vm.expectRevert(unknown);
        conversions.abandon("wrong");
        vm.expectRevert(unknown);
        conversions.convert("wrong", plain(alice));
        vm.expectRevert(unknown);
        conversions.finish("wrong");
        vm.expectRevert(abi.encodeWithSelector(IConversions.ConversionsIdUsed.selector, bytes32("wrong")));
        conversions.start("wrong", ratio(1, 3));
        (uint256 balance, uint256 frozen,) = held(alice);
        assertTrue(balance == 100 && frozen == 11 && token.totalSupply() == 155, "nothing changed");
        conversions.start("right", ratio(1, 5));
    }

    function test_what_converted_units_is_not_abandoned() public {
        conversions.start("s", ratio(1, 5));
        conversions.convert("s", plain(alice));
        vm.expectRevert(abi.encodeWithSelector(ConversionQuantityMismatch.selector, 0, 100));
        conversions.abandon("s");
    }

    function test_nobody_keeps_it_from_being_abandoned_by_an_account_without_units() public {
        conversions.start("s", ratio(1, 5));
        vm.prank(carol);
        conversions.convert("s", plain(carol));
        conversions.abandon("s");
        conversions.start("t", ratio(1, 5));
    }

    function test_nothing_runs_that_did_not_start_or_is_over() public {
        vm.expectRevert(abi.encodeWithSelector(IConversions.ConversionsIdUnknown.selector, bytes32("x")));
        conversions.convert("x", plain(alice));
        conversions.start("x", ratio(1, 5));
        conversions.convert("x", plain(alice));
        conversions.convert("x", plain(bob));
        conversions.finish("x");
        vm.expectRevert(abi.encodeWithSelector(IConversions.ConversionsIdUnknown.selector, bytes32("x")));
        conversions.finish("x");
        conversions.start("y", ratio(1, 2));
    }

    function test_fuzz_totals_are_the_ratio_of_totals_and_nothing_is_uncovered(
        uint96[3] memory balances,
        uint96 frozen,
        uint96 locked,
        uint96 numerator,
        uint96 denominator
    ) public {
        numerator = uint96(bound(numerator, 1, 1000));
        denominator = uint96(bound(denominator, 1, 1000));
        if (numerator == denominator) return;
        issue(noRules());
        begin();
        quantity.register(address(token), type(uint96).max);
        address[3] memory accounts = [alice, bob, carol];
        for (uint256 i = 0; i < 3; i++) {
            balances[i] = uint96(bound(balances[i], 1, 1e18));
            token.mint(accounts[i], balances[i]);
        }
        frozen = uint96(bound(frozen, 0, balances[0] - 1));
        token.freezePartialTokens(alice, frozen);
        locked = uint96(bound(locked, 1, balances[0] - frozen));
        encumbrances.lock("z", address(token), alice, 1, locked, START + 9);
        uint256 expected = token.totalSupply() * numerator / denominator;
        conversions.start("z", ratio(numerator, denominator));
        for (uint256 i = 0; i < 3; i++) {
            Holding[] memory holdings = plain(accounts[i]);
            if (i == 0) {
                holdings[0].ids = new bytes32[](1);
                holdings[0].ids[0] = "z";
                holdings[0].records = new IEncumbrances.Encumbrance[](1);
                holdings[0].records[0] = recordOf(locked, START + 9);
            }
            conversions.convert("z", holdings);
        }
        conversions.finish("z");
        assertEq(token.totalSupply(), expected);
        (uint256 balance, uint256 stillFrozen, uint256 stillLocked) = held(alice);
        assertLe(stillFrozen + stillLocked, balance, "uncovered");
        (uint96 lockup,,) = encumbrances.sums(address(token), alice);
        assertEq(lockup, uint256(locked) * numerator / denominator);
    }
}
