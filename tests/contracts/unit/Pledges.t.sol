// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IEncumbrances} from "../../../contracts/interfaces/IEncumbrances.sol";
import {RuleSet} from "../../../contracts/interfaces/IModularCompliance.sol";
import {ISecurityToken} from "../../../contracts/interfaces/ISecurityToken.sol";
import {ConsentsSuite} from "../Consents.sol";
import {ObligingToken} from "../mocks/HostileToken.sol";

/// @notice Pledges and trust marks: set and ended by those concerned, enforced with evidence, moved with consent.
contract PledgesTest is ConsentsSuite {
    function test_both_parties_set_a_pledge_and_both_release_it() public {
        vm.expectEmit(address(encumbrances));
        emit IEncumbrances.EncumbranceSet("p", address(token), alice, 2, 60, 0, dan, "loan");
        vm.prank(stranger);
        set("p", pledgeOf(60));
        refuses(alice, bob, 41, abi.encodeWithSelector(SecuritiesPledged.selector, alice, uint256(40), uint256(41)));
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesKindUnsupported.selector, uint8(2)));
        encumbrances.release("p", pledgeOf(60));
        free("p", pledgeOf(60));
        assertEq(token.verdict(alice, bob, 100, address(0)), "");
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesIdUnknown.selector, bytes32("p")));
        this.freeIt("p", pledgeOf(60));
    }

    /// @custom:requirement TRF-06
    function test_units_are_pledged_once() public {
        set("p", pledgeOf(60));
        vm.expectRevert(abi.encodeWithSelector(AlreadyPledged.selector, alice, uint256(40), uint256(41)));
        this.setIt("q", pledgeOf(41));
        set("q", pledgeOf(40));
        vm.expectRevert(abi.encodeWithSelector(AlreadyPledged.selector, alice, uint256(0), uint256(1)));
        this.setIt("r", pledgeOf(1));
    }

    function test_what_is_not_there_or_held_otherwise_is_not_called_pledged() public {
        vm.expectRevert(abi.encodeWithSelector(InsufficientSecurities.selector, alice, uint256(100), uint256(101)));
        this.setIt("p", pledgeOf(101));
        token.freezePartialTokens(alice, 100);
        vm.expectRevert(abi.encodeWithSelector(SecuritiesFrozen.selector, alice, uint256(0), uint256(1)));
        this.setIt("p", pledgeOf(1));
    }

    function test_one_party_alone_pledges_and_releases_nothing() public {
        bytes32 digest = encumberDigest("p", pledgeOf(60));
        bytes memory a = signatureOf(BROKER_A_KEY, digest);
        bytes memory b = signatureOf(BROKER_B_KEY, digest);
        vm.expectRevert(abi.encodeWithSelector(NotAccountManager.selector, dan, BROKER_A));
        encumbrances.encumber("p", pledgeOf(60), DEADLINE, a, a);
        vm.expectRevert(abi.encodeWithSelector(NotAccountManager.selector, alice, BROKER_B));
        encumbrances.encumber("p", pledgeOf(60), DEADLINE, b, b);
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, address(0)));
        encumbrances.encumber("p", pledgeOf(60), DEADLINE, a, "");
        set("p", pledgeOf(60));
        digest = releaseDigest("p");
        a = signatureOf(BROKER_A_KEY, digest);
        b = signatureOf(BROKER_B_KEY, digest);
        vm.expectRevert(abi.encodeWithSelector(NotAccountManager.selector, dan, BROKER_A));
        encumbrances.releaseSigned("p", pledgeOf(60), DEADLINE, a, a);
        vm.expectRevert(abi.encodeWithSelector(NotAccountManager.selector, alice, BROKER_B));
        encumbrances.releaseSigned("p", pledgeOf(60), DEADLINE, b, b);
    }

    function test_a_statement_holds_for_its_words_its_time_its_chain_and_its_contract() public {
        IEncumbrances.Encumbrance memory record = pledgeOf(60);
        bytes32 digest = encumberDigest("p", record);
        bytes memory a = signatureOf(BROKER_A_KEY, digest);
        bytes memory b = signatureOf(BROKER_B_KEY, digest);
        record.units = 61;
        vm.expectPartialRevert(SignatureInvalid.selector);
        encumbrances.encumber("p", record, DEADLINE, a, b);
        record.units = 60;
        vm.expectPartialRevert(SignatureInvalid.selector);
        encumbrances.encumber("q", record, DEADLINE, a, b);
        vm.chainId(5);
        vm.expectPartialRevert(SignatureInvalid.selector);
        encumbrances.encumber("p", record, DEADLINE, a, b);
        vm.chainId(31337);
        IEncumbrances other = IEncumbrances(
            _proxy(
                deploy("Encumbrances"),
                abi.encodeCall(IEncumbrances.initialize, (address(this), address(members), address(registry)))
            )
        );
        vm.expectPartialRevert(SignatureInvalid.selector);
        other.encumber("p", record, DEADLINE, a, b);
        vm.warp(DEADLINE + 1);
        vm.expectRevert(abi.encodeWithSelector(TooLate.selector, uint256(DEADLINE), uint256(DEADLINE + 1)));
        encumbrances.encumber("p", record, DEADLINE, a, b);
        vm.warp(DEADLINE);
        encumbrances.encumber("p", record, DEADLINE, a, b);
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesIdUsed.selector, bytes32("p")));
        encumbrances.encumber("p", record, DEADLINE, a, b);
        vm.warp(DEADLINE + 1);
        vm.expectPartialRevert(TooLate.selector);
        this.freeIt("p", record);
    }

    function test_what_no_pledge_may_say() public {
        IEncumbrances.Encumbrance memory record = pledgeOf(1);
        record.party = alice;
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesPartyInvalid.selector, alice));
        this.setIt("p", record);
        record.party = address(0);
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesPartyInvalid.selector, address(0)));
        this.setIt("p", record);
        record.party = address(0x77);
        vm.expectRevert(abi.encodeWithSelector(AccountUnknown.selector, address(0x77)));
        this.setIt("p", record);
        record = pledgeOf(1);
        record.until = START + 1;
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesEndInvalid.selector, START + 1));
        this.setIt("p", record);
        record.kind = 5;
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesKindUnsupported.selector, uint8(5)));
        this.setIt("p", record);
    }

    /// @custom:requirement TRF-06
    function test_enforcement_gives_the_pledged_units_to_the_pledgee_and_no_others() public {
        set("p", pledgeOf(60));
        vm.expectRevert(LegalBasisRequired.selector);
        encumbrances.enforce("p", pledgeOf(60), BASIS, 0);
        vm.expectRevert(LegalBasisRequired.selector);
        encumbrances.enforce("p", pledgeOf(60), 0, DOCUMENT);
        vm.prank(dan);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        encumbrances.enforce("p", pledgeOf(60), BASIS, DOCUMENT);
        token.freezePartialTokens(alice, 40);
        vm.expectEmit(address(encumbrances));
        emit IEncumbrances.PledgeEnforced("p", alice, dan, 60, BASIS, DOCUMENT);
        vm.expectEmit(address(token));
        emit ISecurityToken.ForcedTransfer(address(encumbrances), alice, dan, 60, BASIS, DOCUMENT);
        encumbrances.enforce("p", pledgeOf(60), BASIS, DOCUMENT);
        assertEq(token.balanceOf(dan), 60);
        assertEq(token.getFrozenTokens(alice), 40);
        assertEq(token.verdict(dan, bob, 60, address(0)), "");
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesIdUnknown.selector, bytes32("p")));
        encumbrances.enforce("p", pledgeOf(60), BASIS, DOCUMENT);
    }

    function test_only_a_pledge_is_enforced_and_only_for_a_verified_pledgee() public {
        set("m", markOf(10));
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesKindUnsupported.selector, uint8(3)));
        encumbrances.enforce("m", markOf(10), BASIS, DOCUMENT);
        set("p", pledgeOf(10));
        revoke(ISSUER_KEY, identityOf(dan), false);
        vm.expectRevert(abi.encodeWithSelector(InvestorNotVerified.selector, dan));
        encumbrances.enforce("p", pledgeOf(10), BASIS, DOCUMENT);
        assertTrue(encumbrances.isActive("p", pledgeOf(10)));
    }

    /// @custom:requirement TRF-05
    function test_marked_units_move_with_the_trustees_consent_and_keep_the_mark() public {
        set("m", markOf(60));
        refuses(alice, bob, 41, abi.encodeWithSelector(SecuritiesRestricted.selector, alice, uint256(40), uint256(41)));
        vm.expectEmit(address(encumbrances));
        emit IEncumbrances.EncumbranceCarried("m", alice, bob);
        move("m", markOf(60), bob, "1", BROKER_A_KEY);
        assertEq(token.balanceOf(bob), 60);
        refuses(bob, alice, 1, abi.encodeWithSelector(SecuritiesRestricted.selector, bob, uint256(0), uint256(1)));
        assertEq(token.verdict(alice, bob, 40, address(0)), "");
        (,, uint96 restricted) = encumbrances.sums(address(token), alice);
        assertEq(restricted, 0);
        IEncumbrances.Encumbrance memory carried = markOf(60);
        carried.account = bob;
        assertTrue(encumbrances.isActive("m", carried));
        free("m", carried);
        assertEq(token.verdict(bob, alice, 60, address(0)), "");
    }

    /// @dev Known: ids are one space for all. Who reads a statement under way may take its id for units of its own, or
    /// of a token of its own; the parties sign again under another id, best drawn at random and carried privately.
    function test_an_id_that_another_took_first_is_gone() public {
        IEncumbrances.Encumbrance memory squat = certificateOf(1);
        (squat.account, squat.token) = (bob, address(new ObligingToken()));
        bytes32 digest = encumberDigest("p", squat);
        encumbrances.encumber("p", squat, DEADLINE, signatureOf(BROKER_A_KEY, digest), "");
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesIdUsed.selector, bytes32("p")));
        this.setIt("p", pledgeOf(60));
        set("q", pledgeOf(60));
    }

    /// @dev Known: a marked move is judged by every rule, and recorded as an act of force is: it uses up no window.
    function test_marked_moves_use_up_no_window() public {
        RuleSet memory rules = noRules();
        (rules.windowUnits, rules.windowSeconds) = (60, 1 days);
        issue(rules);
        token.mint(alice, 50);
        token.mint(erin, 50);
        set("a", markOf(50));
        move("a", markOf(50), bob, "1", BROKER_A_KEY);
        IEncumbrances.Encumbrance memory mark = markOf(50);
        mark.account = erin;
        bytes memory both = signatureOf(BROKER_B_KEY, encumberDigest("e", mark));
        encumbrances.encumber("e", mark, DEADLINE, both, both);
        move("e", mark, bob, "1", BROKER_B_KEY);
        assertEq(token.balanceOf(bob), 100, "above the window's 60");
        (uint256 used,) = compliance.windowOf(identityOf(bob));
        assertEq(used, 0);
    }

    function test_a_move_is_carried_out_once() public {
        set("m", markOf(60));
        IEncumbrances.Encumbrance memory atBob = markOf(60);
        atBob.account = bob;
        move("m", markOf(60), bob, "1", BROKER_A_KEY);
        move("m", atBob, alice, "2", BROKER_A_KEY);
        vm.expectRevert(abi.encodeWithSelector(DuplicateInstruction.selector, moveDigest("m", bob, "1")));
        this.moveIt("m", markOf(60), bob, "1", BROKER_A_KEY);
    }

    function test_a_move_needs_both_signatures_another_account_and_a_passing_verdict() public {
        set("m", markOf(60));
        vm.expectRevert(abi.encodeWithSelector(SelfTransfer.selector, alice));
        this.moveIt("m", markOf(60), alice, "1", BROKER_A_KEY);
        vm.expectRevert(abi.encodeWithSelector(NotAccountManager.selector, alice, BROKER_B));
        this.moveIt("m", markOf(60), bob, "1", BROKER_B_KEY);
        bytes32 digest = moveDigest("m", bob, "1");
        bytes memory a = signatureOf(BROKER_A_KEY, digest);
        vm.expectRevert(abi.encodeWithSelector(NotAccountManager.selector, dan, BROKER_A));
        encumbrances.moveMarked("m", markOf(60), bob, "1", DEADLINE, a, a);
        vm.expectRevert(abi.encodeWithSelector(InvestorNotVerified.selector, stranger));
        this.moveIt("m", markOf(60), stranger, "1", BROKER_A_KEY);
        token.setAddressFrozen(bob, true);
        vm.expectRevert(abi.encodeWithSelector(AccountLegalHold.selector, bob));
        this.moveIt("m", markOf(60), bob, "1", BROKER_A_KEY);
        token.pause();
        vm.expectRevert(TokenPaused.selector);
        this.moveIt("m", markOf(60), carol, "1", BROKER_A_KEY);
        token.unpause();
        vm.expectRevert(abi.encodeWithSelector(IEncumbrances.EncumbrancesKindUnsupported.selector, uint8(2)));
        this.moveIt("m", pledgeOf(60), bob, "1", BROKER_A_KEY);
        vm.warp(DEADLINE + 1);
        vm.expectPartialRevert(TooLate.selector);
        this.moveIt("m", markOf(60), carol, "1", BROKER_A_KEY);
    }

    function test_no_mark_moves_to_an_account_that_was_recovered_away() public {
        set("m", markOf(60));
        token.mint(bob, 1);
        encumbrances.lock("l", address(token), bob, 1, 1, START + 10);
        onboard(stranger, identityOf(bob), KOREA, GENERAL, KYC, LATER);
        token.recoveryAddress(bob, stranger, identityOf(bob));
        vm.expectRevert(abi.encodeWithSelector(AccountClosed.selector, bob));
        this.moveIt("m", markOf(60), bob, "1", BROKER_A_KEY);
        move("m", markOf(60), stranger, "2", BROKER_A_KEY);
        assertEq(token.balanceOf(stranger), 61);
    }

    function test_the_trustee_alone_ends_the_mark_and_the_holder_never() public {
        set("m", markOf(60));
        bytes32 digest = releaseDigest("m");
        bytes memory a = signatureOf(BROKER_A_KEY, digest);
        bytes memory b = signatureOf(BROKER_B_KEY, digest);
        vm.expectRevert(abi.encodeWithSelector(NotAccountManager.selector, dan, BROKER_A));
        encumbrances.releaseSigned("m", markOf(60), DEADLINE, a, a);
        encumbrances.releaseSigned("m", markOf(60), DEADLINE, "", b);
        encumbrances.decree("n", markOf(60), BASIS);
        encumbrances.lift("n", markOf(60), BASIS, DOCUMENT);
        assertEq(token.verdict(alice, bob, 100, address(0)), "");
    }

    /// @dev Gas of the call alone, with everything cold; a transaction adds 21,000 and its calldata.
    function test_a_pledge_costs_little_and_later_transfers_nothing() public {
        vm.prank(alice);
        token.transfer(bob, 1);
        set("p", pledgeOf(10));
        uint256 before = gasleft();
        vm.prank(alice);
        token.transfer(bob, 1);
        uint256 withPledge = before - gasleft();
        free("p", pledgeOf(10));
        before = gasleft();
        vm.prank(alice);
        token.transfer(bob, 1);
        assertLe(withPledge, before - gasleft(), "a transfer pays for the pledge");
    }

    function setIt(bytes32 id, IEncumbrances.Encumbrance memory record) external {
        set(id, record);
    }

    function freeIt(bytes32 id, IEncumbrances.Encumbrance memory record) external {
        free(id, record);
    }

    function moveIt(bytes32 id, IEncumbrances.Encumbrance memory record, address to, bytes32 salt, uint256 key)
        external
    {
        move(id, record, to, salt, key);
    }
}
