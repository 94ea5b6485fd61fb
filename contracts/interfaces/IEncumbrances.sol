// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @title IEncumbrances
/// @notice Encumbered units: each encumbrance has an id, a kind and whoever may end it; the token keeps only the sum,
/// so transfers pay nothing for them.
/// @dev Kinds: lock-up 1 (ends at its time), pledge 2 (ends by both parties, or is enforced), trust mark 3 (moves and
/// ends with the trustee's consent), certificate 4 (an owner certificate or holding notice: ends by return or at its
/// time), court order 5 (lasts until lifted). An account is spoken for by the member that manages it today, so a
/// failed institution changes nothing: whoever takes its accounts over signs. The contract keeps the hash of each
/// record; whoever acts on one hands it in, as {EncumbranceSet} and the events after it tell it. Typed data:
/// `Encumber(bytes32 id,address token,uint96 units,address account,uint40 until,uint8 kind,address party,bytes32
/// reason,uint40 deadline)`, `Release(bytes32 id,uint40 deadline)`, `MoveMarked(bytes32 id,address to,bytes32 salt,
/// uint40 deadline)`; an id is used once for ever and a move's digest once, so no statement works twice. Assumes that
/// the token calls back only {sums}, answers `accountOf` as it stands, and gives this contract the role FORCE.
interface IEncumbrances {
    /// @notice One encumbrance. `account` is where it was set: a recovery moves it on without changing the record.
    /// `party` is the account of the pledgee or trustee, zero for the other kinds; `reason` is the hash of the trust
    /// deed, the purpose or the document.
    struct Encumbrance {
        /// The security.
        address token;
        /// Units; zero once it has ended.
        uint96 units;
        /// The account when it was made, before any recovery.
        address account;
        /// From this block time in seconds on it may be released.
        uint40 until;
        /// Its kind, by number.
        uint8 kind;
        /// The account of pledgee or trustee, zero for other kinds.
        address party;
        /// Hash of deed, purpose or document.
        bytes32 reason;
    }

    /// @notice The id was used before.
    error EncumbrancesIdUsed(bytes32 id);

    /// @notice There is no such encumbrance, or it has ended.
    error EncumbrancesIdUnknown(bytes32 id);

    /// @notice Encumbrances of this kind are not made here.
    error EncumbrancesKindUnsupported(uint8 kind);

    /// @notice An encumbrance of no units says nothing.
    error EncumbrancesEmpty(bytes32 id);

    /// @notice The kind takes no other party, or needs one that is not the account itself.
    error EncumbrancesPartyInvalid(address party);

    /// @notice No time ends an encumbrance of this kind.
    error EncumbrancesEndInvalid(uint40 until);

    /// @notice The end does not lie ahead of the block time `at`.
    error EncumbrancesEndPassed(uint40 until, uint256 at);

    /// @notice The end has not come yet.
    error EncumbrancesStillActive(bytes32 id, uint40 until);

    /// @notice The ids do not ascend.
    error EncumbrancesOrderInvalid(bytes32 id);

    /// @notice Units of an account are encumbered; `until` is zero where no time ends it.
    event EncumbranceSet(
        bytes32 indexed id,
        address indexed token,
        address indexed account,
        uint8 kind,
        uint96 units,
        uint40 until,
        address party,
        bytes32 reason
    );

    /// @notice An encumbrance ended.
    event EncumbranceReleased(bytes32 indexed id);

    /// @notice An encumbrance was set or lifted without its holder.
    event EncumbranceDecreed(bytes32 indexed id, bytes32 basis, bytes32 document);

    /// @notice Marked units went to another account, and the mark with them.
    event EncumbranceCarried(bytes32 indexed id, address indexed from, address indexed to);

    /// @notice A conversion changed the units of an encumbrance.
    event EncumbranceRescaled(bytes32 indexed id, uint96 units);

    /// @notice Pledged units went to the pledgee.
    event PledgeEnforced(
        bytes32 indexed id, address indexed from, address indexed to, uint96 units, bytes32 basis, bytes32 document
    );

    /// @notice The encumbrances of a lost account went with its units.
    event EncumbrancesMoved(address indexed token, address indexed from, address indexed to);

    /// @notice Constructor of the proxy: everything belongs to `owner`.
    function initialize(address owner, address memberRegistry, address identityRegistry) external;

    /// @notice Locks units of an account up until a time.
    /// @dev Requirements: the caller is the owner; a fresh id; kind lock-up; units above zero and free; `until` lies
    /// ahead. Emits {EncumbranceSet}.
    function lock(bytes32 id, address token, address account, uint8 kind, uint96 units, uint40 until) external;

    /// @notice Marks units as a trust's, or restrains them by court order.
    /// @dev Requirements: the caller is the owner; a fresh id; kind trust mark with a party, or court order without;
    /// units above zero and free; no end; `basis` and the record's reason (the document) are given. Emits
    /// {EncumbranceSet} and {EncumbranceDecreed}.
    function decree(bytes32 id, Encumbrance calldata record, bytes32 basis) external;

    /// @notice Encumbers units as those concerned signed: pledge and trust mark by the managers of account and party,
    /// certificate by the account's; anyone relays.
    /// @dev Requirements: the deadline has not passed; a fresh id; units above zero and free, where units already
    /// pledged do not count (ALREADY_PLEDGED); a certificate has a reason and an end ahead, the others have a party
    /// and no end; the managers of today signed `Encumber`. Emits {EncumbranceSet}.
    function encumber(
        bytes32 id,
        Encumbrance calldata record,
        uint40 deadline,
        bytes calldata accountSignature,
        bytes calldata partySignature
    ) external;

    /// @notice Ends an encumbrance whose time has come, by anyone.
    /// @dev Requirements: a lock-up or certificate whose end has come. Emits {EncumbranceReleased}.
    function release(bytes32 id, Encumbrance calldata record) external;

    /// @notice Ends an encumbrance by consent; anyone relays.
    /// @dev Requirements: the deadline has not passed; `Release` is signed for a pledge by both managers, for a trust
    /// mark by the party's, for a certificate by the account's. Emits {EncumbranceReleased}.
    function releaseSigned(
        bytes32 id,
        Encumbrance calldata record,
        uint40 deadline,
        bytes calldata accountSignature,
        bytes calldata partySignature
    ) external;

    /// @notice Lifts a court order or a trust mark.
    /// @dev Requirements: the caller is the owner; basis and document are given. Emits {EncumbranceReleased} and
    /// {EncumbranceDecreed}.
    function lift(bytes32 id, Encumbrance calldata record, bytes32 basis, bytes32 document) external;

    /// @notice Enforces a pledge: its units go to the pledgee's account.
    /// @dev Requirements: the caller is the owner; a pledge; basis and document are given; the pledgee may receive.
    /// Emits {EncumbranceReleased} and {PledgeEnforced}.
    function enforce(bytes32 id, Encumbrance calldata record, bytes32 basis, bytes32 document) external;

    /// @notice Moves marked units to another account, which keeps the mark; anyone relays.
    /// @dev Requirements: a trust mark; the deadline has not passed; the managers of the account and of the trustee
    /// signed `MoveMarked`, which was not carried out before; another account; an ordinary transfer would pass. The
    /// token notes a forced transfer of basis "TRUST_MOVE" with the statement's digest as document. Emits
    /// {EncumbranceCarried}.
    function moveMarked(
        bytes32 id,
        Encumbrance calldata record,
        address to,
        bytes32 salt,
        uint40 deadline,
        bytes calldata accountSignature,
        bytes calldata partySignature
    ) external;

    /// @notice Converts all encumbrances of an account, cutting fractions; what comes to nothing ends.
    /// @dev Requirements: the caller is an agent of the token with role CONVERT; ids ascend; the records are all that
    /// the account has, CONVERSION_QUANTITY_MISMATCH otherwise. The caller sets the token's sum to the answer in the
    /// same call. Emits {EncumbranceRescaled} or {EncumbranceReleased} each.
    function rescale(
        address token,
        address account,
        bytes32[] calldata ids,
        Encumbrance[] calldata records,
        uint96 numerator,
        uint96 denominator
    ) external returns (uint96 encumbered);

    /// @notice Moves the encumbrances of a lost account, as the token recovers it.
    /// @dev Requirements: the caller is the token; the successor was not itself lost. Emits {EncumbrancesMoved}.
    function relocate(address from, address to) external;

    /// @notice The encumbered units of an account by the rank in which they are named in a refusal.
    function sums(address token, address account)
        external
        view
        returns (uint96 lockup, uint96 pledged, uint96 restricted);

    /// @notice Whether an encumbrance is in force as this record says.
    function isActive(bytes32 id, Encumbrance calldata record) external view returns (bool);

    /// @notice The account that holds today what was encumbered on an account: itself, or its successor.
    function holderOf(address token, address account) external view returns (address);
}
