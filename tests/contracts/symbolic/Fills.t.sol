// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Fills} from "../../../contracts/settlement/Fills.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice Four orders share a word: whatever is filled, taken back or voided of one leaves the others alone.
contract FillsSymbolic is Symbolic {
    using Fills for Fills.Cells;

    Fills.Cells private _cells;

    function check_add_counts_within_the_order(uint256 word, bytes20 broker, uint64 nonce, uint64 units, uint64 ordered)
        external
    {
        _cells.words[broker][nonce >> 2] = word;
        uint64 before = _cells.get(broker, nonce);
        _cells.add(broker, nonce, units, ordered);
        assert(before != Fills.VOID);
        assert(_cells.get(broker, nonce) == uint256(before) + units);
        assert(_cells.get(broker, nonce) <= ordered);
    }

    function check_add_leaves_neighbours(
        uint256 word,
        bytes20 broker,
        uint64 nonce,
        uint64 other,
        uint64 units,
        uint64 ordered
    ) external {
        uint64 before = _neighbour(word, broker, nonce, other);
        _cells.add(broker, nonce, units, ordered);
        assert(_cells.get(broker, other) == before);
    }

    function check_void_is_for_ever_and_leaves_neighbours(uint256 word, bytes20 broker, uint64 nonce, uint64 other)
        external
    {
        uint64 before = _neighbour(word, broker, nonce, other);
        bool voided = _cells.get(broker, nonce) == Fills.VOID;
        assert(_cells.void(broker, nonce) != voided);
        assert(_cells.get(broker, nonce) == Fills.VOID);
        assert(!_cells.void(broker, nonce));
        assert(_cells.get(broker, other) == before);
    }

    /// @dev As a hold does: no more is taken back than was added.
    function check_remove_undoes_add_and_leaves_neighbours(
        uint256 word,
        bytes20 broker,
        uint64 nonce,
        uint64 other,
        uint64 units,
        uint64 ordered
    ) external {
        uint64 before = _neighbour(word, broker, nonce, other);
        uint64 filled = _cells.get(broker, nonce);
        // An order of 2^64 - 1 units that is filled looks void, and stays so.
        vm.assume(ordered != Fills.VOID);
        _cells.add(broker, nonce, units, ordered);
        _cells.remove(broker, nonce, units);
        assert(_cells.get(broker, nonce) == filled);
        assert(_cells.get(broker, other) == before);
    }

    function check_remove_of_a_void_order_changes_nothing(uint256 word, bytes20 broker, uint64 nonce, uint64 units)
        external
    {
        _cells.words[broker][nonce >> 2] = word;
        vm.assume(_cells.get(broker, nonce) == Fills.VOID);
        _cells.remove(broker, nonce, units);
        assert(_cells.words[broker][nonce >> 2] == word);
    }

    function _neighbour(uint256 word, bytes20 broker, uint64 nonce, uint64 other) private returns (uint64) {
        vm.assume(other >> 2 == nonce >> 2 && other != nonce);
        _cells.words[broker][nonce >> 2] = word;
        return _cells.get(broker, other);
    }
}
