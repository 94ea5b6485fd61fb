// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IDistribution, Payout, PayoutLine} from "../../../contracts/interfaces/IDistribution.sol";
import {Founder, IMemberRegistry, Key} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {Suite} from "../Suite.sol";

/// @notice Payouts by record date: see Distribution.tree.
contract DistributionTest is Suite {
    bytes20 private constant AGENT = "529900CASHAGENT00004";
    uint256 private constant AGENT_KEY = 0xCA54;
    bytes32 private constant DOCUMENT = keccak256("resolution");
    bytes32 private constant REF = keccak256("payment");
    uint40 private constant DEADLINE = START + 1 days;

    IDistribution private distribution;

    function setUp() public override {
        super.setUp();
        distribution = newDistribution();
        Key[] memory keys = new Key[](1);
        keys[0] = Key(vm.addr(AGENT_KEY), 8, 0, type(uint40).max);
        members.admit(AGENT, 1 << 7, keys);
        token.mint(alice, 60);
        token.mint(bob, 40);
        assertEq(token.setRecordDate(), 1);
        // What happens later does not count.
        token.mint(carol, 7);
    }

    function newDistribution() private returns (IDistribution) {
        return IDistribution(
            _proxy(
                deploy("Distribution"),
                abi.encodeCall(IDistribution.initialize, (address(this), address(members), address(registry)))
            )
        );
    }

    function lineOf(address account) private view returns (PayoutLine memory) {
        return account == alice ? PayoutLine(alice, 60, 600, 92) : PayoutLine(bob, 40, 400, 61);
    }

    function leaf(bytes32 id, PayoutLine memory line) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(id, line))));
    }

    function pair(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return left < right ? keccak256(abi.encode(left, right)) : keccak256(abi.encode(right, left));
    }

    function payoutOf(bytes32 id) private view returns (Payout memory) {
        bytes32 root = pair(leaf(id, lineOf(alice)), leaf(id, lineOf(bob)));
        return Payout(address(token), 1, AGENT, 100, 1000, 153, root, DOCUMENT);
    }

    function lines(PayoutLine memory line) private pure returns (PayoutLine[] memory list) {
        list = new PayoutLine[](1);
        list[0] = line;
    }

    function proofs(bytes32 sibling) private pure returns (bytes32[][] memory list) {
        list = new bytes32[][](1);
        list[0] = new bytes32[](1);
        list[0][0] = sibling;
    }

    function signed(bytes32 id, PayoutLine memory line, uint256 key) private view returns (bytes memory) {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Payment(bytes32 id,bytes32[] leaves,bytes32 ref,uint40 deadline)"),
                id,
                keccak256(abi.encodePacked(leaf(id, line))),
                REF,
                DEADLINE
            )
        );
        return signatureOf(key, typedAt("stoken Distribution", address(distribution), structHash));
    }

    function pay(bytes32 id, PayoutLine memory line, bytes32 sibling) public {
        distribution.pay(id, lines(line), proofs(sibling), REF, DEADLINE, signed(id, line, AGENT_KEY));
    }

    function payOne(bytes32 id, address account) private {
        this.pay(id, lineOf(account), leaf(id, lineOf(account == alice ? bob : alice)));
    }

    function test_each_line_is_proven_and_paid_once_and_the_totals_close() public {
        vm.expectEmit(address(distribution));
        emit IDistribution.DistributionOpened("d", address(token), payoutOf("d"));
        distribution.open("d", payoutOf("d"));
        vm.expectEmit(address(distribution));
        emit IDistribution.DistributionPaid("d", alice, 60, 600, 92, REF);
        payOne("d", alice);
        assertTrue(distribution.isPaid("d", alice));
        vm.expectRevert(abi.encodeWithSelector(IDistribution.DistributionLinePaid.selector, bytes32("d"), alice));
        payOne("d", alice);
        vm.expectRevert(abi.encodeWithSelector(CaPoolMismatch.selector, uint256(1000), uint256(600)));
        distribution.close("d", 0);
        payOne("d", bob);
        (, uint96 units, uint96 amount, uint96 withheld,) = distribution.payoutOf("d");
        assertTrue(units == 100 && amount == 1000 && withheld == 153);
        vm.expectEmit(address(distribution));
        emit IDistribution.DistributionEnded("d", 0, 0, 0);
        distribution.close("d", 0);
        vm.expectRevert(abi.encodeWithSelector(IDistribution.DistributionClosed.selector, bytes32("d")));
        distribution.close("d", 0);
    }

    function test_a_document_explains_a_rest_and_nothing_is_paid_afterwards() public {
        distribution.open("d", payoutOf("d"));
        payOne("d", alice);
        vm.expectEmit(address(distribution));
        emit IDistribution.DistributionEnded("d", 400, 61, DOCUMENT);
        distribution.close("d", DOCUMENT);
        vm.expectRevert(abi.encodeWithSelector(IDistribution.DistributionClosed.selector, bytes32("d")));
        payOne("d", bob);
    }

    function test_a_proof_holds_for_its_line_and_its_distribution() public {
        distribution.open("d", payoutOf("d"));
        PayoutLine memory line = lineOf(alice);
        bytes32 sibling = leaf("d", lineOf(bob));
        assertTrue(distribution.prove("d", line, proofs(sibling)[0]));
        assertFalse(distribution.prove("none", line, proofs(sibling)[0]));
        line.amount = 601;
        assertFalse(distribution.prove("d", line, proofs(sibling)[0]));
        vm.expectRevert(abi.encodeWithSelector(IDistribution.DistributionProofInvalid.selector, bytes32("d"), alice));
        this.pay("d", line, sibling);
        Payout memory other = payoutOf("d");
        distribution.open("e", other);
        vm.expectRevert(abi.encodeWithSelector(IDistribution.DistributionProofInvalid.selector, bytes32("e"), alice));
        this.pay("e", lineOf(alice), sibling);
    }

    /// @dev An inner node is 64 bytes, a leaf's inner hash covers 160, and a leaf is hashed twice.
    function test_no_inner_node_passes_for_a_line() public {
        distribution.open("d", payoutOf("d"));
        Payout memory payout = payoutOf("d");
        bytes32[] memory none = new bytes32[](0);
        (bytes32 left, bytes32 right) = (leaf("d", lineOf(alice)), leaf("d", lineOf(bob)));
        if (left > right) (left, right) = (right, left);
        PayoutLine memory forged = PayoutLine(address(uint160(uint256(right))), uint96(uint256(left)), 1, 1);
        assertFalse(distribution.prove("d", forged, none));
        assertFalse(payout.root == leaf("d", forged));
    }

    function test_only_the_payer_says_that_it_paid_in_time_and_here() public {
        distribution.open("d", payoutOf("d"));
        PayoutLine memory line = lineOf(alice);
        bytes32[][] memory proof = proofs(leaf("d", lineOf(bob)));
        bytes memory signature = signed("d", line, BROKER_A_KEY);
        vm.expectRevert(abi.encodeWithSelector(SignatureInvalid.selector, vm.addr(BROKER_A_KEY)));
        distribution.pay("d", lines(line), proof, REF, DEADLINE, signature);
        Key[] memory keys = new Key[](1);
        keys[0] = Key(vm.addr(7), 8, 0, type(uint40).max);
        members.admit(BROKER_B, 1 << 4, keys);
        signature = signed("d", line, 7);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("PAYER")));
        distribution.pay("d", lines(line), proof, REF, DEADLINE, signature);
        signature = signed("d", line, AGENT_KEY);
        vm.expectPartialRevert(SignatureInvalid.selector);
        distribution.pay("d", lines(line), proof, DOCUMENT, DEADLINE, signature);
        vm.chainId(5);
        vm.expectPartialRevert(SignatureInvalid.selector);
        distribution.pay("d", lines(line), proof, REF, DEADLINE, signature);
        vm.chainId(31337);
        IDistribution other = newDistribution();
        other.open("d", payoutOf("d"));
        vm.expectPartialRevert(SignatureInvalid.selector);
        other.pay("d", lines(line), proof, REF, DEADLINE, signature);
        vm.expectRevert(
            abi.encodeWithSelector(IDistribution.DistributionLengthMismatch.selector, uint256(1), uint256(0))
        );
        distribution.pay("d", lines(line), new bytes32[][](0), REF, DEADLINE, signature);
        vm.warp(DEADLINE + 1);
        vm.expectRevert(abi.encodeWithSelector(TooLate.selector, uint256(DEADLINE), uint256(DEADLINE + 1)));
        distribution.pay("d", lines(line), proof, REF, DEADLINE, signature);
    }

    function test_a_root_that_promises_more_than_its_totals_pays_no_more() public {
        Payout memory payout = payoutOf("d");
        payout.amount = 999;
        distribution.open("d", payout);
        payOne("d", alice);
        vm.expectRevert(abi.encodeWithSelector(CaPoolMismatch.selector, uint256(999), uint256(1000)));
        payOne("d", bob);
    }

    function test_the_record_date_exists_and_its_supply_is_the_units() public {
        Payout memory payout = payoutOf("d");
        payout.units = 99;
        vm.expectRevert(abi.encodeWithSelector(CaRecordDateInvalid.selector, uint256(1)));
        distribution.open("d", payout);
        payout = payoutOf("d");
        payout.recordId = 2;
        vm.expectRevert(abi.encodeWithSelector(CaRecordDateInvalid.selector, uint256(2)));
        distribution.open("d", payout);
        payout.recordId = 0;
        vm.expectRevert(abi.encodeWithSelector(CaRecordDateInvalid.selector, uint256(0)));
        distribution.open("d", payout);
        payout = payoutOf("d");
        payout.token = stranger;
        vm.expectRevert();
        distribution.open("d", payout);
    }

    function test_what_no_payout_may_say() public {
        Payout memory payout = payoutOf("d");
        payout.root = 0;
        vm.expectRevert(abi.encodeWithSelector(IDistribution.DistributionEmpty.selector, bytes32("d")));
        distribution.open("d", payout);
        payout = payoutOf("d");
        payout.withheld = 1001;
        vm.expectRevert(abi.encodeWithSelector(CaPoolMismatch.selector, uint256(1000), uint256(1001)));
        distribution.open("d", payout);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        distribution.open("d", payout);
        vm.expectRevert(abi.encodeWithSelector(IDistribution.DistributionIdUnknown.selector, bytes32("d")));
        distribution.close("d", DOCUMENT);
        distribution.open("d", payoutOf("d"));
        vm.expectRevert(abi.encodeWithSelector(IDistribution.DistributionIdUsed.selector, bytes32("d")));
        distribution.open("d", payoutOf("d"));
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(RoleRequired.selector, bytes32("OWNER")));
        distribution.close("d", DOCUMENT);
    }

    function test_fuzz_no_forged_line_is_proven(address account, uint96 units, uint96 amount, bytes32 sibling) public {
        distribution.open("d", payoutOf("d"));
        bytes32 forged = leaf("d", PayoutLine(account, units, amount, 0));
        bool known = forged == leaf("d", lineOf(alice)) || forged == leaf("d", lineOf(bob));
        assertEq(distribution.prove("d", PayoutLine(account, units, amount, 0), proofs(sibling)[0]), known);
    }
}
