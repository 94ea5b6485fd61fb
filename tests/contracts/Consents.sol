// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {OnboardingBatch} from "../../contracts/interfaces/IAttestedIdentityRegistry.sol";
import {IEncumbrances} from "../../contracts/interfaces/IEncumbrances.sol";
import {Suite} from "./Suite.sol";

/// @title ConsentsSuite
/// @notice A suite in which dan and erin have accounts with the second broker, and both brokers sign encumbrances.
abstract contract ConsentsSuite is Suite {
    bytes32 internal constant BASIS = "CIVIL 346";
    bytes32 internal constant DOCUMENT = keccak256("document");
    uint40 internal constant DEADLINE = START + 1 hours;
    bytes32 private constant ENCUMBER = keccak256(
        "Encumber(bytes32 id,address token,uint96 units,address account,uint40 until,uint8 kind,address party,bytes32 reason,uint40 deadline)"
    );
    bytes32 private constant RELEASE = keccak256("Release(bytes32 id,uint40 deadline)");
    bytes32 private constant MOVE = keccak256("MoveMarked(bytes32 id,address to,bytes32 salt,uint40 deadline)");

    address internal dan = address(0xDA);
    address internal erin = address(0xE6);

    function setUp() public virtual override {
        super.setUp();
        onboardWithB(dan);
        onboardWithB(erin);
        token.mint(alice, 100);
    }

    function onboardWithB(address account) internal {
        OnboardingBatch memory batch = batchOf(account, identityOf(account), KOREA, GENERAL, KYC, LATER);
        batch.manager = BROKER_B;
        bytes32 digest = digestOf(batch);
        registry.registerAccounts(batch, signatureOf(BROKER_B_KEY, digest), signatureOf(ISSUER_KEY, digest));
    }

    function pledgeOf(uint96 units) internal view returns (IEncumbrances.Encumbrance memory) {
        return IEncumbrances.Encumbrance(address(token), units, alice, 0, 2, dan, "loan");
    }

    function markOf(uint96 units) internal view returns (IEncumbrances.Encumbrance memory) {
        return IEncumbrances.Encumbrance(address(token), units, alice, 0, 3, dan, "deed");
    }

    function certificateOf(uint96 units) internal view returns (IEncumbrances.Encumbrance memory) {
        return IEncumbrances.Encumbrance(address(token), units, alice, START + 100, 4, address(0), "purpose");
    }

    function orderOf(uint96 units) internal view returns (IEncumbrances.Encumbrance memory) {
        return IEncumbrances.Encumbrance(address(token), units, alice, 0, 5, address(0), DOCUMENT);
    }

    function lockupOf(uint96 units, uint40 until) internal view returns (IEncumbrances.Encumbrance memory) {
        return IEncumbrances.Encumbrance(address(token), units, alice, until, 1, address(0), 0);
    }

    function set(bytes32 id, IEncumbrances.Encumbrance memory record) internal {
        bytes32 digest = encumberDigest(id, record);
        encumbrances.encumber(
            id, record, DEADLINE, signatureOf(BROKER_A_KEY, digest), signatureOf(BROKER_B_KEY, digest)
        );
    }

    function free(bytes32 id, IEncumbrances.Encumbrance memory record) internal {
        bytes32 digest = releaseDigest(id);
        encumbrances.releaseSigned(
            id, record, DEADLINE, signatureOf(BROKER_A_KEY, digest), signatureOf(BROKER_B_KEY, digest)
        );
    }

    function move(bytes32 id, IEncumbrances.Encumbrance memory record, address to, bytes32 salt, uint256 keyOfTo)
        internal
    {
        bytes32 digest = moveDigest(id, to, salt);
        bytes memory byAccount = signatureOf(keyOfTo, digest);
        encumbrances.moveMarked(id, record, to, salt, DEADLINE, byAccount, signatureOf(BROKER_B_KEY, digest));
    }

    function encumberDigest(bytes32 id, IEncumbrances.Encumbrance memory record) internal view returns (bytes32) {
        return
            typedAt("stoken Encumbrances", address(encumbrances), keccak256(abi.encode(ENCUMBER, id, record, DEADLINE)));
    }

    function releaseDigest(bytes32 id) internal view returns (bytes32) {
        return typedAt("stoken Encumbrances", address(encumbrances), keccak256(abi.encode(RELEASE, id, DEADLINE)));
    }

    function moveDigest(bytes32 id, address to, bytes32 salt) internal view returns (bytes32) {
        return
            typedAt("stoken Encumbrances", address(encumbrances), keccak256(abi.encode(MOVE, id, to, salt, DEADLINE)));
    }

    function refuses(address from, address to, uint256 units, bytes memory refusal) internal {
        assertEq(token.verdict(from, to, units, address(0)), refusal);
        vm.prank(from);
        vm.expectRevert(refusal);
        token.transfer(to, units);
    }
}
