// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @notice A member's cash account to open: kind 1 holds customers' cash, 2 its own.
struct CashAccount {
    /// The cash account; nobody needs to hold a key of it.
    address account;
    /// The member whose account it is: 20 characters of its LEI.
    bytes20 member;
    /// Customers' cash 1, the member's own 2.
    uint8 kind;
    /// Fresh for the cash agent.
    uint256 nonce;
    /// Last block time in seconds at which it is taken.
    uint40 deadline;
}

/// @notice A credit or debit; `ref` is the cash agent's reference, used once.
struct CashEntry {
    /// The cash account.
    address account;
    /// Whole won, above zero.
    uint96 amount;
    /// The cash agent's reference, used once.
    bytes32 ref;
    /// Last block time in seconds at which it is taken.
    uint40 deadline;
}

/// @notice One end of a payment: the cash account, whose it must be, of which kind, and the securities account in whose
/// name it pays or is paid.
struct CashParty {
    /// The cash account that pays or is paid.
    address cashAccount;
    /// The member whose account it must be.
    bytes20 member;
    /// The kind that it must have: customers' cash 1, own 2.
    uint8 kind;
    /// The securities account in whose name it is.
    address account;
}

/// @notice Cash that a member moves between two of its accounts.
struct CashMove {
    /// The member that moves it: 20 characters of its LEI.
    bytes20 member;
    /// The cash account that gives.
    address from;
    /// The cash account that receives, of the same member and kind.
    address to;
    /// Whole won, above zero.
    uint96 amount;
    /// Fresh for the member.
    uint256 nonce;
    /// Last block time in seconds at which it is taken.
    uint40 deadline;
}

/// @title IDepositToken
/// @notice Won on deposit at one cash agent, held by members in cash accounts without keys; whole won (0 decimals).
/// @dev It moves only to settle trades, and between one member's accounts of one kind: the transfers of ERC-20 are
/// refused. Whatever moves, the supply changes by credits and debits alone. All won together are less than 2^88. Held
/// cash belongs to a trade of a later day: it counts in the balance, and pays for nothing else. A unit is a claim on the
/// one cash agent that credited it: another agent has a deposit token of its own.
interface IDepositToken is IERC20 {
    /// @notice The cash account is open already.
    error DepositTokenAccountExists(address account);

    /// @notice The cash account is not open.
    error DepositTokenAccountUnknown(address account);

    /// @notice The account is zero, or its kind neither 1 nor 2.
    error DepositTokenAccountInvalid(address account, uint8 kind);

    /// @notice The amount is zero, or all won together would reach 2^88.
    error DepositTokenAmountInvalid(uint256 amount);

    /// @notice The nets do not add up to zero.
    error DepositTokenNetUnbalanced(int256 sum);

    /// @notice The accounts are to go to the member that has them.
    error DepositTokenMemberUnchanged(bytes20 member);

    /// @notice The deposits are at this cash agent; zero is none.
    event CashAgentSet(bytes20 indexed member);

    /// @notice A member has a cash account.
    event CashAccountOpened(address indexed account, bytes20 indexed member, uint8 kind);

    /// @notice A cash agent received cash for an account.
    event CashCredited(bytes32 indexed ref, address indexed account, uint96 amount);

    /// @notice A cash agent paid cash out of an account.
    event CashDebited(bytes32 indexed ref, address indexed account, uint96 amount);

    /// @notice The held part of an account's balance changed to this.
    event CashHeld(address indexed account, uint256 held);

    /// @notice A member moved cash between two of its accounts.
    event CashInstructed(bytes20 indexed member, uint256 indexed nonce, address from, address to, uint96 amount);

    /// @notice A failed member's customer-cash accounts are another member's; the totals are what they hold together.
    event CustomerCashMoved(
        bytes20 indexed from, bytes20 indexed to, address[] accounts, uint256 totalBefore, uint256 totalAfter
    );

    /// @notice Constructor of the proxy: everything belongs to `owner`, only `settlement` moves cash, only `cashAgent`
    /// opens, credits and debits accounts.
    /// @dev Emits {CashAgentSet}.
    function initialize(address owner, address memberRegistry, address settlement, bytes20 cashAgent) external;

    /// @notice Makes another cash agent answer for all deposits, as when it takes over from one that leaves.
    /// @dev Requirements: the caller is the owner; an active member. Emits {CashAgentSet}.
    function setCashAgent(bytes20 member) external;

    /// @notice Opens a cash account; anyone relays.
    /// @dev Requirements: the deadline has not passed; an active CASH key of the cash agent signed `CashAccount`
    /// (EIP-712); its nonce is fresh for the agent; the account is new; the member is active; kind 1 or 2.
    /// Emits {CashAccountOpened}.
    function openAccount(CashAccount calldata opening, bytes calldata signature) external;

    /// @notice Credits an account; anyone relays.
    /// @dev Requirements: the deadline has not passed; the reference is fresh; an active CASH key of the cash agent
    /// signed `CashCredit` (EIP-712, fields of {CashEntry}); the account is open; the amount is above zero.
    /// Emits Transfer and {CashCredited}.
    function credit(CashEntry calldata entry, bytes calldata signature) external;

    /// @notice Debits an account; anyone relays.
    /// @dev Requirements: as {credit}, of `CashDebit`; the balance covers it. Emits Transfer and {CashDebited}.
    function debit(CashEntry calldata entry, bytes calldata signature) external;

    /// @notice Pays for a settled trade.
    /// @dev Requirements: the caller is the settlement contract; both cash accounts belong to the members named and are
    /// of the kinds named; the payer's balance covers the amount. Emits Transfer.
    function settle(CashParty calldata payer, CashParty calldata payee, uint256 amount) external;

    /// @notice Pays the nets of a batch, from who owes to who is owed, through the settlement contract.
    /// @dev Requirements: the caller is the settlement contract; the accounts are as {settle} asks; each balance
    /// covers what the account owes; the nets add up to zero. Emits Transfer for each account whose net is not zero.
    function settleNet(CashParty[] calldata parties, int256[] calldata nets) external;

    /// @notice Holds the payer's cash for a trade of a later day.
    /// @dev Requirements: as {settle}. Emits {CashHeld}.
    function hold(CashParty calldata payer, CashParty calldata payee, uint256 amount) external;

    /// @notice Gives held cash back.
    /// @dev Requirements: the caller is the settlement contract; so much is held. Emits {CashHeld}.
    function release(address cashAccount, uint256 amount) external;

    /// @notice Pays held cash to the account that {hold} checked, whoever's it is since.
    /// @dev Requirements: as {release}. Emits {CashHeld} and Transfer.
    function settleHeld(address payer, address payee, uint256 amount) external;

    /// @notice Moves cash between two accounts of one member; anyone relays.
    /// @dev Requirements: the deadline has not passed; an active CASH key of the member signed `CashMove` (EIP-712);
    /// its nonce is fresh for the member; both accounts are the member's and of one kind (SegregationViolation); two
    /// accounts; an amount above zero, which the balance covers. Emits Transfer and {CashInstructed}.
    function move(CashMove calldata order, bytes calldata signature) external;

    /// @notice Makes a failed member's customer-cash accounts another member's, with all that they hold: their
    /// addresses stay, so do holds.
    /// @dev Requirements: the caller is the owner; the successor is an active member, and another one; each account is
    /// the failed member's and holds customers' cash (SegregationViolation). Emits {CustomerCashMoved}.
    function moveCustomerCash(bytes20 from, bytes20 to, address[] calldata accounts) external;

    /// @notice The member at which all this is on deposit.
    function cashAgent() external view returns (bytes20);

    /// @notice The held part of an account's balance.
    function heldOf(address account) external view returns (uint256);

    /// @notice A cash account's member, kind and balance; all zero if it is not open.
    function accountOf(address account) external view returns (bytes20 member, uint8 kind, uint256 balance);

    /// @notice Whether a reference was used.
    function referenceUsed(bytes32 ref) external view returns (bool);

    /// @notice "Deposited won".
    function name() external pure returns (string memory);

    /// @notice "KRW".
    function symbol() external pure returns (string memory);

    /// @notice Zero: whole won.
    function decimals() external pure returns (uint8);

    /// @notice The registry of institutions and keys, and the contract that settles trades.
    function wiring() external view returns (address memberRegistry, address settlement);
}
