// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Onboarding, OnboardingBatch} from "../../../contracts/interfaces/IAttestedIdentityRegistry.sol";
import {RuleSet} from "../../../contracts/interfaces/IModularCompliance.sol";
import {Suite} from "../Suite.sol";

/// @notice What a whole transaction costs, behind proxies, between existing holders; each call is one of its own.
/// forge-config: default.isolate = true
contract CostTest is Suite {
    event Cost(string what, uint256 gas);

    function setUp() public override {
        super.setUp();
        _prepare();
    }

    function _prepare() private {
        token.mint(alice, 1000);
        token.mint(bob, 1000);
        vm.prank(alice);
        token.transfer(bob, 1);
    }

    function _cost() private returns (uint256 gas) {
        vm.prank(alice);
        token.transfer(bob, 10);
        (, gas,,,) = vm.lastCallGas();
        emit Cost("transfer", gas);
    }

    function _issueWithRules() private {
        RuleSet memory rules = noRules();
        rules.capUnits = 5000;
        rules.holderLimit = 100;
        rules.classes = uint16(1 << GENERAL);
        issue(rules);
        _prepare();
    }

    function test_a_verified_transfer() public {
        assertLe(_cost(), 60_000, "verified transfer");
    }

    function test_a_verified_transfer_with_three_rules() public {
        _issueWithRules();
        assertLe(_cost(), 88_000, "with three rules");
    }

    function test_a_transfer_in_a_batch_of_fifty() public {
        address[] memory to = new address[](50);
        uint256[] memory amounts = new uint256[](50);
        for (uint160 i = 0; i < 50; i++) {
            (to[i], amounts[i]) = (address(0xE000 + i), 1);
            onboard(to[i]);
            token.mint(to[i], 1);
        }
        vm.prank(alice);
        token.batchTransfer(to, amounts);
        (, uint256 gas,,,) = vm.lastCallGas();
        emit Cost("item in a batch of 50", gas / 50);
        assertLe(gas / 50, 14_500, "in a batch");
    }

    function test_the_first_transfer_after_a_record_date() public {
        token.setRecordDate();
        assertLe(_cost(), 105_000, "after a record date");
        assertLe(_cost(), 60_000, "and the next");
    }

    function test_the_first_transfer_after_a_record_date_with_three_rules() public {
        _issueWithRules();
        token.setRecordDate();
        assertLe(_cost(), 133_000, "after a record date with three rules");
    }

    function test_onboarding_in_a_batch_of_one_hundred() public {
        OnboardingBatch memory batch = batchOf(stranger, stranger, KOREA, GENERAL, KYC, LATER);
        batch.items = new Onboarding[](100);
        for (uint160 i = 0; i < 100; i++) {
            address account = address(uint160(uint256(keccak256(abi.encode(i)))));
            address identity = address(uint160(uint256(keccak256(abi.encode(i, "identity")))));
            batch.items[i] = Onboarding(account, identity, KOREA, GENERAL, 1, KYC, LATER);
        }
        bytes32 digest = digestOf(batch);
        bytes memory manager = signatureOf(BROKER_A_KEY, digest);
        bytes memory attestation = signatureOf(ISSUER_KEY, digest);
        registry.registerAccounts(batch, manager, attestation);
        (, uint256 gas,,,) = vm.lastCallGas();
        emit Cost("onboarding", gas / 100);
        assertLe(gas / 100, 65_000, "onboarding");
    }
}
