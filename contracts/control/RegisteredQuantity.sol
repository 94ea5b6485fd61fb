// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Governed} from "./Governed.sol";
import {Signatures} from "./Signatures.sol";
import {TypedData} from "./TypedData.sol";
import {IAuthority} from "../interfaces/IAuthority.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {IRegisteredQuantity, QuantityProposal} from "../interfaces/IRegisteredQuantity.sol";

/// @title RegisteredQuantity
contract RegisteredQuantity is Governed, TypedData, IRegisteredQuantity {
    struct Proposed {
        bytes20 proposer;
        bool registered;
    }

    /// @custom:storage-location erc7201:stoken.storage.RegisteredQuantity
    struct Data {
        mapping(address token => uint96) quantities;
        mapping(address token => mapping(uint32 series => uint96)) series;
        mapping(bytes32 id => Proposed) proposals;
    }

    uint8 private constant _INSTRUCTION = 4;
    uint16 private constant _ISSUING = (1 << 0) | (1 << 5);
    uint16 private constant _REGISTRAR = 1 << 3;

    bytes32 private constant _PROPOSAL = keccak256(
        "QuantityProposal(address token,uint32 series,uint96 quantity,bytes32 document,uint256 salt,uint40 deadline)"
    );
    bytes32 private constant _REGISTRATION = keccak256("QuantityRegistration(bytes32 proposal)");

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.RegisteredQuantity")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc IRegisteredQuantity
    function initialize(address owner) external initializer {
        __Ownable_init(owner);
    }

    /// @inheritdoc IRegisteredQuantity
    function register(address token, uint96 quantity) external onlyOwner {
        Data storage $ = _data();
        uint96 registered = $.quantities[token];
        if (quantity <= registered) revert RegisteredQuantityNotRaised(token, registered, quantity);
        $.series[token][0] += quantity - registered;
        $.quantities[token] = quantity;
        emit QuantityRegistered(token, quantity);
    }

    /// @inheritdoc IRegisteredQuantity
    function propose(QuantityProposal calldata proposal, bytes calldata signature) external returns (bytes32 id) {
        if (block.timestamp > proposal.deadline) revert TooLate(proposal.deadline, block.timestamp);
        id = _idOf(proposal);
        Data storage $ = _data();
        if ($.proposals[id].proposer != 0) revert DuplicateInstruction(id);
        bytes20 proposer = _signer(id, signature, _ISSUING);
        $.proposals[id].proposer = proposer;
        emit QuantityProposed(id, proposal.token, proposal.series, proposal.quantity, proposer, proposal.document);
    }

    /// @inheritdoc IRegisteredQuantity
    function registerProposed(QuantityProposal calldata proposal, bytes calldata signature) external {
        if (block.timestamp > proposal.deadline) revert TooLate(proposal.deadline, block.timestamp);
        bytes32 id = _idOf(proposal);
        Data storage $ = _data();
        Proposed storage proposed = $.proposals[id];
        if (proposed.proposer == 0) revert RegisteredQuantityProposalUnknown(id);
        if (proposed.registered) revert DuplicateInstruction(id);
        bytes20 registrar = _signer(_digest(keccak256(abi.encode(_REGISTRATION, id))), signature, _REGISTRAR);
        if (registrar == proposed.proposer) revert DualControlRequired();
        (address token, uint32 series, uint96 quantity) = (proposal.token, proposal.series, proposal.quantity);
        uint96 registered = $.series[token][series];
        if (quantity <= registered) revert RegisteredQuantityNotRaised(token, registered, quantity);
        proposed.registered = true;
        $.series[token][series] = quantity;
        uint96 total = $.quantities[token] + (quantity - registered);
        $.quantities[token] = total;
        emit SeriesRegistered(id, token, series, quantity, registrar);
        emit QuantityRegistered(token, total);
    }

    /// @inheritdoc IRegisteredQuantity
    function quantityOf(address token) external view returns (uint96) {
        return _data().quantities[token];
    }

    /// @inheritdoc IRegisteredQuantity
    function quantityOfSeries(address token, uint32 series) external view returns (uint96) {
        return _data().series[token][series];
    }

    function _signer(bytes32 digest, bytes calldata signature, uint16 roles) private view returns (bytes20 member) {
        IMemberRegistry members = IMemberRegistry(IAuthority(owner()).memberRegistry());
        address signer = Signatures.signerOf(digest, signature);
        member = members.authorise(signer, _INSTRUCTION, block.timestamp);
        if (member == 0) revert SignatureInvalid(signer);
        (uint16 held,) = members.memberOf(member);
        if (held & roles == 0) revert RoleRequired(bytes32(uint256(roles)));
    }

    function _idOf(QuantityProposal calldata proposal) private view returns (bytes32) {
        return _digest(keccak256(abi.encode(_PROPOSAL, proposal)));
    }

    function _domainName() internal pure override returns (string memory) {
        return "stoken RegisteredQuantity";
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
