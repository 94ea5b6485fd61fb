// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IERC1643} from "./IERC1643.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IERC3643} from "./IERC3643.sol";

/// @notice The contracts that a token works with.
struct Wiring {
    /// The owner.
    address owner;
    /// The first agent.
    address agent;
    /// The identity registry.
    address registry;
    /// The compliance contract.
    address compliance;
    /// The contract of registered quantities.
    address quantity;
    /// The contract of encumbrances.
    address encumbrances;
    /// The contract that settles trades.
    address settlement;
    /// The contract that moves units by account managers' instructions.
    address instructions;
    /// The contract of legal actions: agent for freezes, force, burns, recoveries and pauses; zero for none.
    address legal;
    /// The contract of splits and merges: agent for conversions; zero for none.
    address conversions;
}

/// @title Roles
/// @notice What an agent of a token may be appointed for, one bit each.
library Roles {
    uint16 internal constant MINT = 1;
    uint16 internal constant BURN = 2;
    uint16 internal constant FREEZE_ADDRESS = 4;
    uint16 internal constant FREEZE_UNITS = 8;
    uint16 internal constant FORCE = 16;
    uint16 internal constant RECOVER = 32;
    uint16 internal constant PAUSE = 64;
    uint16 internal constant DOCUMENTS = 128;
    uint16 internal constant RECORD = 256;
    uint16 internal constant CONVERT = 512;
    uint16 internal constant TERMINATE = 1024;
}

/// @title ISecurityToken
/// @notice An ERC-3643 token of one issue, with settlement, encumbrances and a verdict ahead of each transfer.
/// @dev Units are whole (0 decimals) and at most 2^96 - 1. Checks in order: pause, termination, suspension of the
/// network, restriction of the managers, freeze and legal hold (each: sender, receiver), identity (sender, receiver),
/// rules, balance, encumbrance, allowance. A mint asks termination, registered quantity, suspension, the receiver's
/// checks and the rules; burn and acts of force work regardless. Assumes that registry, quantity and encumbrances are
/// the suite's own. Two contracts implement it over one storage: SecurityToken what transfers need, and
/// SecurityTokenExtension, to which it delegates, the rest.
interface ISecurityToken is IERC3643, IERC1643, IERC20Errors {
    /// @notice The lists of a batch differ in length.
    error SecurityTokenLengthMismatch();

    /// @notice The token is not paused.
    error SecurityTokenNotPaused();

    /// @notice The registry has not the suite's interface.
    error SecurityTokenRegistryUnsupported(address registry);

    /// @notice A compliance contract of another make says no and no more.
    error SecurityTokenComplianceRefused(address compliance, address from, address to, uint256 amount);

    /// @notice The account is not of this identity.
    error SecurityTokenIdentityMismatch(address account, address identity);

    /// @notice The permit's deadline has passed.
    error SecurityTokenPermitExpired(uint256 deadline);

    /// @notice The agent is the zero address, or is given no role.
    error SecurityTokenRolesInvalid(uint16 roles);

    /// @notice Units still exist.
    error SecurityTokenUnitsOutstanding(uint256 supply);

    /// @notice The account is zero, or more units would be locked than it holds.
    error SecurityTokenRescaleInvalid(address account);

    /// @notice A document needs a name and a hash.
    error SecurityTokenDocumentInvalid(bytes32 name);

    /// @notice There is no document of this name.
    error SecurityTokenDocumentUnknown(bytes32 name);

    /// @notice Units moved by force; basis and document are zero where the standard's function gave none.
    event ForcedTransfer(
        address indexed actor, address indexed from, address indexed to, uint256 units, bytes32 basis, bytes32 document
    );

    /// @notice Encumbered units of an account changed to this sum.
    event EncumberedUnits(address indexed account, uint96 encumbered);

    /// @notice An agent, just added, is one for these functions only (bits of {Roles}); AgentAdded alone means all.
    event AgentRolesSet(address indexed agent, uint16 roles);

    /// @notice Units of an account were destroyed with a legal basis.
    event UnitsCanceled(address indexed actor, address indexed account, uint256 units, bytes32 basis, bytes32 document);

    /// @notice Whoever holds units when this happens holds them at the record date.
    event RecordDateSet(uint24 indexed id, uint64 blockNumber, uint64 time);

    /// @notice The instrument ended for ever.
    event Terminated(address indexed actor, bytes32 document);

    /// @notice Constructor of the proxy; the token starts paused and binds itself to the compliance contract.
    function initialize(string calldata name, string calldata symbol, bytes12 isin, Wiring calldata wiring) external;

    /// @notice Moves units of a settled trade, with all checks.
    /// @dev Requirements: the caller is the settlement contract; the checks pass. Emits Transfer.
    function settle(address from, address to, uint256 units) external;

    /// @notice Moves units by an account manager's signed instruction, with all checks.
    /// @dev Requirements: the caller is the instructions contract; the checks pass. Emits Transfer.
    function instruct(address from, address to, uint256 units) external;

    /// @notice Encumbers free units.
    /// @dev Requirements: the caller is the encumbrances or the settlement contract; the account was not recovered
    /// together with encumbrances (AccountClosed); so many units are free. Emits {EncumberedUnits}.
    function lock(address account, uint96 units) external;

    /// @notice Releases encumbered units.
    /// @dev Requirements: the caller is the encumbrances or the settlement contract. Emits {EncumberedUnits}.
    function unlock(address account, uint96 units) external;

    /// @notice Forced transfer with its legal basis and the hash of its document.
    /// @dev Requirements: as forcedTransfer; both are given. Emits {ForcedTransfer}.
    function forcedTransferFor(address from, address to, uint256 units, bytes32 basis, bytes32 document) external;

    /// @notice Destroys units with a legal basis and the hash of its document.
    /// @dev Requirements: as burn; both are given. Emits Transfer, {UnitsCanceled}.
    function cancelFor(address account, uint96 units, bytes32 basis, bytes32 document) external;

    /// @notice Sets what an account has, as a conversion of the issue says; supply and position follow.
    /// @dev Requirements: the caller is an agent for conversions; the token is paused and not terminated; frozen and
    /// encumbered units do not exceed the balance, nor the supply the registered quantity. Emits Transfer from or to
    /// zero for the difference, TokensFrozen or TokensUnfrozen, {EncumberedUnits}.
    function rescale(address account, uint96 balance, uint96 frozen, uint96 encumbered) external;

    /// @notice Ends the instrument for ever: nothing is minted or transferred from now on.
    /// @dev Requirements: the caller is an agent for termination; no units exist; the document's hash is given.
    /// Emits {Terminated}.
    function terminate(bytes32 document) external;

    /// @notice Names a record date: the moment of this transaction. Costs the same however many holders there are.
    /// @dev Requirements: the caller is an agent for record dates. Emits {RecordDateSet}.
    function setRecordDate() external returns (uint24 id);

    /// @notice Appoints an agent for some functions; an agent already appointed keeps these alone.
    /// @dev Requirements: the caller is the owner; there is a role. Emits AgentAdded, {AgentRolesSet}.
    function addAgentFor(address agent, uint16 roles) external;

    /// @notice The revert data that a transfer of `amount` by `spender` would give in this block, empty if it passes.
    /// @dev `spender` equal to `from`, or zero, needs no allowance; the settlement contract as spender asks for
    /// {settle}, the instructions contract for {instruct}.
    function verdict(address from, address to, uint256 amount, address spender)
        external
        view
        returns (bytes memory refusal);

    /// @notice Asks the compliance contract anew whether it must be called; the compliance contract calls this.
    function refreshCompliance() external;

    /// @notice The functions that an agent is appointed for, zero for who is none; all bits from addAgent.
    function rolesOf(address agent) external view returns (uint16);

    /// @notice Whether the instrument was terminated.
    function terminated() external view returns (bool);

    /// @notice What an account held at a record date.
    /// @dev Requirements: there is such a record date.
    function balanceOfAt(address account, uint24 id) external view returns (uint256);

    /// @notice The units that existed at a record date: the sum of all balances then.
    /// @dev Requirements: there is such a record date.
    function totalSupplyAt(uint24 id) external view returns (uint256);

    /// @notice Block and block time of a record date.
    /// @dev Requirements: there is such a record date.
    function recordDateOf(uint24 id) external view returns (uint64 blockNumber, uint64 time);

    /// @notice How many record dates there are; their ids count from 1.
    function recordDates() external view returns (uint24);

    /// @notice The contract that this code delegates its less frequent functions to.
    function extension() external view returns (address);

    /// @notice The ISIN of the issue.
    function isin() external view returns (bytes12);

    /// @notice Balance, frozen and encumbered units of an account, and whether it is frozen as a whole.
    function accountOf(address account)
        external
        view
        returns (uint256 balance, uint256 frozen, uint256 encumbered, bool isFrozen);

    /// @notice The part of an account's encumbered units that settlement holds for trades of a later day.
    function heldOf(address account) external view returns (uint256);

    /// @notice The contracts of registered quantity, encumbrances, settlement and instructions.
    function wiring()
        external
        view
        returns (address quantity, address encumbrances, address settlement, address instructions);

    /// @notice ERC-1404: a number for the reason of a refusal, zero if none.
    function detectTransferRestriction(address from, address to, uint256 value) external view returns (uint8);

    /// @notice ERC-1404: the refusal code of a number.
    function messageForTransferRestriction(uint8 restrictionCode) external view returns (string memory);
}
