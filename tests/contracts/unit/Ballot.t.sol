// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IBallot, Question} from "../../../contracts/interfaces/IBallot.sol";
import {Suite} from "../Suite.sol";

/// @notice Votes on a record date: see Ballot.tree.
contract BallotTest is Suite {
    bytes32 private constant DOCUMENT = keccak256("agenda");
    bytes32 private constant BASIS = "COMMERCIAL 369";
    uint40 private constant OPENS = START + 100;
    uint40 private constant CLOSES = START + 200;

    IBallot private ballot;

    function setUp() public override {
        super.setUp();
        ballot = newBallot();
        token.mint(alice, 60);
        token.mint(bob, 40);
        token.setRecordDate();
        ballot.put("b", question());
    }

    function newBallot() private returns (IBallot) {
        return IBallot(
            _proxy(
                deploy("Ballot"),
                abi.encodeCall(IBallot.initialize, (address(this), address(members), address(registry)))
            )
        );
    }

    function question() private view returns (Question memory) {
        return Question(address(token), 1, 3, OPENS, CLOSES, DOCUMENT);
    }

    function signed(address account, uint8 option, uint32 sequence, uint256 key) private view returns (bytes memory) {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Vote(bytes32 ballot,address account,uint8 option,uint32 sequence)"),
                bytes32("b"),
                account,
                option,
                sequence
            )
        );
        return signatureOf(key, typedAt("stoken Ballot", address(ballot), structHash));
    }

    function vote(address account, uint8 option, uint32 sequence) public {
        ballot.vote("b", account, option, sequence, signed(account, option, sequence, BROKER_A_KEY));
    }

    function assertTally(uint96 first, uint96 second, uint96 third) private view {
        (uint96[] memory units, uint256 supply) = ballot.tally("b");
        assertTrue(units.length == 3 && units[0] == first && units[1] == second && units[2] == third);
        assertEq(supply, 100);
    }

    function test_units_of_the_record_date_vote_whatever_moved_since() public {
        vm.warp(OPENS);
        token.mint(bob, 1000);
        vm.expectEmit(address(ballot));
        emit IBallot.VoteCast("b", alice, 1, 60, 1);
        vm.prank(stranger);
        this.vote(alice, 1, 1);
        vote(bob, 2, 1);
        assertTally(0, 60, 40);
    }

    function test_a_later_vote_replaces_and_no_earlier_one_comes_back() public {
        vm.warp(CLOSES);
        vote(alice, 1, 1);
        vote(alice, 0, 5);
        assertTally(60, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(NonceReplayed.selector, bytes20(alice), uint256(1)));
        this.vote(alice, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(NonceReplayed.selector, bytes20(alice), uint256(5)));
        this.vote(alice, 0, 5);
        (uint8 option, uint96 weight, uint32 sequence) = ballot.voteOf("b", alice);
        assertTrue(option == 0 && weight == 60 && sequence == 5);
    }

    function test_votes_come_between_opening_and_close() public {
        vm.expectRevert(abi.encodeWithSelector(IBallot.BallotNotOpen.selector, OPENS, uint256(START)));
        this.vote(alice, 1, 1);
        vm.warp(CLOSES + 1);
        vm.expectRevert(abi.encodeWithSelector(TooLate.selector, uint256(CLOSES), uint256(CLOSES + 1)));
        this.vote(alice, 1, 1);
    }

    /// @custom:requirement CA-05
    function test_barred_units_do_not_vote() public {
        vm.expectEmit(address(ballot));
        emit IBallot.VotesBarred("b", alice, 60, BASIS, DOCUMENT);
        ballot.bar("b", alice, 60, BASIS, DOCUMENT);
        ballot.bar("b", bob, 15, BASIS, DOCUMENT);
        vm.warp(OPENS);
        vm.expectRevert(abi.encodeWithSelector(SecuritiesRestricted.selector, alice, uint256(0), uint256(60)));
        this.vote(alice, 1, 1);
        vote(bob, 1, 1);
        assertTally(0, 25, 0);
        vm.expectRevert(abi.encodeWithSelector(IBallot.BallotAlreadyOpen.selector, OPENS, uint256(OPENS)));
        ballot.bar("b", bob, 0, BASIS, DOCUMENT);
    }

    function test_only_authority_bars_with_basis_and_document() public {
        vm.expectRevert(LegalBasisRequired.selector);
        ballot.bar("b", alice, 1, BASIS, 0);
        vm.expectRevert(LegalBasisRequired.selector);
        ballot.bar("b", alice, 1, 0, DOCUMENT);
        vm.prank(alice);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        ballot.bar("b", alice, 1, BASIS, DOCUMENT);
        vm.expectRevert(abi.encodeWithSelector(IBallot.BallotIdUnknown.selector, bytes32("x")));
        ballot.bar("x", alice, 1, BASIS, DOCUMENT);
    }

    function test_only_the_accounts_manager_votes_and_only_here() public {
        vm.warp(OPENS);
        bytes memory signature = signed(alice, 1, 1, BROKER_B_KEY);
        vm.expectRevert(abi.encodeWithSelector(NotAccountManager.selector, alice, BROKER_B));
        ballot.vote("b", alice, 1, 1, signature);
        signature = signed(alice, 1, 1, BROKER_A_KEY);
        vm.expectPartialRevert(SignatureInvalid.selector);
        ballot.vote("b", alice, 2, 1, signature);
        vm.chainId(5);
        vm.expectPartialRevert(SignatureInvalid.selector);
        ballot.vote("b", alice, 1, 1, signature);
        vm.chainId(31337);
        IBallot other = newBallot();
        other.put("b", question());
        vm.expectPartialRevert(SignatureInvalid.selector);
        other.vote("b", alice, 1, 1, signature);
        signature = signed(stranger, 1, 1, BROKER_A_KEY);
        vm.expectRevert(abi.encodeWithSelector(AccountUnknown.selector, stranger));
        ballot.vote("b", stranger, 1, 1, signature);
    }

    function test_who_held_nothing_has_no_vote_and_no_option_is_made_up() public {
        vm.warp(OPENS);
        vm.expectRevert(abi.encodeWithSelector(InsufficientSecurities.selector, carol, uint256(0), uint256(1)));
        this.vote(carol, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IBallot.BallotOptionUnknown.selector, uint8(3), uint8(3)));
        this.vote(alice, 3, 1);
        vm.expectRevert(abi.encodeWithSelector(NonceReplayed.selector, bytes20(alice), uint256(0)));
        this.vote(alice, 1, 0);
    }

    function test_what_no_question_may_say() public {
        Question memory wrong = question();
        wrong.document = 0;
        refuses(wrong);
        wrong = question();
        wrong.options = 1;
        refuses(wrong);
        wrong.options = 33;
        refuses(wrong);
        wrong = question();
        wrong.opensAt = START - 1;
        refuses(wrong);
        wrong = question();
        wrong.closesAt = OPENS;
        refuses(wrong);
        wrong = question();
        wrong.recordId = 2;
        vm.expectRevert(abi.encodeWithSelector(CaRecordDateInvalid.selector, uint256(2)));
        ballot.put("x", wrong);
        vm.expectRevert(abi.encodeWithSelector(IBallot.BallotIdUsed.selector, bytes32("b")));
        ballot.put("b", question());
        vm.expectRevert(abi.encodeWithSelector(IBallot.BallotIdUnknown.selector, bytes32("x")));
        ballot.tally("x");
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        ballot.put("x", question());
    }

    function refuses(Question memory wrong) private {
        vm.expectRevert(abi.encodeWithSelector(IBallot.BallotQuestionInvalid.selector, bytes32("x")));
        ballot.put("x", wrong);
    }

    /// @dev However often they change their minds, each account's units are counted once.
    function test_fuzz_the_tally_is_the_last_votes(uint8[12] memory choices) public {
        vm.warp(OPENS);
        uint96[3] memory expected;
        for (uint32 i = 0; i < 12; i++) {
            vote(i % 2 == 0 ? alice : bob, choices[i] % 3, i + 1);
        }
        expected[choices[10] % 3] += 60;
        expected[choices[11] % 3] += 40;
        assertTally(expected[0], expected[1], expected[2]);
    }
}
