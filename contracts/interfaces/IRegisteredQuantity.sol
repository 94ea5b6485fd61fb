// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// @notice What an issuer, or its account manager, wants registered: so many units in all of a series of a token;
/// `salt` tells equal proposals apart.
struct QuantityProposal {
    /// The security.
    address token;
    /// The series of the issue.
    uint32 series;
    /// Units registered of the series from then on.
    uint96 quantity;
    /// Hash of the entry's document.
    bytes32 document;
    /// Tells equal proposals apart.
    uint256 salt;
    /// Last block time in seconds at which it is proposed and approved.
    uint40 deadline;
}

/// @title IRegisteredQuantity
/// @notice The quantity that the registrar registered for each issue and series: nothing can be minted beyond it.
/// @dev Two ways: a proposal signed by the issuer, then registered by the registrar's signature; or {register}, one act
/// that both sign. Series 0 is that of {register}. Assumes that the owner is Authority, which knows the members.
interface IRegisteredQuantity {
    /// @notice The quantity is not above the one registered.
    error RegisteredQuantityNotRaised(address token, uint96 registered, uint96 quantity);

    /// @notice There is no such proposal, or it was approved.
    error RegisteredQuantityProposalUnknown(bytes32 proposal);

    /// @notice An issuer or account manager proposed a quantity.
    event QuantityProposed(
        bytes32 indexed proposal,
        address indexed token,
        uint32 indexed series,
        uint96 quantity,
        bytes20 proposer,
        bytes32 document
    );

    /// @notice The registrar registered a proposal.
    event SeriesRegistered(
        bytes32 indexed proposal, address indexed token, uint32 indexed series, uint96 quantity, bytes20 registrar
    );

    /// @notice So many units of a token may exist, all series together.
    event QuantityRegistered(address indexed token, uint96 quantity);

    /// @notice Constructor of the proxy: everything belongs to `owner`.
    function initialize(address owner) external;

    /// @notice Registers a quantity for a token.
    /// @dev Requirements: the caller is the owner; the quantity is larger than the one registered.
    /// Emits {QuantityRegistered}.
    function register(address token, uint96 quantity) external;

    /// @notice Proposes a quantity; anyone relays. Returns the proposal's digest (EIP-712), which is its id.
    /// @dev Requirements: the deadline has not passed; it is new; an active INSTRUCTION key of an issuer or an
    /// issuer's account manager signed it. Emits {QuantityProposed}.
    function propose(QuantityProposal calldata proposal, bytes calldata signature) external returns (bytes32 id);

    /// @notice Registers what was proposed; anyone relays.
    /// @dev Requirements: the proposal is known, was not registered, its deadline has not passed; the signature over
    /// `QuantityRegistration(bytes32 proposal)` by an active INSTRUCTION key of a registrar that is another institution
    /// than the proposer; it raises the series' quantity. Emits {SeriesRegistered} and {QuantityRegistered}.
    function registerProposed(QuantityProposal calldata proposal, bytes calldata signature) external;

    /// @notice The registered quantity of a token, all series together, zero if none.
    function quantityOf(address token) external view returns (uint96);

    /// @notice The registered quantity of one series, zero if none.
    function quantityOfSeries(address token, uint32 series) external view returns (uint96);
}
