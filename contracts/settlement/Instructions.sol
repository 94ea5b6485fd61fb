// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "../control/Governed.sol";
import {Signatures} from "../control/Signatures.sol";
import {TypedData} from "../control/TypedData.sol";
import {IAttestedIdentityRegistry} from "../interfaces/IAttestedIdentityRegistry.sol";
import {IInstructions, Instruction} from "../interfaces/IInstructions.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {ISecurityToken} from "../interfaces/ISecurityToken.sol";
import {IIdentityProfiles} from "../interfaces/IVerificationSources.sol";

/// @title Instructions
contract Instructions is Governed, TypedData, IInstructions {
    /// @dev What the registry says of an account.
    struct Profile {
        address identity;
        bytes20 manager;
        uint8 kind;
    }

    /// @custom:storage-location erc7201:stoken.storage.Instructions
    struct Data {
        IMemberRegistry members;
        IAttestedIdentityRegistry identities;
        mapping(bytes20 manager => mapping(uint256 nonce => bytes32)) instructions;
    }

    uint8 private constant _INSTRUCTION_SCOPE = 4;

    /// @dev As in settlement: an outcome does not depend on the gas that the sender gave.
    uint256 private constant _ITEM_GAS = 1_000_000;
    uint256 private constant _ITEM_GAS_FLOOR = _ITEM_GAS + _ITEM_GAS / 63 + 50_000;
    uint256 private constant _REASON_BYTES_MAX = 1024;

    bytes32 private constant _INSTRUCTION = keccak256(
        "Instruction(address from,address to,address token,uint96 units,bytes32 reason,bytes32 document,uint256 nonce,"
        "uint40 deadline)"
    );

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.Instructions")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc IInstructions
    function initialize(address owner, address memberRegistry, address identityRegistry) external initializer {
        __Ownable_init(owner);
        Data storage $ = _data();
        $.members = IMemberRegistry(memberRegistry);
        $.identities = IAttestedIdentityRegistry(identityRegistry);
    }

    /// @inheritdoc IInstructions
    function instruct(Instruction calldata instruction, bytes[2] calldata signatures) external {
        _instruct(instruction, signatures);
    }

    /// @inheritdoc IInstructions
    function instructAll(Instruction[] calldata instructions, bytes[2][] calldata signatures) external {
        if (instructions.length != signatures.length) revert InstructionsLengthMismatch();
        for (uint256 i = 0; i < instructions.length; ++i) {
            _instruct(instructions[i], signatures[i]);
        }
    }

    /// @inheritdoc IInstructions
    function instructEach(Instruction[] calldata instructions, bytes[2][] calldata signatures) external {
        if (instructions.length != signatures.length) revert InstructionsLengthMismatch();
        for (uint256 i = 0; i < instructions.length; ++i) {
            bytes memory data = abi.encodeCall(IInstructions.instruct, (instructions[i], signatures[i]));
            (bool success, bytes memory reason) = _callItem(data);
            if (!success) emit InstructionFailed(instructionDigest(instructions[i]), reason);
        }
    }

    /// @inheritdoc IInstructions
    function instructionOf(bytes20 manager, uint256 nonce) external view returns (bytes32) {
        return _data().instructions[manager][nonce];
    }

    /// @inheritdoc IInstructions
    function instructionDigest(Instruction calldata instruction) public view returns (bytes32) {
        return _digest(keccak256(abi.encode(_INSTRUCTION, instruction)));
    }

    /// @inheritdoc IInstructions
    function wiring() external view returns (address memberRegistry, address identityRegistry) {
        Data storage $ = _data();
        return (address($.members), address($.identities));
    }

    function _instruct(Instruction calldata instruction, bytes[2] calldata signatures) private {
        if (block.timestamp > instruction.deadline) revert TooLate(instruction.deadline, block.timestamp);
        if (instruction.units == 0) revert LotInvalid(0, 1);
        if (instruction.from == instruction.to) revert SelfTransfer(instruction.from);
        Data storage $ = _data();
        Profile memory giver = _profile($, instruction.from);
        Profile memory receiver = _profile($, instruction.to);
        bytes32 digest = instructionDigest(instruction);
        _checkSigner($, digest, signatures[0], instruction.from, giver.manager);
        if (receiver.manager != giver.manager) {
            _checkSigner($, digest, signatures[1], instruction.to, receiver.manager);
        }
        _useNonce($, giver.manager, instruction.nonce, digest);
        _checkReason(instruction, giver, receiver);
        ISecurityToken(instruction.token).instruct(instruction.from, instruction.to, instruction.units);
        emit Instructed(
            digest,
            instruction.token,
            giver.manager,
            receiver.manager,
            instruction.from,
            instruction.to,
            instruction.units,
            instruction.reason,
            instruction.document,
            instruction.nonce
        );
    }

    function _useNonce(Data storage $, bytes20 manager, uint256 nonce, bytes32 digest) private {
        bytes32 used = $.instructions[manager][nonce];
        if (used == digest) revert DuplicateInstruction(digest);
        if (used != 0) revert NonceReplayed(manager, nonce);
        $.instructions[manager][nonce] = digest;
    }

    /// @dev A manager's own units become a customer's, or the reverse, only by a change of owner that is explained.
    function _checkReason(Instruction calldata instruction, Profile memory giver, Profile memory receiver)
        private
        pure
    {
        bool explained = instruction.reason != 0 && instruction.document != 0;
        bool changesOwner = giver.identity != receiver.identity;
        bool crosses = giver.manager == receiver.manager && giver.kind != receiver.kind;
        if (crosses && !(changesOwner && explained)) revert SegregationViolation(instruction.from, instruction.to);
        if (changesOwner && !explained) revert TransferReasonRequired(instruction.from, instruction.to);
    }

    function _checkSigner(Data storage $, bytes32 digest, bytes calldata signature, address account, bytes20 manager)
        private
        view
    {
        address signer = Signatures.signerOf(digest, signature);
        bytes20 member = $.members.authorise(signer, _INSTRUCTION_SCOPE, block.timestamp);
        if (member == 0) revert SignatureInvalid(signer);
        if (member != manager) revert NotAccountManager(account, member);
    }

    function _profile(Data storage $, address account) private view returns (Profile memory profile) {
        IAttestedIdentityRegistry identities = $.identities;
        (profile.manager, profile.kind) = IIdentityProfiles(identities.identityStorage()).managerOf(account);
        if (profile.manager == 0) revert AccountUnknown(account);
        profile.identity = identities.identity(account);
    }

    /// @dev A self-call, so that an instruction fails alone. Solidity's try would copy revert data of any size.
    function _callItem(bytes memory data) private returns (bool success, bytes memory reason) {
        if (gasleft() < _ITEM_GAS_FLOOR) revert InstructionsGasTooLow(gasleft(), _ITEM_GAS_FLOOR);
        uint256 size;
        assembly ("memory-safe") {
            success := call(_ITEM_GAS, address(), 0, add(data, 0x20), mload(data), 0, 0)
            size := returndatasize()
        }
        if (success) return (true, "");
        reason = new bytes(size < _REASON_BYTES_MAX ? size : _REASON_BYTES_MAX);
        assembly ("memory-safe") {
            returndatacopy(add(reason, 0x20), 0, mload(reason))
        }
    }

    function _domainName() internal pure override returns (string memory) {
        return "stoken Instructions";
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
