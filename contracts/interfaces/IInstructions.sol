// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @notice What an account's manager signs (EIP-712) to move units outside a venue. `reason` is a code and `document`
/// the hash of what proves it; both zero if the owner stays the same.
struct Instruction {
    /// The securities account that gives.
    address from;
    /// The securities account that receives.
    address to;
    /// The security.
    address token;
    /// Units, above zero.
    uint96 units;
    /// Reason code, zero where the owner stays the same.
    bytes32 reason;
    /// Hash of what proves the reason, zero where the owner stays the same.
    bytes32 document;
    /// Fresh for the giving account's manager.
    uint256 nonce;
    /// Last block time in seconds at which it is taken.
    uint40 deadline;
}

/// @title IInstructions
/// @notice Moves units outside a venue, as the manager of the account that gives them instructs; the manager of the
/// account that receives them signs too, if it is another. Anyone relays.
/// @dev Customer and own units never mix: between a customer's account and an own account of one manager units move
/// only if the owner changes, and reason and document say why. Nonces are the giving manager's. Assumes that the token
/// moves units only as it says.
interface IInstructions {
    /// @notice There is not one pair of signatures for each instruction.
    error InstructionsLengthMismatch();

    /// @notice So little gas is left that a good instruction might fail.
    error InstructionsGasTooLow(uint256 left, uint256 needed);

    /// @notice Units moved by instruction; `instruction` is the digest that the managers signed.
    event Instructed(
        bytes32 indexed instruction,
        address indexed token,
        bytes20 indexed fromManager,
        bytes20 toManager,
        address from,
        address to,
        uint96 units,
        bytes32 reason,
        bytes32 document,
        uint256 nonce
    );

    /// @notice An instruction of a batch was not carried out; `reason` is the revert data that says why (its first
    /// 1,024 bytes). It may come again until its deadline.
    event InstructionFailed(bytes32 indexed instruction, bytes reason);

    /// @notice Constructor of the proxy: everything belongs to `owner`.
    function initialize(address owner, address memberRegistry, address identityRegistry) external;

    /// @notice Carries out an instruction.
    /// @dev Requirements, in this order: the deadline has not passed (TooLate); units above zero (LotInvalid); two
    /// accounts (SelfTransfer), which are known (AccountUnknown); the signature is by an active INSTRUCTION key
    /// (SignatureInvalid) of the giving account's manager (NotAccountManager), likewise the receiving account's where
    /// that is another (the second signature, which else stays empty); this very instruction was not carried out
    /// (DuplicateInstruction), nor another with its nonce (NonceReplayed); between a customer's and an own account of
    /// one manager the identity changes and reason and document are given (SegregationViolation); where the identity
    /// changes, reason and document are given (TransferReasonRequired); then the token's refusals.
    /// Emits {Instructed}.
    function instruct(Instruction calldata instruction, bytes[2] calldata signatures) external;

    /// @notice Carries out all instructions, or none.
    /// @dev Requirements: a pair of signatures for each; those of {instruct} for each. Emits {Instructed} each.
    function instructAll(Instruction[] calldata instructions, bytes[2][] calldata signatures) external;

    /// @notice Carries out instructions one by one; one that fails is reported and stops no other.
    /// @dev Requirements: a pair of signatures for each; before each so much gas is left that it cannot fail for want
    /// of it. Emits {Instructed} or {InstructionFailed} each.
    function instructEach(Instruction[] calldata instructions, bytes[2][] calldata signatures) external;

    /// @notice The instruction that used a manager's nonce; zero if none.
    function instructionOf(bytes20 manager, uint256 nonce) external view returns (bytes32);

    /// @notice The digest that managers sign.
    function instructionDigest(Instruction calldata instruction) external view returns (bytes32);

    /// @notice The registry of institutions and keys, and the identity registry.
    function wiring() external view returns (address memberRegistry, address identityRegistry);
}
