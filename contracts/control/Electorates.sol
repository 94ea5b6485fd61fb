// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";

import {IMemberVotes} from "../interfaces/IMemberVotes.sol";

/// @title Electorates
/// @notice Who votes on a proposal: those who had a vote when it was made, whatever happens to members afterwards.
/// @dev Every proposal ends an epoch, and roles are kept by epoch: what changes later, be it in the same block, belongs
/// to the next one.
abstract contract Electorates is IMemberVotes {
    using Checkpoints for Checkpoints.Trace208;

    /// @dev One word; who voted then is told by `votingRoles`, which is never empty.
    struct Electorate {
        uint48 epoch;
        uint16 votingRoles;
        uint16 majority;
    }

    /// @custom:storage-location erc7201:stoken.storage.Electorates
    struct ElectoratesData {
        uint48 epoch;
        mapping(bytes20 member => Checkpoints.Trace208) roles;
        mapping(bytes32 proposal => Electorate) electorates;
    }

    bytes32 private constant _ELECTORATES =
        keccak256(abi.encode(uint256(keccak256("stoken.storage.Electorates")) - 1)) & ~bytes32(uint256(0xff));

    /// @dev To be called whenever a member's roles or status change, with its roles if it is active, zero if not.
    function _noteRoles(bytes20 member, uint16 roles) internal {
        ElectoratesData storage $ = _electoratesData();
        $.roles[member].push($.epoch, roles);
    }

    function _takeElectorate(bytes32 proposal, uint16 votingRoles, uint16 majority) internal {
        ElectoratesData storage $ = _electoratesData();
        uint48 epoch = $.epoch;
        $.electorates[proposal] = Electorate(epoch, votingRoles, majority);
        $.epoch = epoch + 1;
        emit ElectorateTaken(proposal, epoch, votingRoles, majority);
    }

    /// @dev All zero, with no elector, for what was not put to the vote.
    function _electorateOf(bytes32 proposal) internal view returns (Electorate memory) {
        return _electoratesData().electorates[proposal];
    }

    function _hasVote(Electorate memory electorate, bytes20 member) internal view returns (bool) {
        return _electoratesData().roles[member].upperLookup(electorate.epoch) & electorate.votingRoles != 0;
    }

    function _electoratesData() private pure returns (ElectoratesData storage $) {
        bytes32 slot = _ELECTORATES;
        assembly ("memory-safe") {
            $.slot := slot
        }
    }
}
