// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Suite} from "../Suite.sol";

/// @notice Record dates against a model that copies every balance at each of them.
contract SnapshotsTest is Suite {
    address[4] private _holders;
    uint256[4][] private _then;
    uint256[] private _supplies;

    function setUp() public override {
        super.setUp();
        onboard(stranger);
        _holders = [alice, bob, carol, stranger];
        token.mint(alice, 1000);
        token.mint(bob, 1000);
    }

    function testFuzz_what_was_held_is_what_a_copy_of_all_balances_says(uint256 seed) public {
        for (uint256 step = 0; step < 30; step++) {
            seed = uint256(keccak256(abi.encode(seed)));
            _act(seed);
        }
        for (uint24 id = 1; id <= _then.length; id++) {
            uint256 sum;
            for (uint256 i = 0; i < 4; i++) {
                assertEq(token.balanceOfAt(_holders[i], id), _then[id - 1][i], "balance");
                sum += _then[id - 1][i];
            }
            assertEq(token.totalSupplyAt(id), _supplies[id - 1], "supply");
            assertEq(sum, _supplies[id - 1], "sum");
        }
    }

    function _act(uint256 seed) private {
        address from = _holders[seed % 4];
        address to = _holders[(seed >> 8) % 4];
        uint256 amount = bound(seed >> 64, 0, token.balanceOf(from));
        uint256 act = (seed >> 16) % 10;
        if (act < 3) _name();
        else if (act == 3) token.mint(to, (seed >> 64) % 1000);
        else if (act == 4) token.burn(from, amount);
        else if (act == 5) token.forcedTransfer(from, to, amount);
        else if (act == 6) _rescale(from, uint96(amount));
        else token.settle(from, to, amount);
    }

    function _name() private {
        assertEq(token.setRecordDate(), _then.length + 1);
        uint256[4] memory balances;
        for (uint256 i = 0; i < 4; i++) {
            balances[i] = token.balanceOf(_holders[i]);
        }
        _then.push(balances);
        _supplies.push(token.totalSupply());
    }

    function _rescale(address account, uint96 balance) private {
        token.pause();
        token.rescale(account, balance, 0, 0);
        token.unpause();
    }
}
