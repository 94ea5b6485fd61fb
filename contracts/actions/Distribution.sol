// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

import {Consents} from "../control/Consents.sol";
import {IDistribution, Payout, PayoutLine} from "../interfaces/IDistribution.sol";
import {ISecurityToken} from "../interfaces/ISecurityToken.sol";

/// @title Distribution
contract Distribution is Consents, IDistribution {
    struct Record {
        Payout payout;
        uint96 units;
        uint96 amount;
        bool ended;
        uint96 withheld;
        mapping(address account => bool) paid;
    }

    /// @custom:storage-location erc7201:stoken.storage.Distribution
    struct Data {
        mapping(bytes32 id => Record) records;
    }

    uint8 private constant _CASH = 8;

    bytes32 private constant _PAYMENT = keccak256("Payment(bytes32 id,bytes32[] leaves,bytes32 ref,uint40 deadline)");

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.Distribution")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc IDistribution
    function initialize(address owner, address memberRegistry, address identityRegistry) external initializer {
        __Ownable_init(owner);
        __Consents_init(memberRegistry, identityRegistry);
    }

    /// @inheritdoc IDistribution
    function open(bytes32 id, Payout calldata payout) external onlyOwner {
        Record storage record = _data().records[id];
        if (record.payout.root != 0) revert DistributionIdUsed(id);
        if (payout.root == 0 || payout.amount == 0 || payout.payer == 0 || payout.document == 0) {
            revert DistributionEmpty(id);
        }
        if (payout.withheld > payout.amount) revert CaPoolMismatch(payout.amount, payout.withheld);
        if (ISecurityToken(payout.token).totalSupplyAt(payout.recordId) != payout.units) {
            revert CaRecordDateInvalid(payout.recordId);
        }
        record.payout = payout;
        emit DistributionOpened(id, payout.token, payout);
    }

    /// @inheritdoc IDistribution
    function pay(
        bytes32 id,
        PayoutLine[] calldata lines,
        bytes32[][] calldata proofs,
        bytes32 ref,
        uint40 deadline,
        bytes calldata signature
    ) external {
        _requireInTime(deadline);
        Record storage record = _open(id);
        if (lines.length != proofs.length) revert DistributionLengthMismatch(lines.length, proofs.length);
        bytes32[] memory leaves = new bytes32[](lines.length);
        for (uint256 i = 0; i < lines.length; ++i) {
            leaves[i] = _leaf(id, lines[i]);
            if (!MerkleProof.verifyCalldata(proofs[i], record.payout.root, leaves[i])) {
                revert DistributionProofInvalid(id, lines[i].account);
            }
            _pay(id, record, lines[i], ref);
        }
        bytes32 digest =
            _digest(keccak256(abi.encode(_PAYMENT, id, keccak256(abi.encodePacked(leaves)), ref, deadline)));
        bytes20 member = _signedBy(_CASH, digest, signature);
        if (member != record.payout.payer) revert RoleRequired("PAYER");
    }

    /// @inheritdoc IDistribution
    function close(bytes32 id, bytes32 document) external onlyOwner {
        Record storage record = _open(id);
        uint96 unpaid = record.payout.amount - record.amount;
        uint96 unwithheld = record.payout.withheld - record.withheld;
        if (document == 0 && (unpaid != 0 || unwithheld != 0)) {
            revert CaPoolMismatch(record.payout.amount, record.amount);
        }
        record.ended = true;
        emit DistributionEnded(id, unpaid, unwithheld, document);
    }

    /// @inheritdoc IDistribution
    function prove(bytes32 id, PayoutLine calldata line, bytes32[] calldata proof) external view returns (bool) {
        bytes32 root = _data().records[id].payout.root;
        return root != 0 && MerkleProof.verifyCalldata(proof, root, _leaf(id, line));
    }

    /// @inheritdoc IDistribution
    function isPaid(bytes32 id, address account) external view returns (bool) {
        return _data().records[id].paid[account];
    }

    /// @inheritdoc IDistribution
    function payoutOf(bytes32 id)
        external
        view
        returns (Payout memory payout, uint96 units, uint96 amount, uint96 withheld, bool ended)
    {
        Record storage record = _data().records[id];
        return (record.payout, record.units, record.amount, record.withheld, record.ended);
    }

    function _pay(bytes32 id, Record storage record, PayoutLine calldata line, bytes32 ref) private {
        if (record.paid[line.account]) revert DistributionLinePaid(id, line.account);
        record.paid[line.account] = true;
        // A root may promise more than its totals say: what is paid never does.
        record.units = _within(record.payout.units, record.units, line.units);
        record.amount = _within(record.payout.amount, record.amount, line.amount);
        record.withheld = _within(record.payout.withheld, record.withheld, line.withheld);
        emit DistributionPaid(id, line.account, line.units, line.amount, line.withheld, ref);
    }

    function _within(uint256 pool, uint256 paid, uint256 more) private pure returns (uint96) {
        if (paid + more > pool) revert CaPoolMismatch(pool, paid + more);
        return uint96(paid + more);
    }

    function _open(bytes32 id) private view returns (Record storage record) {
        record = _data().records[id];
        if (record.payout.root == 0) revert DistributionIdUnknown(id);
        if (record.ended) revert DistributionClosed(id);
    }

    function _leaf(bytes32 id, PayoutLine calldata line) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(id, line))));
    }

    function _domainName() internal pure override returns (string memory) {
        return "stoken Distribution";
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
