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

    function test_a_transfer_in_a_batch_of_fifty_with_three_limits() public {
        issue(limits());
        assertLe(_batchItem(), 22_000, "in a batch with three limits");
    }

    function test_the_largest_batch_that_15_million_gas_carry() public {
        address[] memory holders = new address[](1300);
        for (uint256 i = 0; i < holders.length; i++) {
            if (i % 100 == 0) _onboardHundred(i);
            holders[i] = _accountAt(i);
        }
        _isLargest(holders, 1241);
        RuleSet memory rules = limits();
        (rules.holderLimit, rules.capUnits, rules.windowUnits) = (2000, 1_000_000, 1_000_000);
        issue(rules);
        _isLargest(holders, 753);
    }

    /// @dev So many holders get units by a transaction of 15 million gas, and one more does not.
    function _isLargest(address[] memory holders, uint256 count) private {
        uint256[] memory amounts = new uint256[](holders.length);
        for (uint256 i = 0; i < amounts.length; i++) {
            amounts[i] = 10;
        }
        token.batchMint(holders, amounts);
        token.mint(alice, 30_000);
        assertLe(_send(holders, amounts, count), 15_000_000, "the largest batch");
        assertGe(_send(holders, amounts, count + 1), 15_000_001, "a larger batch fits too: say so");
    }

    /// @dev The gas of a batch to the first holders of a list.
    function _send(address[] memory holders, uint256[] memory amounts, uint256 count) private returns (uint256 gas) {
        uint256 size = holders.length;
        assembly ("memory-safe") {
            mstore(holders, count)
            mstore(amounts, count)
        }
        vm.prank(alice);
        token.batchTransfer(holders, amounts);
        (, gas,,,) = vm.lastCallGas();
        assembly ("memory-safe") {
            mstore(holders, size)
            mstore(amounts, size)
        }
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
        uint256 gas = _onboardHundred(0);
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
        gas += _onboardHundred(0);
        emit Cost("onboarding with an identity contract", gas / 100);
        assertLe(gas / 100, 130_000, "onboarding with an identity contract");
    }

    /// @dev The accounts from a number on.
    function _onboardHundred(uint256 first) private returns (uint256 gas) {
        OnboardingBatch memory batch = batchOf(stranger, stranger, KOREA, GENERAL, KYC, LATER);
        batch.items = new Onboarding[](100);
        for (uint256 i = 0; i < 100; i++) {
            address identity = address(uint160(uint256(keccak256(abi.encode(first + i, "identity")))));
            batch.items[i] = Onboarding(_accountAt(first + i), identity, KOREA, GENERAL, 1, KYC, LATER);
        }
        bytes32 digest = digestOf(batch);
        bytes memory manager = signatureOf(BROKER_A_KEY, digest);
        bytes memory attestation = signatureOf(ISSUER_KEY, digest);
        registry.registerAccounts(batch, manager, attestation);
        (, gas,,,) = vm.lastCallGas();
    }

    function _accountAt(uint256 number) private pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode(number)))));
    }
}
