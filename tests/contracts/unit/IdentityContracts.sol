// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IClaimIssuer, IIdentity, IIdentityFactory} from "../../../contracts/interfaces/IIdentity.sol";
import {Suite} from "../Suite.sol";

/// @title IdentityContracts
/// @notice The suite with a factory, a trusted claim issuer and an identity that are contracts, of admitted code.
abstract contract IdentityContracts is Suite {
    uint256 internal constant SIGNER = 0x516;

    IIdentityFactory internal factory;
    IClaimIssuer internal claimIssuer;
    IIdentity internal identity;
    bytes32 internal identityCode;
    bytes32 internal issuerCode;

    function setUp() public virtual override {
        super.setUp();
        factory = IIdentityFactory(deploy("IdentityFactory", abi.encode(address(registry))));
        (identityCode, issuerCode) = factory.codeHashes();
        registry.setCodeAdmitted(identityCode, true);
        registry.setCodeAdmitted(issuerCode, true);
        claimIssuer = IClaimIssuer(factory.createClaimIssuer("issuer", address(this)));
        claimIssuer.addKey(keyOf(vm.addr(SIGNER)), 3, 1);
        issuers.addTrustedIssuer(address(claimIssuer), one(uint256(1)));
        identity = IIdentity(create("stranger", address(this)));
        identity.initialize("stranger", address(this));
        registry.registerIdentity(stranger, address(identity), KOREA);
    }

    function create(bytes32 salt, address key) internal returns (address) {
        bytes32[] memory salts = new bytes32[](1);
        salts[0] = salt;
        return factory.createIdentities(salts, one(key))[0];
    }

    function add(bytes memory data) internal {
        bytes memory signature = signed(address(identity), data);
        identity.addClaim(1, 1, address(claimIssuer), signature, data, "");
    }

    function claimId() internal view returns (bytes32) {
        return keccak256(abi.encode(address(claimIssuer), uint256(1)));
    }

    function statement(uint40 until) internal pure returns (bytes memory) {
        return abi.encode(keccak256("document"), uint256(until));
    }

    function documentUrn() internal pure returns (string memory) {
        return "urn:sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    }

    function keyOf(address holder) internal pure returns (bytes32) {
        return keccak256(abi.encode(holder));
    }

    function signed(address of_, bytes memory data) internal pure returns (bytes memory) {
        return signedBy(SIGNER, of_, data);
    }

    function signedBy(uint256 key, address of_, bytes memory data) internal pure returns (bytes memory) {
        bytes32 claimHash = keccak256(abi.encode(of_, uint256(1), data));
        return signatureOf(key, keccak256(abi.encodePacked("\x19Ethereum Signed Message:\n32", claimHash)));
    }

    function parts(bytes memory signature) internal pure returns (bytes32 r, bytes32 s, uint8 v) {
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
    }
}
