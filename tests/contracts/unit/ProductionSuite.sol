// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    IAttestedIdentityRegistry,
    Onboarding,
    OnboardingBatch
} from "../../../contracts/interfaces/IAttestedIdentityRegistry.sol";
import {Act, IAuthority} from "../../../contracts/interfaces/IAuthority.sol";
import {CashAccount, CashEntry, IDepositToken} from "../../../contracts/interfaces/IDepositToken.sol";
import {ILegalActions} from "../../../contracts/interfaces/ILegalActions.sol";
import {IConversions} from "../../../contracts/interfaces/IConversions.sol";
import {IDvpSettlement} from "../../../contracts/interfaces/IDvpSettlement.sol";
import {IInstructions} from "../../../contracts/interfaces/IInstructions.sol";
import {ISettlementModes} from "../../../contracts/interfaces/ISettlementModes.sol";
import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {IEncumbrances} from "../../../contracts/interfaces/IEncumbrances.sol";
import {Founder, IMemberRegistry, Key} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {IMemberVotes} from "../../../contracts/interfaces/IMemberVotes.sol";
import {IModularCompliance, RuleSet} from "../../../contracts/interfaces/IModularCompliance.sol";
import {IRegisteredQuantity} from "../../../contracts/interfaces/IRegisteredQuantity.sol";
import {Refusals} from "../../../contracts/interfaces/Refusals.sol";
import {ISuiteFactory, IssueParams, SuiteParts} from "../../../contracts/interfaces/ISuiteFactory.sol";
import {IIssuers, IRegistry, IStore, IToken, ITopics} from "../Interfaces.sol";
import {Test} from "../Test.sol";

/// @title ProductionSuite
/// @notice The complete suite, deployed as in production: this is the specification of the order of deployment.
///
/// Rules that hold throughout:
/// * an implementation is locked by its constructor; a proxy is initialised within its own constructor, so there is no
///   moment in which anybody else could do it;
/// * every owner, and every agent, is Authority from the first block on; the deployer never holds a right;
/// * Authority comes first, because everything names it; it creates the member registry and the releases itself,
///   because each must know the other;
/// * the identity registry's three parts must know its address before it exists: it is the deployer's next but three
///   contract (CREATE: keccak(rlp(deployer, nonce))), which the deployer checks afterwards.
abstract contract ProductionSuite is Test, Refusals {
    bytes20 internal constant VENUE = "ZZZZ0000000000000113";
    bytes20 internal constant REGISTRAR = "ZZZZ0000000000000307";
    bytes20 internal constant CASH_AGENT = "ZZZZ0000000000000404";
    bytes20 internal constant ISSUER = "ZZZZ0000000000000598";
    bytes20 internal constant BROKER_1 = "ZZZZ0000000000001665";
    bytes20 internal constant BROKER_2 = "ZZZZ0000000000001762";
    bytes20 internal constant SUPERVISOR = "ZZZZ0000000000001956";
    bytes20 internal constant AUDITOR = "ZZZZ0000000000002053";

    uint8 internal constant MEMBER = 1;
    uint8 internal constant ORDER = 2;
    uint8 internal constant INSTRUCTION = 4;
    uint8 internal constant CASH = 8;
    uint8 internal constant SENDER = 16;
    uint8 internal constant SIGNING = 14;

    // Private keys: an institution's two persons, what signs for it, what carries its transactions.
    uint256 internal constant PERSON = 0x1000;
    uint256 internal constant SIGNER = 0x2000;
    uint256 internal constant CARRIER = 0x3000;
    uint256 internal constant CLAIM_ISSUER_KEY = 0x4001;

    uint256 internal constant VENUE_NO = 1;
    uint256 internal constant REGISTRAR_NO = 2;
    uint256 internal constant CASH_AGENT_NO = 3;
    uint256 internal constant ISSUER_NO = 4;
    uint256 internal constant BROKER_1_NO = 5;
    uint256 internal constant BROKER_2_NO = 6;
    uint256 internal constant SUPERVISOR_NO = 7;
    uint256 internal constant AUDITOR_NO = 8;

    bytes12 internal constant ISIN = "ZZ0000000016";
    uint40 internal constant START = 1_800_000_000;
    uint40 internal constant LATER = START + 365 days;
    uint64 internal constant TOPIC_BITS = 1 << 1;

    IAuthority internal authority;
    ILegalActions internal legal;
    IConversions internal conversions;
    IMemberRegistry internal members;
    ITopics internal topics;
    IIssuers internal issuers;
    IStore internal identityStorage;
    IRegistry internal registry;
    IRegisteredQuantity internal quantity;
    IEncumbrances internal encumbrances;
    IDvpSettlement internal settlement;
    ISettlementModes internal modes;
    IInstructions internal instructions;
    IDepositToken internal cash;
    ISuiteFactory internal factory;
    IToken internal token;
    IModularCompliance internal compliance;

    address internal claimIssuer = vm.addr(CLAIM_ISSUER_KEY);
    address internal venueSender = vm.addr(CARRIER + VENUE_NO);

    // Accounts are addresses without keys: nobody can sign for them but their manager.
    address internal seller = address(0x5E11);
    address internal buyer = address(0xB0B0);
    address internal other = address(0x07E4);
    address internal house = address(0x40E5);
    address internal cash1 = address(0xCA51);
    address internal cash2 = address(0xCA52);
    address internal ownCash1 = address(0x0CA5);

    uint256 private _nonce;

    function setUp() public virtual {
        vm.warp(START);
        vm.roll(1000);
        _deployControl();
        _deployIdentities();
        _deployMarket();
        _createIssue();
        _onboardEverybody();
    }

    // --- The deployment, in order ------------------------------------------------------------------------------

    /// @dev 1. The code of MemberRegistry and Releases; 2. Authority, which creates both, with the founding members.
    function _deployControl() private {
        address memberRegistryCode = deploy("MemberRegistry");
        bytes memory init = abi.encodeCall(IAuthority.initialize, (memberRegistryCode, deploy("Releases"), _founders()));
        authority = IAuthority(_proxy(deploy("Authority"), init));
        members = IMemberRegistry(authority.memberRegistry());
    }

    /// @dev 3. Claim topics, trusted issuers, identity storage, then the identity registry at the predicted address.
    function _deployIdentities() private {
        address topicsCode = deploy("ClaimTopicsRegistry");
        address issuersCode = deploy("TrustedIssuersRegistry");
        address storageCode = deploy("IdentityRegistryStorage");
        address registryCode = deploy("IdentityRegistry");
        address legalCode = deploy("LegalActions");
        address registryAt = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 4);
        uint256[] memory required = new uint256[](1);
        required[0] = 1;
        uint256[][] memory trustedFor = new uint256[][](1);
        trustedFor[0] = required;
        address[] memory trusted = new address[](1);
        trusted[0] = claimIssuer;
        topics =
            ITopics(_proxy(topicsCode, abi.encodeCall(ITopics.initialize, (address(authority), registryAt, required))));
        issuers = IIssuers(
            _proxy(
                issuersCode, abi.encodeCall(IIssuers.initialize, (address(authority), registryAt, trusted, trustedFor))
            )
        );
        identityStorage =
            IStore(_proxy(storageCode, abi.encodeCall(IStore.initialize, (address(authority), registryAt))));
        bytes memory legalInit =
            abi.encodeCall(ILegalActions.initialize, (address(authority), address(members), registryAt));
        legal = ILegalActions(_proxy(legalCode, legalInit));
        bytes memory init = abi.encodeCall(
            IAttestedIdentityRegistry.initialize,
            (
                address(authority),
                address(authority),
                address(legal),
                address(identityStorage),
                address(topics),
                address(issuers),
                address(members)
            )
        );
        registry = IRegistry(_proxy(registryCode, init));
        assertEq(address(registry), registryAt);
    }

    /// @dev 4. Registered quantity and encumbrances; 5. settlement, whose other modes come
    /// first, and instructions; 6. the deposit token, which obeys only it; 7. the
    /// factory, with the code of token and compliance.
    function _deployMarket() private {
        address owner = address(authority);
        quantity = IRegisteredQuantity(
            _proxy(deploy("RegisteredQuantity"), abi.encodeCall(IRegisteredQuantity.initialize, (owner)))
        );
        encumbrances = IEncumbrances(
            _proxy(
                deploy("Encumbrances"),
                abi.encodeCall(IEncumbrances.initialize, (owner, address(members), address(registry)))
            )
        );
        settlement = IDvpSettlement(
            _proxy(
                deploy("DvpSettlement", abi.encode(deploy("SettlementModes"))),
                abi.encodeCall(IDvpSettlement.initialize, (owner, address(members), address(registry)))
            )
        );
        modes = ISettlementModes(address(settlement));
        instructions = IInstructions(
            _proxy(
                deploy("Instructions"),
                abi.encodeCall(IInstructions.initialize, (owner, address(members), address(registry)))
            )
        );
        cash = IDepositToken(
            _proxy(
                deploy("DepositToken"),
                abi.encodeCall(IDepositToken.initialize, (owner, address(members), address(settlement), CASH_AGENT))
            )
        );
        conversions = IConversions(_proxy(deploy("Conversions"), abi.encodeCall(IConversions.initialize, (owner))));
        SuiteParts memory parts = SuiteParts({
            registry: address(registry),
            quantity: address(quantity),
            encumbrances: address(encumbrances),
            settlement: address(settlement),
            instructions: address(instructions),
            legal: address(legal),
            conversions: address(conversions),
            tokenImplementation: deploy("SecurityToken", abi.encode(deploy("SecurityTokenExtension"))),
            complianceImplementation: deploy("ModularCompliance")
        });
        factory =
            ISuiteFactory(_proxy(deploy("SuiteFactory"), abi.encodeCall(ISuiteFactory.initialize, (owner, parts))));
    }

    /// @dev 8. From here on only signed acts: issue, registered quantity, release from pause.
    function _createIssue() private {
        IssueParams memory params = issueParams(ISIN);
        (address tokenAt, address complianceAt) = factory.predict(params);
        issuerAct(address(factory), abi.encodeCall(ISuiteFactory.createIssue, (params)));
        token = IToken(tokenAt);
        compliance = IModularCompliance(complianceAt);
        issuerAct(address(quantity), abi.encodeCall(IRegisteredQuantity.register, (tokenAt, 1_000_000)));
        registrarAct(tokenAt, abi.encodeCall(IERC3643.unpause, ()));
    }

    function _onboardEverybody() private {
        onboard(seller, BROKER_1_NO, 1);
        onboard(house, BROKER_1_NO, 2);
        onboard(buyer, BROKER_2_NO, 1);
        onboard(other, BROKER_2_NO, 1);
        openCash(cash1, BROKER_1, 1);
        openCash(ownCash1, BROKER_1, 2);
        openCash(cash2, BROKER_2, 1);
        credit(cash2, 10_000_000);
        issuerAct(address(token), abi.encodeCall(IERC3643.mint, (seller, 10_000)));
    }

    // --- What institutions sign --------------------------------------------------------------------------------

    function rules() internal pure virtual returns (RuleSet memory off) {}

    function issueParams(bytes12 isin) internal pure returns (IssueParams memory) {
        return IssueParams(isin, "Busan New Port", "BPL1", rules(), 100, 0);
    }

    /// @dev Issuer and registrar approve.
    function issuerAct(address target, bytes memory data) internal returns (bytes memory) {
        return authority.execute(actOf(target, data), approvals(actOf(target, data), ISSUER_NO, REGISTRAR_NO));
    }

    /// @dev Registrar and venue approve, with a legal basis.
    function registrarAct(address target, bytes memory data) internal returns (bytes memory) {
        return authority.execute(actOf(target, data), approvals(actOf(target, data), REGISTRAR_NO, VENUE_NO));
    }

    /// @dev Equal data makes an equal act: it can be done once.
    function actOf(address target, bytes memory data) internal view returns (Act memory) {
        return Act(target, data, "CAPITAL_MARKETS_ACT", keccak256("document"), block.timestamp, uint40(block.timestamp));
    }

    function approvals(Act memory act, uint256 first, uint256 second) internal view returns (bytes[] memory list) {
        bytes32 digest = actDigest(act);
        list = new bytes[](2);
        list[0] = signatureOf(SIGNER + first, digest);
        list[1] = signatureOf(SIGNER + second, digest);
    }

    function actDigest(Act memory act) internal view returns (bytes32) {
        bytes32 kind =
            keccak256("Act(address target,bytes data,bytes32 basis,bytes32 document,uint256 salt,uint40 deadline)");
        bytes32 structHash = keccak256(
            abi.encode(kind, act.target, keccak256(act.data), act.basis, act.document, act.salt, act.deadline)
        );
        return typed("stoken Authority", address(authority), structHash);
    }

    /// @dev Three of the four members that vote are for it: venue, registrar and a broker.
    function carry(bytes32 act) internal {
        voteAct(act, true, VENUE_NO);
        voteAct(act, true, REGISTRAR_NO);
        voteAct(act, true, BROKER_1_NO);
    }

    function voteAct(bytes32 act, bool support, uint256 number) internal {
        IMemberVotes(address(members)).voteAct(act, support, actVote(act, support, number));
    }

    function actVote(bytes32 act, bool support, uint256 number) internal view returns (bytes memory) {
        bytes32 hash = keccak256(abi.encode(keccak256("ActVote(bytes32 act,bool support)"), act, support));
        return signatureOf(SIGNER + number, typed("stoken MemberRegistry", address(members), hash));
    }

    function onboard(address account, uint256 broker, uint8 ownerType) internal {
        _onboard(account, address(uint160(account) + 1), broker, ownerType);
    }

    /// @dev Another account of an identity, at the first broker.
    function onboardAs(address account, address identity) internal {
        _onboard(account, identity, BROKER_1_NO, 1);
    }

    function onboardWith(address account, address identity, uint8 ownerType) internal {
        _onboard(account, identity, BROKER_1_NO, ownerType);
    }

    function _onboard(address account, address identity, uint256 broker, uint8 ownerType) private {
        Onboarding[] memory items = new Onboarding[](1);
        items[0] = Onboarding(account, identity, 410, 1, ownerType, TOPIC_BITS, LATER);
        bytes20 manager = broker == BROKER_1_NO ? BROKER_1 : BROKER_2;
        OnboardingBatch memory batch = OnboardingBatch(manager, claimIssuer, ++_nonce, LATER, items);
        string memory item =
            "Onboarding(address account,address identity,uint16 country,uint8 class,uint8 ownerType,uint64 topics,uint40 until)";
        bytes32 kind = keccak256(
            bytes.concat(
                "OnboardingBatch(bytes20 manager,address claimIssuer,uint256 nonce,uint40 deadline,Onboarding[] items)",
                bytes(item)
            )
        );
        bytes32 itemHash = keccak256(abi.encode(keccak256(bytes(item)), items[0]));
        bytes32 structHash = keccak256(
            abi.encode(kind, manager, claimIssuer, batch.nonce, batch.deadline, keccak256(abi.encodePacked(itemHash)))
        );
        bytes32 digest = typed("stoken IdentityRegistry", address(registry), structHash);
        registry.registerAccounts(batch, signatureOf(SIGNER + broker, digest), signatureOf(CLAIM_ISSUER_KEY, digest));
    }

    function openCash(address account, bytes20 member, uint8 kind) internal {
        CashAccount memory opening = CashAccount(account, member, kind, ++_nonce, LATER);
        cash.openAccount(opening, signatureOf(SIGNER + CASH_AGENT_NO, openingDigest(opening)));
    }

    function openingDigest(CashAccount memory opening) internal view returns (bytes32) {
        bytes32 kind = keccak256("CashAccount(address account,bytes20 member,uint8 kind,uint256 nonce,uint40 deadline)");
        return typed("stoken DepositToken", address(cash), keccak256(abi.encode(kind, opening)));
    }

    function credit(address account, uint96 amount) internal {
        CashEntry memory entry = CashEntry(account, amount, bytes32(++_nonce), LATER);
        cash.credit(entry, signatureOf(SIGNER + CASH_AGENT_NO, entryDigest("CashCredit", entry)));
    }

    function entryDigest(string memory name, CashEntry memory entry) internal view returns (bytes32) {
        bytes32 kind =
            keccak256(bytes.concat(bytes(name), "(address account,uint96 amount,bytes32 ref,uint40 deadline)"));
        return typed("stoken DepositToken", address(cash), keccak256(abi.encode(kind, entry)));
    }

    /// @dev Both persons of an institution change its keys.
    function changeKeys(
        uint256 number,
        bytes20 member,
        Key[] memory add,
        address[] memory retire,
        address[] memory revoke
    ) internal {
        uint256 nonce = ++_nonce;
        bytes32 digest = keyChangeDigest(member, add, retire, revoke, nonce, LATER);
        bytes[2] memory signatures =
            [signatureOf(PERSON + number, digest), signatureOf(PERSON + 0x800 + number, digest)];
        members.setKeys(member, add, retire, revoke, nonce, LATER, signatures);
    }

    function keyChangeDigest(
        bytes20 member,
        Key[] memory add,
        address[] memory retire,
        address[] memory revoke,
        uint256 nonce,
        uint40 deadline
    ) internal view returns (bytes32) {
        bytes memory added;
        for (uint256 i = 0; i < add.length; i++) {
            bytes32 kind = keccak256("Key(address key,uint8 scopes,uint40 since,uint40 until)");
            added = bytes.concat(added, keccak256(abi.encode(kind, add[i])));
        }
        bytes32 changeKind = keccak256(
            "KeyChange(bytes20 member,Key[] add,address[] retire,address[] revoke,uint256 nonce,uint40 deadline)Key(address key,uint8 scopes,uint40 since,uint40 until)"
        );
        bytes32 structHash = keccak256(
            abi.encode(
                changeKind,
                member,
                keccak256(added),
                keccak256(abi.encodePacked(retire)),
                keccak256(abi.encodePacked(revoke)),
                nonce,
                deadline
            )
        );
        return typed("stoken MemberRegistry", address(members), structHash);
    }

    function addKey(uint256 number, bytes20 member, Key memory key) internal {
        Key[] memory add = new Key[](1);
        add[0] = key;
        changeKeys(number, member, add, none(), none());
    }

    function retireKey(uint256 number, bytes20 member, address key) internal {
        changeKeys(number, member, new Key[](0), only(key), none());
    }

    function revokeKey(uint256 number, bytes20 member, address key) internal {
        changeKeys(number, member, new Key[](0), none(), only(key));
    }

    function none() internal pure returns (address[] memory list) {}

    function only(address item) internal pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = item;
    }

    function typed(string memory name, address at, bytes32 structHash) internal view returns (bytes32) {
        return typedAt(name, at, block.chainid, structHash);
    }

    function typedAt(string memory name, address at, uint256 chainId, bytes32 structHash)
        internal
        pure
        returns (bytes32)
    {
        bytes32 kind = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        bytes32 domain = keccak256(abi.encode(kind, keccak256(bytes(name)), keccak256("1"), chainId, at));
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function _proxy(address code, bytes memory init) internal returns (address) {
        return deploy("ERC1967Proxy", abi.encode(code, init));
    }

    function _founders() private pure returns (Founder[] memory founders) {
        founders = new Founder[](8);
        founders[0] = _founder(VENUE, 1 << 6, VENUE_NO);
        founders[1] = _founder(REGISTRAR, 1 << 3, REGISTRAR_NO);
        founders[2] = _founder(CASH_AGENT, 1 << 7, CASH_AGENT_NO);
        founders[3] = _founder(ISSUER, 1 << 0, ISSUER_NO);
        founders[4] = _founder(BROKER_1, 1 << 4, BROKER_1_NO);
        founders[5] = _founder(BROKER_2, 1 << 4, BROKER_2_NO);
        founders[6] = _founder(SUPERVISOR, 1 << 9, SUPERVISOR_NO);
        founders[7] = _founder(AUDITOR, 1 << 12, AUDITOR_NO);
    }

    function _founder(bytes20 member, uint16 roles, uint256 number) private pure returns (Founder memory) {
        Key[] memory keys = new Key[](4);
        keys[0] = Key(vm.addr(PERSON + number), MEMBER, 0, LATER);
        keys[1] = Key(vm.addr(PERSON + 0x800 + number), MEMBER, 0, LATER);
        keys[2] = Key(vm.addr(SIGNER + number), SIGNING, 0, LATER);
        keys[3] = Key(vm.addr(CARRIER + number), SENDER, 0, LATER);
        return Founder(member, roles, keys);
    }
}
