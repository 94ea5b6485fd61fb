// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {TokenState} from "./TokenState.sol";

/// @title TokenSnapshots
/// @notice Keeps what an account held at each record date, at the first change of its balance after it.
/// @dev A snapshot names the one before it, and the account's word the last one: a balance of zero is told from no
/// snapshot without a mark, and a lookup walks snapshots, not record dates.
abstract contract TokenSnapshots is TokenState {
    uint256 private constant _RECORD = uint256(type(uint24).max) << 208;

    /// @dev The word of an account whose balance is about to change; takes its snapshot if a record date passed since.
    function _recorded(Data storage $, uint256 cfg, address account, uint256 word) internal returns (uint256) {
        uint256 current = _recordId(cfg);
        uint256 last = uint24(word >> 208);
        if (last >= current) return word;
        uint256 snapshot = last << 112 | _balance(word);
        if (snapshot != 0) $.snapshots[account][current] = snapshot;
        return word & ~_RECORD | current << 208;
    }

    function _setSupply(Data storage $, uint256 cfg, uint256 supply) internal {
        uint256 current = _recordId(cfg);
        uint256 last = $.supplyRecordId;
        if (last < current) {
            $.supplySnapshots[current] = last << 112 | $.totalSupply;
            $.supplyRecordId = uint24(current);
        }
        $.totalSupply = uint96(supply);
    }

    /// @dev The first snapshot taken at or after a record date; what is held now if nothing changed since.
    function _at(mapping(uint256 recordId => uint256) storage snapshots, uint256 last, uint256 id, uint256 present)
        internal
        view
        returns (uint256 held)
    {
        held = present;
        while (last >= id) {
            uint256 snapshot = snapshots[last];
            held = _balance(snapshot);
            last = snapshot >> 112;
        }
    }
}
