// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Onboarding, OnboardingBatch} from "../../../contracts/interfaces/IAttestedIdentityRegistry.sol";
import {IIdentityFactory} from "../../../contracts/interfaces/IIdentity.sol";
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

    function test_a_verified_transfer() public {
        assertLe(_cost(), 60_000, "verified transfer");
    }

    function test_a_verified_transfer_with_three_rules() public {
        RuleSet memory rules = noRules();
        rules.capUnits = 5000;
        rules.holderLimit = 100;
        rules.classes = uint16(1 << GENERAL);
        issue(rules);
        _prepare();
        assertLe(_cost(), 88_000, "with three rules");
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
