// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Consents} from "../control/Consents.sol";
import {IBallot, Question} from "../interfaces/IBallot.sol";
import {ISecurityToken} from "../interfaces/ISecurityToken.sol";

/// @title Ballot
contract Ballot is Consents, IBallot {
    /// @dev One word.
    struct Voter {
        uint96 weight;
        uint96 barred;
        uint32 sequence;
        uint8 option;
    }

    struct Record {
        Question question;
        mapping(uint8 option => uint96) units;
        mapping(address account => Voter) voters;
    }

    /// @custom:storage-location erc7201:stoken.storage.Ballot
    struct Data {
        mapping(bytes32 id => Record) records;
    }

    uint8 private constant _OPTIONS_MAX = 32;

    bytes32 private constant _VOTE = keccak256("Vote(bytes32 ballot,address account,uint8 option,uint32 sequence)");

    bytes32 private constant _DATA =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.Ballot")) - 1)) & ~bytes32(uint256(0xff));

    /// @inheritdoc IBallot
    function initialize(address owner, address memberRegistry, address identityRegistry) external initializer {
        __Ownable_init(owner);
        __Consents_init(memberRegistry, identityRegistry);
    }

    /// @inheritdoc IBallot
    function put(bytes32 id, Question calldata question) external onlyOwner {
        Record storage record = _data().records[id];
        if (record.question.options != 0) revert BallotIdUsed(id);
        if (
            question.document == 0 || question.options < 2 || question.options > _OPTIONS_MAX
                || question.opensAt < block.timestamp || question.closesAt <= question.opensAt
        ) revert BallotQuestionInvalid(id);
        // The token refuses a record date that it does not know.
        ISecurityToken(question.token).recordDateOf(question.recordId);
        record.question = question;
        emit BallotOpened(id, question.token, question);
    }

    /// @inheritdoc IBallot
    function bar(bytes32 id, address account, uint96 units, bytes32 basis, bytes32 document) external onlyOwner {
        Record storage record = _known(id);
        uint40 opensAt = record.question.opensAt;
        if (block.timestamp >= opensAt) revert BallotAlreadyOpen(opensAt, block.timestamp);
        if (basis == 0 || document == 0) revert LegalBasisRequired();
        record.voters[account].barred = units;
        emit VotesBarred(id, account, units, basis, document);
    }

    /// @inheritdoc IBallot
    function vote(bytes32 id, address account, uint8 option, uint32 sequence, bytes calldata signature) external {
        Record storage record = _known(id);
        Question memory question = record.question;
        if (block.timestamp < question.opensAt) revert BallotNotOpen(question.opensAt, block.timestamp);
        _requireInTime(question.closesAt);
        if (option >= question.options) revert BallotOptionUnknown(option, question.options);
        bytes32 digest = _digest(keccak256(abi.encode(_VOTE, id, account, option, sequence)));
        _requireManager(_profiles(), account, digest, signature);
        Voter memory voter = record.voters[account];
        if (sequence <= voter.sequence) revert NonceReplayed(bytes20(account), sequence);
        if (voter.sequence != 0) record.units[voter.option] -= voter.weight;
        uint96 weight = _weight(question, account, voter.barred);
        record.units[option] += weight;
        record.voters[account] = Voter(weight, voter.barred, sequence, option);
        emit VoteCast(id, account, option, weight, sequence);
    }

    /// @inheritdoc IBallot
    function tally(bytes32 id) external view returns (uint96[] memory units, uint256 supply) {
        Record storage record = _known(id);
        units = new uint96[](record.question.options);
        for (uint8 option = 0; option < units.length; ++option) {
            units[option] = record.units[option];
        }
        supply = ISecurityToken(record.question.token).totalSupplyAt(record.question.recordId);
    }

    /// @inheritdoc IBallot
    function voteOf(bytes32 id, address account) external view returns (uint8 option, uint96 weight, uint32 sequence) {
        Voter memory voter = _data().records[id].voters[account];
        return (voter.option, voter.weight, voter.sequence);
    }

    function _weight(Question memory question, address account, uint96 barred) private view returns (uint96) {
        uint256 held = ISecurityToken(question.token).balanceOfAt(account, question.recordId);
        if (held == 0) revert InsufficientSecurities(account, 0, 1);
        if (held <= barred) revert SecuritiesRestricted(account, 0, held);
        // The token bounds its supply to 96 bits.
        return uint96(held - barred);
    }

    function _known(bytes32 id) private view returns (Record storage record) {
        record = _data().records[id];
        if (record.question.options == 0) revert BallotIdUnknown(id);
    }

    function _domainName() internal pure override returns (string memory) {
        return "stoken Ballot";
    }

    function _data() private pure returns (Data storage $) {
        bytes32 slot = _DATA;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
