// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Onboarding, OnboardingBatch} from "../../../contracts/interfaces/IAttestedIdentityRegistry.sol";
import {IDepositToken} from "../../../contracts/interfaces/IDepositToken.sol";
import {IEncumbrances} from "../../../contracts/interfaces/IEncumbrances.sol";
import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {ILegalActions, MeasureTerms} from "../../../contracts/interfaces/ILegalActions.sol";
import {IRebinding} from "../../../contracts/interfaces/IRebinding.sol";
import {LegalSuite} from "./LegalSuite.sol";

/// @title BrokerFailureTest
/// @notice The drill of a broker's failure: its customers are barred, go to another broker in one procedure with all
/// that they hold, and every total is what it was. STOKEN_DRILL_ACCOUNTS says how many customers it has.
contract BrokerFailureTest is LegalSuite {
    event Spent(uint256 accounts, uint256 gas);

    uint8 private constant _INSTITUTION = 2;
    uint256 private constant _BATCH = 100;
    uint256 private constant _LOCKED = 10;

    uint256 private _batchNonce = 1 << 128;

    /// @custom:requirement ACC-07
    function test_all_customers_of_a_failed_broker_go_with_all_they_hold_and_totals_stay() public {
        vm.pauseGasMetering();
        uint256 batches = vm.envOr("STOKEN_DRILL_ACCOUNTS", 500) / _BATCH;
        for (uint256 i = 0; i < batches; i++) {
            this.fill(i);
        }
        for (uint256 i = 0; i < _LOCKED; i++) {
            issuerAct(
                address(encumbrances),
                abi.encodeCall(IEncumbrances.lock, (bytes32(i + 1), address(token), _account(0, i), 1, 3, LATER))
            );
        }
        credit(cash1, 5_000_000);
        uint256 supply = token.totalSupply();
        uint256 cashSupply = cash.totalSupply();
        bytes32 held = this.holdings(batches);
        uint64 measure = abi.decode(
            legalAct(abi.encodeCall(ILegalActions.impose, (MeasureTerms(_INSTITUTION, 0, 0, address(0), BROKER_1, 0)))),
            (uint64)
        );
        _refused(_account(0, 50), buyer);
        _refused(buyer, _account(0, 50));
        registrarAct(address(registry), abi.encodeCall(IRebinding.rebindAccounts, (BROKER_1, BROKER_2, only(seller))));
        bytes32 hash = keccak256(abi.encode(bytes32(0), only(seller)));
        for (uint256 i = 0; i < batches; i++) {
            hash = this.move(i, hash);
        }
        registrarAct(address(cash), abi.encodeCall(IDepositToken.moveCustomerCash, (BROKER_1, BROKER_2, only(cash1))));
        assertEq(registry.procedureOf(BROKER_1, BROKER_2).count, batches * _BATCH + 1);
        assertEq(registry.procedureOf(BROKER_1, BROKER_2).accountsHash, hash);
        assertEq(this.holdings(batches), held, "balances, frozen and encumbered units of each account");
        assertTrue(token.totalSupply() == supply && cash.totalSupply() == cashSupply, "totals");
        (bytes20 member,, uint256 won) = cash.accountOf(cash1);
        assertTrue(member == BROKER_2 && won == 5_000_000);
        vm.prank(_account(0, 50));
        token.transfer(buyer, 1);
        // What the failed broker holds itself stays where it is, and barred.
        (member,) = registry.managerOf(house);
        assertEq(bytes32(member), bytes32(BROKER_1));
        _refused(house, buyer);
        legalAct(abi.encodeCall(ILegalActions.lift, (measure)));
        vm.resumeGasMetering();
    }

    /// @dev Onboards a hundred customers of the first broker and issues units to them; a call of its own, so that its
    /// memory is given back.
    function fill(uint256 batch) external {
        Onboarding[] memory items = new Onboarding[](_BATCH);
        address[] memory accounts = new address[](_BATCH);
        uint256[] memory units = new uint256[](_BATCH);
        bytes memory hashes;
        for (uint256 i = 0; i < _BATCH; i++) {
            accounts[i] = _account(batch, i);
            units[i] = 5 + i % 7;
            address identity = address(uint160(uint256(keccak256(abi.encode("identity", batch, i)))));
            items[i] = Onboarding(accounts[i], identity, 410, 1, 1, TOPIC_BITS, LATER);
            hashes = bytes.concat(hashes, keccak256(abi.encode(keccak256(_item()), items[i])));
        }
        OnboardingBatch memory onboarding = OnboardingBatch(BROKER_1, claimIssuer, ++_batchNonce, LATER, items);
        bytes32 kind = keccak256(
            bytes.concat(
                "OnboardingBatch(bytes20 manager,address claimIssuer,uint256 nonce,uint40 deadline,Onboarding[] items)",
                _item()
            )
        );
        bytes32 digest = typed(
            "stoken IdentityRegistry",
            address(registry),
            keccak256(abi.encode(kind, BROKER_1, claimIssuer, _batchNonce, LATER, keccak256(hashes)))
        );
        registry.registerAccounts(
            onboarding, signatureOf(SIGNER + BROKER_1_NO, digest), signatureOf(CLAIM_ISSUER_KEY, digest)
        );
        issuerAct(address(token), abi.encodeCall(IERC3643.batchMint, (accounts, units)));
    }

    /// @dev One act of registrar and venue moves a hundred accounts.
    function move(uint256 batch, bytes32 hash) external returns (bytes32) {
        address[] memory accounts = new address[](_BATCH);
        for (uint256 i = 0; i < _BATCH; i++) {
            accounts[i] = _account(batch, i);
        }
        bytes memory data = abi.encodeCall(IRebinding.rebindAccounts, (BROKER_1, BROKER_2, accounts));
        vm.resumeGasMetering();
        uint256 before = gasleft();
        registrarAct(address(registry), data);
        uint256 spent = before - gasleft();
        vm.pauseGasMetering();
        emit Spent(_BATCH, spent);
        assertLe(spent, 15_000_000, "a batch");
        for (uint256 i = 0; i < _BATCH; i++) {
            (bytes20 manager, uint8 ownerType) = registry.managerOf(accounts[i]);
            assertTrue(manager == BROKER_2 && ownerType == 1 && registry.isVerified(accounts[i]));
        }
        return keccak256(abi.encode(hash, accounts));
    }

    /// @dev One hash over what every account holds, and the check that it is something.
    function holdings(uint256 batches) external view returns (bytes32 hash) {
        uint256 locked;
        for (uint256 i = 0; i < batches * _BATCH; i++) {
            address account = _account(i / _BATCH, i % _BATCH);
            (uint256 balance, uint256 frozen, uint256 encumbered,) = token.accountOf(account);
            assertGe(balance, 5, "units");
            locked += encumbered;
            hash = keccak256(abi.encode(hash, account, balance, frozen, encumbered));
        }
        assertEq(locked, _LOCKED * 3);
    }

    function _refused(address from, address to) private {
        bytes memory refusal = abi.encodeWithSelector(InstitutionTransferRestricted.selector, BROKER_1);
        assertEq(token.verdict(from, to, 1, address(0)), refusal);
        vm.prank(from);
        vm.expectRevert(refusal);
        token.transfer(to, 1);
    }

    function _account(uint256 batch, uint256 index) private pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("customer", batch, index)))));
    }

    function _item() private pure returns (bytes memory) {
        return "Onboarding(address account,address identity,uint16 country,uint8 class,uint8 ownerType,uint64 topics,uint40 until)";
    }
}
