// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

import {Governed} from "./Governed.sol";
import {Selectors} from "./Selectors.sol";
import {Signatures} from "./Signatures.sol";
import {TypedData} from "./TypedData.sol";
import {Act, Grounds, IAuthority} from "../interfaces/IAuthority.sol";
import {IEncumbrances} from "../interfaces/IEncumbrances.sol";
import {IERC3643} from "../interfaces/IERC3643.sol";
import {Founder, IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {IMemberVotes} from "../interfaces/IMemberVotes.sol";
import {IRegisteredQuantity} from "../interfaces/IRegisteredQuantity.sol";
import {IReleases} from "../interfaces/IReleases.sol";
import {ISuiteFactory} from "../interfaces/ISuiteFactory.sol";

/// @title Authority
contract Authority is Governed, TypedData, IAuthority {
    struct Policy {
        uint16 first;
        uint16 second;
        uint32 delay;
    }

    /// @dev Two words.
    struct Proposal {
        bytes20 first;
        uint40 eta;
        bool canceled;
        bytes20 second;
    }

    /// @custom:storage-location erc7201:stoken.storage.Authority
    struct Data {
        IMemberRegistry members;
        mapping(bytes32 act => bool) executed;
        mapping(bytes4 selector => Policy) policies;
        IReleases releases;
        mapping(bytes32 act => Proposal) proposals;
        Grounds acting;
        /// @dev The code before the last upgrade.
        mapping(address proxy => address code) former;
    }

    uint8 private constant _INSTRUCTION = 4;

    uint16 private constant _ISSUER = 1 << 0;
    uint16 private constant _REGISTRAR = 1 << 3;
    uint16 private constant _ISSUER_ACCOUNT_MANAGER = 1 << 5;
    uint16 private constant _VENUE = 1 << 6;
    uint16 private constant _SUPERVISOR = 1 << 9;
    uint16 private constant _AUDITOR = 1 << 12;

    uint32 private constant _UPGRADE_DELAY = 2 days;
    uint32 private constant _ROLLBACK_DELAY = 4 hours;
    uint32 private constant _RECOVERY_DELAY = 3 days;

    bytes32 private constant _ACT =
        keccak256("Act(address target,bytes data,bytes32 basis,bytes32 document,uint256 salt,uint40 deadline)");
    bytes32 private constant _CANCEL = keccak256("CancelAct(bytes32 act)");

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.Authority")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc IAuthority
    function initialize(
        address memberRegistryImplementation,
        address releasesImplementation,
        Founder[] calldata founders
    ) external initializer {
        __Ownable_init(address(this));
        Data storage $ = _data();
        bytes memory init = abi.encodeCall(IMemberRegistry.initialize, (address(this), founders));
        $.members = IMemberRegistry(address(new ERC1967Proxy(memberRegistryImplementation, init)));
        init = abi.encodeCall(IReleases.initialize, (address(this)));
        $.releases = IReleases(address(new ERC1967Proxy(releasesImplementation, init)));
        uint16 issuer = _ISSUER | _ISSUER_ACCOUNT_MANAGER;
        _setPolicy(ISuiteFactory.createIssue.selector, issuer, _REGISTRAR, 0);
        _setPolicy(IERC3643.mint.selector, issuer, _REGISTRAR, 0);
        _setPolicy(IERC3643.batchMint.selector, issuer, _REGISTRAR, 0);
        _setPolicy(IRegisteredQuantity.register.selector, issuer, _REGISTRAR, 0);
        _setPolicy(IEncumbrances.lock.selector, issuer, _REGISTRAR, 0);
        _setPolicy(IReleases.record.selector, _AUDITOR, _REGISTRAR | _SUPERVISOR, 0);
    }

    /// @inheritdoc IAuthority
    function execute(Act calldata act, bytes[] calldata approvals) external returns (bytes memory result) {
        bytes4 selector = _selectorOf(act);
        bytes32 digest = actDigest(act);
        Data storage $ = _data();
        if ($.executed[digest]) revert DuplicateInstruction(digest);
        $.executed[digest] = true;
        (,, uint32 delay) = policyOf(selector);
        (bytes20 first, bytes20 second) =
            delay == 0 ? _checkApprovals(selector, digest, approvals) : _checkWaited(selector, digest);
        _checkCode(selector, act.data);
        if (_isVoted(selector)) _checkVote(digest);
        if (Selectors.isUpgrade(selector)) _keepFormer(act.target);
        emit ActExecuted(digest, act.target, selector, first, second, act.basis, act.document);
        if (!Selectors.isForce(selector)) return Address.functionCall(act.target, act.data);
        $.acting = Grounds(digest, first, second, act.basis, act.document);
        result = Address.functionCall(act.target, act.data);
        delete $.acting;
    }

    /// @inheritdoc IAuthority
    function propose(Act calldata act, bytes[] calldata approvals) external {
        bytes4 selector = _selectorOf(act);
        (,, uint32 delay) = policyOf(selector);
        if (delay == 0) revert AuthorityNotDelayed(selector);
        uint40 eta = uint40(block.timestamp) + delay;
        if (eta > act.deadline) revert TooLate(act.deadline, eta);
        bytes32 digest = actDigest(act);
        Data storage $ = _data();
        if ($.proposals[digest].eta != 0 || $.executed[digest]) revert DuplicateInstruction(digest);
        (bytes20 first, bytes20 second) = _checkApprovals(selector, digest, approvals);
        _checkCode(selector, act.data);
        $.proposals[digest] = Proposal(first, eta, false, second);
        emit ActProposed(digest, act.target, selector, first, second, act.basis, act.document, eta);
        if (_isVoted(selector)) IMemberVotes(address($.members)).putToVote(digest);
    }

    /// @inheritdoc IAuthority
    function cancel(bytes32 act, bytes calldata signature) external {
        Data storage $ = _data();
        Proposal storage proposal = $.proposals[act];
        if (proposal.eta == 0) revert AuthorityNotProposed(act);
        if (proposal.canceled) revert AuthorityActCanceled(act);
        if ($.executed[act]) revert DuplicateInstruction(act);
        (bytes20 member, uint16 roles) = _signerOf(_digest(keccak256(abi.encode(_CANCEL, act))), signature);
        if (member != proposal.first && member != proposal.second && roles & _SUPERVISOR == 0) {
            revert RoleRequired(bytes32(uint256(_SUPERVISOR)));
        }
        proposal.canceled = true;
        emit ActCanceled(act, member);
    }

    /// @inheritdoc IAuthority
    function rollback(address proxy, address code) external onlyOwner {
        _keepFormer(proxy);
        emit RolledBack(proxy, code, code.codehash);
        UUPSUpgradeable(proxy).upgradeToAndCall(code, "");
    }

    /// @inheritdoc IAuthority
    function setPolicy(bytes4 selector, uint16 first, uint16 second, uint32 delay) external onlyOwner {
        if (first == 0 || second == 0 || delay < _delayMin(selector)) revert AuthorityPolicyInvalid(selector);
        _setPolicy(selector, first, second, delay);
    }

    /// @inheritdoc IAuthority
    function policyOf(bytes4 selector) public view returns (uint16 first, uint16 second, uint32 delay) {
        Policy memory policy = _data().policies[selector];
        if (policy.first != 0) return (policy.first, policy.second, policy.delay);
        return (_REGISTRAR, _VENUE | _SUPERVISOR, _delayMin(selector));
    }

    /// @inheritdoc IAuthority
    function actDigest(Act calldata act) public view returns (bytes32) {
        return _digest(
            keccak256(
                abi.encode(_ACT, act.target, keccak256(act.data), act.basis, act.document, act.salt, act.deadline)
            )
        );
    }

    /// @inheritdoc IAuthority
    function executed(bytes32 act) external view returns (bool) {
        return _data().executed[act];
    }

    /// @inheritdoc IAuthority
    function formerOf(address proxy) external view returns (address) {
        return _data().former[proxy];
    }

    /// @inheritdoc IAuthority
    function memberRegistry() external view returns (address) {
        return address(_data().members);
    }

    /// @inheritdoc IAuthority
    function releases() external view returns (address) {
        return address(_data().releases);
    }

    /// @inheritdoc IAuthority
    function proposalOf(bytes32 act) external view returns (bytes20 first, bytes20 second, uint40 eta, bool canceled) {
        Proposal memory proposal = _data().proposals[act];
        return (proposal.first, proposal.second, proposal.eta, proposal.canceled);
    }

    /// @inheritdoc IAuthority
    function acting() external view returns (Grounds memory) {
        return _data().acting;
    }

    /// @inheritdoc IAuthority
    function isForce(bytes4 selector) external pure returns (bool) {
        return Selectors.isForce(selector);
    }

    function _selectorOf(Act calldata act) private view returns (bytes4 selector) {
        if (block.timestamp > act.deadline) revert TooLate(act.deadline, block.timestamp);
        if (act.data.length < 4) revert AuthorityActMalformed();
        selector = bytes4(act.data[:4]);
        if (Selectors.isForce(selector) && (act.basis == 0 || act.document == 0)) revert LegalBasisRequired();
    }

    /// @dev The approvals of a proposed act were checked when its waiting time began.
    function _checkWaited(bytes4 selector, bytes32 digest) private view returns (bytes20, bytes20) {
        Proposal memory proposal = _data().proposals[digest];
        if (proposal.canceled) revert AuthorityActCanceled(digest);
        if (proposal.eta == 0 || block.timestamp < proposal.eta) {
            if (_isVoted(selector)) revert UpgradeTimelock(proposal.eta, block.timestamp);
            if (_isRecovery(selector)) revert RecoveryCooldown(proposal.eta, block.timestamp);
            if (proposal.eta == 0) revert AuthorityNotProposed(digest);
            revert AuthorityDelayed(proposal.eta, block.timestamp);
        }
        return (proposal.first, proposal.second);
    }

    /// @dev Asked when an upgrade is proposed and again when it is carried out, since an audit expires.
    function _checkCode(bytes4 selector, bytes calldata data) private view {
        if (Selectors.isAppointment(selector)) _requireContract(data);
        if (!_isVoted(selector) || Selectors.isConstitution(selector)) return;
        IReleases audited = _data().releases;
        if (Selectors.isUpgrade(selector)) {
            (address code, bytes memory call) = abi.decode(data[4:], (address, bytes));
            audited.requireAudited(code);
            _requireHarmless(call);
        } else if (Selectors.isRollback(selector)) {
            (address proxy, address code) = abi.decode(data[4:], (address, address));
            if (code != _data().former[proxy]) revert CodeHashMismatch(code.codehash);
            audited.requireAudited(code);
        } else if (Selectors.isSwap(selector)) {
            audited.requireInstanceAudited(abi.decode(data[4:36], (address)));
        } else {
            (address token, address compliance) = abi.decode(data[4:], (address, address));
            audited.requireAudited(token);
            audited.requireAudited(compliance);
        }
    }

    /// @dev What the new code is called with at once runs in the owner's name: it must do nothing that waits or forces.
    function _requireHarmless(bytes memory call) private pure {
        bytes4 inner = bytes4(call);
        bool bound = _isVoted(inner) || _delayMin(inner) != 0 || Selectors.isForce(inner);
        if (call.length != 0 && bound) revert AuthorityActMalformed();
    }

    /// @dev In production only contracts act as agents: an agent acts alone.
    function _requireContract(bytes calldata data) private view {
        if (data.length < 36) revert AuthorityActMalformed();
        address agent = abi.decode(data[4:36], (address));
        if (agent.code.length == 0) revert CodeHashMismatch(agent.codehash);
    }

    function _checkVote(bytes32 digest) private view {
        (uint256 votes, uint256 electors, bool carried) = IMemberVotes(address(_data().members)).tallyOfAct(digest);
        if (!carried) revert SignaturePolicyUnmet(votes, electors);
    }

    function _keepFormer(address proxy) private {
        // Code that no longer tells what it is must not keep its proxy from better code: there is no way back to it.
        (bool success, bytes memory answer) = proxy.staticcall(abi.encodeCall(Governed.implementation, ()));
        uint256 told = success && answer.length == 32 ? uint256(bytes32(answer)) : 0;
        _data().former[proxy] = told <= type(uint160).max ? address(uint160(told)) : address(0);
    }

    function _checkApprovals(bytes4 selector, bytes32 digest, bytes[] calldata approvals)
        private
        view
        returns (bytes20 first, bytes20 second)
    {
        if (approvals.length != 2) revert DualControlRequired();
        (uint16 firstRoles, uint16 secondRoles,) = policyOf(selector);
        first = _approver(digest, approvals[0], firstRoles);
        second = _approver(digest, approvals[1], secondRoles);
        if (first == second) revert DualControlRequired();
    }

    function _approver(bytes32 digest, bytes calldata approval, uint16 roles) private view returns (bytes20 member) {
        uint16 held;
        (member, held) = _signerOf(digest, approval);
        if (held & roles == 0) revert RoleRequired(bytes32(uint256(roles)));
    }

    function _signerOf(bytes32 digest, bytes calldata signature) private view returns (bytes20 member, uint16 roles) {
        IMemberRegistry members = _data().members;
        address signer = Signatures.signerOf(digest, signature);
        member = members.authorise(signer, _INSTRUCTION, block.timestamp);
        if (member == 0) revert SignatureInvalid(signer);
        (roles,) = members.memberOf(member);
    }

    function _setPolicy(bytes4 selector, uint16 first, uint16 second, uint32 delay) private {
        _data().policies[selector] = Policy(first, second, delay);
        emit PolicySet(selector, first, second, delay);
    }

    /// @dev What members vote on: other code, other contracts in its place, other rules for acts and votes.
    function _isVoted(bytes4 selector) private pure returns (bool) {
        return Selectors.isUpgrade(selector) || Selectors.isNewCode(selector) || Selectors.isRollback(selector)
            || Selectors.isSwap(selector) || Selectors.isConstitution(selector);
    }

    function _delayMin(bytes4 selector) private pure returns (uint32) {
        if (Selectors.isRollback(selector)) return _ROLLBACK_DELAY;
        if (_isVoted(selector)) return _UPGRADE_DELAY;
        return _isRecovery(selector) ? _RECOVERY_DELAY : 0;
    }

    /// @dev The standard's recovery waits like that of the legal actions.
    function _isRecovery(bytes4 selector) private pure returns (bool) {
        return selector == IERC3643.recoveryAddress.selector;
    }

    function _domainName() internal pure override returns (string memory) {
        return "stoken Authority";
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
