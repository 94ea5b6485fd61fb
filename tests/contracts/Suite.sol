// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    Attested,
    IAttestedIdentityRegistry,
    Onboarding,
    OnboardingBatch
} from "../../contracts/interfaces/IAttestedIdentityRegistry.sol";
import {IEncumbrances} from "../../contracts/interfaces/IEncumbrances.sol";
import {Founder, IMemberRegistry, Key} from "../../contracts/interfaces/IMemberRegistry.sol";
import {IModularCompliance, RuleSet} from "../../contracts/interfaces/IModularCompliance.sol";
import {IRegisteredQuantity} from "../../contracts/interfaces/IRegisteredQuantity.sol";
import {Refusals} from "../../contracts/interfaces/Refusals.sol";
import {ISecurityToken, Wiring} from "../../contracts/interfaces/ISecurityToken.sol";
import {IIssuers, IRegistry, IStore, IToken, ITopics} from "./Interfaces.sol";
import {Test} from "./Test.sol";

/// @title Suite
/// @notice The security token side behind proxies: this contract is owner, agent and settlement; two brokers and two
/// claim issuers sign.
abstract contract Suite is Test, Refusals {
    bytes20 internal constant BROKER_A = "529900BROKERA0000001";
    bytes20 internal constant BROKER_B = "529900BROKERB0000002";
    bytes20 internal constant REGISTRAR = "529900REGISTRAR00003";
    uint256 internal constant BROKER_A_KEY = 0xA11CE;
    uint256 internal constant BROKER_B_KEY = 0xB0B;
    uint256 internal constant REGISTRAR_KEY = 0xC0DE;
    uint256 internal constant ISSUER_KEY = 0x155;
    uint256 internal constant ISSUER_2_KEY = 0x156;
    uint16 internal constant KOREA = 410;
    uint16 internal constant IRAN = 364;
    uint8 internal constant GENERAL = 1;
    uint8 internal constant PROFESSIONAL = 2;
    uint40 internal constant START = 1_800_000_000;
    uint40 internal constant LATER = START + 365 days;
    uint64 internal constant KYC = 1 << 1;
    uint64 internal constant SUITED = 1 << 7;

    bytes32 internal constant ONBOARDING = keccak256(
        "Onboarding(address account,address identity,uint16 country,uint8 class,uint8 ownerType,uint64 topics,uint40 until)"
    );
    bytes32 internal constant BATCH = keccak256(
        "OnboardingBatch(bytes20 manager,address claimIssuer,uint256 nonce,uint40 deadline,Onboarding[] items)Onboarding(address account,address identity,uint16 country,uint8 class,uint8 ownerType,uint64 topics,uint40 until)"
    );

    address internal issuer = vm.addr(ISSUER_KEY);
    address internal issuer2 = vm.addr(ISSUER_2_KEY);
    address internal alice = address(0xA1);
    address internal bob = address(0xB2);
    address internal carol = address(0xC3);
    address internal stranger = address(0xD4);
    /// @dev Plays the instructions contract.
    address internal instructions = address(0x1257);

    IMemberRegistry internal members;
    ITopics internal topics;
    IIssuers internal issuers;
    IStore internal store;
    IRegistry internal registry;
    IRegisteredQuantity internal quantity;
    IEncumbrances internal encumbrances;
    IModularCompliance internal compliance;
    IToken internal token;

    address internal tokenCode;
    address internal complianceCode;
    uint256 private _nonce;

    function setUp() public virtual {
        vm.warp(START);
        vm.roll(1000);
        _deployIdentities();
        quantity = IRegisteredQuantity(
            _proxy(deploy("RegisteredQuantity"), abi.encodeCall(IRegisteredQuantity.initialize, (address(this))))
        );
        encumbrances = IEncumbrances(
            _proxy(
                deploy("Encumbrances"),
                abi.encodeCall(IEncumbrances.initialize, (address(this), address(members), address(registry)))
            )
        );
        tokenCode = deploy("SecurityToken", abi.encode(deploy("SecurityTokenExtension")));
        complianceCode = deploy("ModularCompliance");
        issue(noRules());
        onboard(alice);
        onboard(bob);
        onboard(carol);
    }

    /// @dev A fresh token under these rules, registered for a million units and released from pause.
    function issue(RuleSet memory rules) internal {
        compliance = IModularCompliance(
            _proxy(complianceCode, abi.encodeCall(IModularCompliance.initialize, (address(this), rules, 100)))
        );
        token = IToken(
            _proxy(
                tokenCode,
                abi.encodeCall(
                    ISecurityToken.initialize,
                    ("Busan", "BPL1", bytes12("ZZ0000000BP1"), wiringWith(address(compliance)))
                )
            )
        );
        token.addAgent(address(encumbrances));
        quantity.register(address(token), 1_000_000);
        token.unpause();
    }

    function wiringWith(address compliance_) internal view returns (Wiring memory) {
        return Wiring({
            owner: address(this),
            agent: address(this),
            registry: address(registry),
            compliance: compliance_,
            quantity: address(quantity),
            encumbrances: address(encumbrances),
            settlement: address(this),
            legal: address(0),
            conversions: address(0),
            instructions: instructions
        });
    }

    function noRules() internal pure returns (RuleSet memory rules) {}

    function identityOf(address account) internal pure returns (address) {
        return address(uint160(account) + 0x1_0000);
    }

    function onboard(address account) internal {
        onboard(account, identityOf(account), KOREA, GENERAL, KYC, LATER);
    }

    function onboard(address account, address identity, uint16 country, uint8 class, uint64 topicBits, uint40 until)
        internal
    {
        OnboardingBatch memory batch = batchOf(account, identity, country, class, topicBits, until);
        bytes32 digest = digestOf(batch);
        registry.registerAccounts(batch, signatureOf(BROKER_A_KEY, digest), signatureOf(ISSUER_KEY, digest));
    }

    function batchOf(address account, address identity, uint16 country, uint8 class, uint64 topicBits, uint40 until)
        internal
        returns (OnboardingBatch memory batch)
    {
        Onboarding[] memory items = new Onboarding[](1);
        items[0] = Onboarding(account, identity, country, class, 1, topicBits, until);
        batch = OnboardingBatch(BROKER_A, issuer, ++_nonce, START + 1 days, items);
    }

    function digestOf(OnboardingBatch memory batch) internal view returns (bytes32) {
        bytes memory hashes;
        for (uint256 i = 0; i < batch.items.length; i++) {
            hashes = abi.encodePacked(hashes, keccak256(abi.encode(ONBOARDING, batch.items[i])));
        }
        return typed(
            keccak256(
                abi.encode(BATCH, batch.manager, batch.claimIssuer, batch.nonce, batch.deadline, keccak256(hashes))
            )
        );
    }

    function attest(uint256 key, address identity, uint64 topicBits, uint40 until) internal {
        Attested[] memory items = new Attested[](1);
        items[0] = Attested(identity, topicBits, until);
        uint256 nonce = ++_nonce;
        bytes32 item = keccak256(
            abi.encode(keccak256("Attested(address identity,uint64 topics,uint40 until)"), identity, topicBits, until)
        );
        bytes32 digest = typed(
            keccak256(
                abi.encode(
                    keccak256(
                        "Attest(address claimIssuer,Attested[] items,uint256 nonce,uint40 deadline)Attested(address identity,uint64 topics,uint40 until)"
                    ),
                    vm.addr(key),
                    keccak256(abi.encodePacked(item)),
                    nonce,
                    uint40(block.timestamp)
                )
            )
        );
        registry.attest(vm.addr(key), items, nonce, uint40(block.timestamp), signatureOf(key, digest));
    }

    function revoke(uint256 key, address identity, bool forCause) internal {
        uint256 nonce = ++_nonce;
        bytes32 digest = revocationDigest(vm.addr(key), identity, forCause, nonce);
        registry.revoke(vm.addr(key), identity, forCause, nonce, uint40(block.timestamp), signatureOf(key, digest));
    }

    function revocationDigest(address by, address identity, bool forCause, uint256 nonce)
        internal
        view
        returns (bytes32)
    {
        return typed(
            keccak256(
                abi.encode(
                    keccak256(
                        "Revoke(address claimIssuer,address identity,bool forCause,uint256 nonce,uint40 deadline)"
                    ),
                    by,
                    identity,
                    forCause,
                    nonce,
                    uint40(block.timestamp)
                )
            )
        );
    }

    function typed(bytes32 structHash) internal view returns (bytes32) {
        return typedAt("stoken IdentityRegistry", address(registry), structHash);
    }

    function typedAt(string memory name, address at, bytes32 structHash) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name)),
                keccak256("1"),
                block.chainid,
                at
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function one(uint256 value) internal pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = value;
    }

    function one(address value) internal pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = value;
    }

    function _proxy(address code, bytes memory call) internal returns (address) {
        return deploy("ERC1967Proxy", abi.encode(code, call));
    }

    function _deployIdentities() private {
        Founder[] memory founders = new Founder[](3);
        founders[0] = _founder(BROKER_A, 1 << 4, BROKER_A_KEY);
        founders[1] = _founder(BROKER_B, 1 << 4, BROKER_B_KEY);
        founders[2] = _founder(REGISTRAR, 1 << 3, REGISTRAR_KEY);
        members = IMemberRegistry(
            _proxy(deploy("MemberRegistry"), abi.encodeCall(IMemberRegistry.initialize, (address(this), founders)))
        );
        address topicsCode = deploy("ClaimTopicsRegistry");
        address issuersCode = deploy("TrustedIssuersRegistry");
        address storeCode = deploy("IdentityRegistryStorage");
        address registryCode = deploy("IdentityRegistry");
        address registryAt = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 3);
        uint256[][] memory masks = new uint256[][](1);
        masks[0] = new uint256[](2);
        (masks[0][0], masks[0][1]) = (1, 7);
        topics = ITopics(
            _proxy(topicsCode, abi.encodeCall(ITopics.initialize, (address(this), registryAt, one(uint256(1)))))
        );
        issuers = IIssuers(
            _proxy(issuersCode, abi.encodeCall(IIssuers.initialize, (address(this), registryAt, one(issuer), masks)))
        );
        store = IStore(_proxy(storeCode, abi.encodeCall(IStore.initialize, (address(this), registryAt))));
        registry = IRegistry(
            _proxy(
                registryCode,
                abi.encodeCall(
                    IAttestedIdentityRegistry.initialize,
                    (
                        address(this),
                        address(this),
                        address(0),
                        address(store),
                        address(topics),
                        address(issuers),
                        address(members)
                    )
                )
            )
        );
        assertEq(address(registry), registryAt);
    }

    function _founder(bytes20 member, uint16 roles, uint256 key) private pure returns (Founder memory) {
        Key[] memory keys = new Key[](1);
        keys[0] = Key(vm.addr(key), 4, 0, type(uint40).max);
        return Founder(member, roles, keys);
    }
}
