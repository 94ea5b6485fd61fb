// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Onboarding, OnboardingBatch} from "../../../contracts/interfaces/IAttestedIdentityRegistry.sol";
import {IBlackout} from "../../../contracts/interfaces/IBlackout.sol";
import {IConditionalApproval} from "../../../contracts/interfaces/IConditionalApproval.sol";
import {IIdentityFactory} from "../../../contracts/interfaces/IIdentity.sol";
import {RuleSet} from "../../../contracts/interfaces/IModularCompliance.sol";
import {ReceiptsModule} from "../mocks/Modules.sol";
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
        assertLe(_batchItem(), 13_000, "in a batch");
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

    function test_a_verified_transfer_with_three_limits() public {
        issue(limits());
        _prepare();
        assertLe(_cost(), 88_000, "with cap, holder limit and window");
    }

    function test_a_verified_transfer_with_six_rules_three_of_them_modules() public {
        issue(limits());
        ReceiptsModule receipts = new ReceiptsModule(1, type(uint256).max);
        IConditionalApproval approval = IConditionalApproval(deploy("ConditionalApproval"));
        IBlackout blackout = IBlackout(deploy("Blackout"));
        compliance.addModule(address(blackout), 0);
        compliance.addModule(address(approval), 0);
        compliance.addModule(address(receipts), 0);
        approval.approve(address(compliance), alice, bob, 1, LATER);
        _prepare();
        approval.approve(address(compliance), alice, bob, 10, LATER);
        assertLe(_cost(), 120_000, "with six rules");
    }

    function test_a_transfer_in_a_batch_of_fifty_with_three_limits_misses_its_target_of_22000() public {
        issue(limits());
        _misses(_batchItem(), 25_450, 22_000);
    }

    /// @dev A figure as measured, which must not grow; once it reaches the target, that becomes the bound.
    function _misses(uint256 gas, uint256 measured, uint256 target) private pure {
        assertLe(gas, measured, "more than measured");
        assertGe(gas, target, "the target is met: bound it by the target");
    }

    function _batchItem() private returns (uint256 gas) {
        token.mint(alice, 10_000);
        (address[] memory receivers, uint256[] memory amounts) = (new address[](50), new uint256[](50));
        for (uint160 i = 0; i < 50; i++) {
            receivers[i] = address(0x9000 + i);
            amounts[i] = 10;
            if (!registry.contains(receivers[i])) onboard(receivers[i]);
            token.mint(receivers[i], 10);
        }
        vm.prank(alice);
        token.batchTransfer(receivers, amounts);
        (, gas,,,) = vm.lastCallGas();
        gas /= 50;
        emit Cost("item in a batch of 50", gas);
    }

    function limits() private pure returns (RuleSet memory rules) {
        (rules.capUnits, rules.holderLimit) = (20_000, 100);
        (rules.windowUnits, rules.windowSeconds) = (20_000, 1 days);
    }

    function test_onboarding_in_a_batch_of_one_hundred() public {
        uint256 gas = _onboardHundred();
        emit Cost("onboarding", gas / 100);
        assertLe(gas / 100, 65_000, "onboarding");
    }

    function test_onboarding_with_identity_contracts_in_a_batch_of_one_hundred() public {
        IIdentityFactory factory = IIdentityFactory(deploy("IdentityFactory", abi.encode(address(registry))));
        bytes32[] memory salts = new bytes32[](100);
        address[] memory keys = new address[](100);
        for (uint256 i = 0; i < 100; i++) {
            (salts[i], keys[i]) = (keccak256(abi.encode(i)), vm.addr(BROKER_A_KEY));
        }
        factory.createIdentities(salts, keys);
        (, uint256 gas,,,) = vm.lastCallGas();
        gas += _onboardHundred();
        emit Cost("onboarding with an identity contract", gas / 100);
        assertLe(gas / 100, 130_000, "onboarding with an identity contract");
    }

    function _onboardHundred() private returns (uint256 gas) {
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
        (, gas,,,) = vm.lastCallGas();
    }
}
