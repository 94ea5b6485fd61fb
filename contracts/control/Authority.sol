// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC1967Proxy} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Proxy.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

import {Governed} from "./Governed.sol";
import {Signatures} from "./Signatures.sol";
import {TypedData} from "./TypedData.sol";
import {Act, IAuthority} from "../interfaces/IAuthority.sol";
import {IEncumbrances} from "../interfaces/IEncumbrances.sol";
import {IERC3643} from "../interfaces/IERC3643.sol";
import {Founder, IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {IRegisteredQuantity} from "../interfaces/IRegisteredQuantity.sol";
import {ISecurityToken} from "../interfaces/ISecurityToken.sol";
import {ISuiteFactory} from "../interfaces/ISuiteFactory.sol";

/// @title Authority
contract Authority is Governed, TypedData, IAuthority {
    struct Policy {
        uint16 first;
        uint16 second;
    }

    /// @custom:storage-location erc7201:stoken.storage.Authority
    struct Data {
        IMemberRegistry members;
        mapping(bytes32 act => bool) executed;
        mapping(bytes4 selector => Policy) policies;
    }

    uint8 private constant _INSTRUCTION = 4;

    uint16 private constant _ISSUER = 1 << 0;
    uint16 private constant _REGISTRAR = 1 << 3;
    uint16 private constant _ISSUER_ACCOUNT_MANAGER = 1 << 5;
    uint16 private constant _VENUE = 1 << 6;
    uint16 private constant _SUPERVISOR = 1 << 9;

    bytes32 private constant _ACT =
        keccak256("Act(address target,bytes data,bytes32 basis,bytes32 document,uint256 salt,uint40 deadline)");

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.Authority")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc IAuthority
    function initialize(address memberRegistryImplementation, Founder[] calldata founders) external initializer {
        __Ownable_init(address(this));
        bytes memory init = abi.encodeCall(IMemberRegistry.initialize, (address(this), founders));
        _data().members = IMemberRegistry(address(new ERC1967Proxy(memberRegistryImplementation, init)));
        uint16 issuer = _ISSUER | _ISSUER_ACCOUNT_MANAGER;
        _setPolicy(ISuiteFactory.createIssue.selector, issuer, _REGISTRAR);
        _setPolicy(IERC3643.mint.selector, issuer, _REGISTRAR);
        _setPolicy(IERC3643.batchMint.selector, issuer, _REGISTRAR);
        _setPolicy(IRegisteredQuantity.register.selector, issuer, _REGISTRAR);
        _setPolicy(IEncumbrances.lock.selector, issuer, _REGISTRAR);
    }

    /// @inheritdoc IAuthority
    function execute(Act calldata act, bytes[] calldata approvals) external returns (bytes memory) {
        if (block.timestamp > act.deadline) revert TooLate(act.deadline, block.timestamp);
        if (act.data.length < 4) revert AuthorityActMalformed();
        bytes4 selector = bytes4(act.data[:4]);
        if (_isForce(selector) && (act.basis == 0 || act.document == 0)) revert LegalBasisRequired();
        bytes32 digest = actDigest(act);
        Data storage $ = _data();
        if ($.executed[digest]) revert DuplicateInstruction(digest);
        $.executed[digest] = true;
        (bytes20 first, bytes20 second) = _checkApprovals(selector, digest, approvals);
        emit ActExecuted(digest, act.target, selector, first, second, act.basis, act.document);
        return Address.functionCall(act.target, act.data);
    }

    /// @inheritdoc IAuthority
    function setPolicy(bytes4 selector, uint16 first, uint16 second) external onlyOwner {
        if (first == 0 || second == 0) revert AuthorityPolicyInvalid(selector);
        _setPolicy(selector, first, second);
    }

    /// @inheritdoc IAuthority
    function policyOf(bytes4 selector) public view returns (uint16 first, uint16 second) {
        Policy memory policy = _data().policies[selector];
        return policy.first == 0 ? (_REGISTRAR, _VENUE | _SUPERVISOR) : (policy.first, policy.second);
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
    function memberRegistry() external view returns (address) {
        return address(_data().members);
    }

    function _checkApprovals(bytes4 selector, bytes32 digest, bytes[] calldata approvals)
        private
        view
        returns (bytes20 first, bytes20 second)
    {
        if (approvals.length != 2) revert DualControlRequired();
        (uint16 firstRoles, uint16 secondRoles) = policyOf(selector);
        first = _approver(digest, approvals[0], firstRoles);
        second = _approver(digest, approvals[1], secondRoles);
        if (first == second) revert DualControlRequired();
    }

    function _approver(bytes32 digest, bytes calldata approval, uint16 roles) private view returns (bytes20 member) {
        IMemberRegistry members = _data().members;
        address signer = Signatures.signerOf(digest, approval);
        member = members.authorise(signer, _INSTRUCTION, block.timestamp);
        if (member == 0) revert SignatureInvalid(signer);
        (uint16 held,) = members.memberOf(member);
        if (held & roles == 0) revert RoleRequired(bytes32(uint256(roles)));
    }

    function _setPolicy(bytes4 selector, uint16 first, uint16 second) private {
        _data().policies[selector] = Policy(first, second);
        emit PolicySet(selector, first, second);
    }

    /// @dev What is done to a holder's units without the holder.
    function _isForce(bytes4 selector) private pure returns (bool) {
        return _isFreeze(selector) || selector == IERC3643.forcedTransfer.selector
            || selector == IERC3643.batchForcedTransfer.selector
            || selector == ISecurityToken.forcedTransferFor.selector || selector == IERC3643.recoveryAddress.selector
            || selector == IERC3643.burn.selector || selector == IERC3643.batchBurn.selector;
    }

    function _isFreeze(bytes4 selector) private pure returns (bool) {
        return selector == IERC3643.setAddressFrozen.selector || selector == IERC3643.batchSetAddressFrozen.selector
            || selector == IERC3643.freezePartialTokens.selector
            || selector == IERC3643.batchFreezePartialTokens.selector
            || selector == IERC3643.unfreezePartialTokens.selector
            || selector == IERC3643.batchUnfreezePartialTokens.selector;
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
