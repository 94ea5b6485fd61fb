// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IEncumbrances} from "../../../contracts/interfaces/IEncumbrances.sol";
import {ConsentsSuite} from "../Consents.sol";

/// @notice Whatever is encumbered, released, enforced, carried or recovered: the sums are the records', and no account
/// owes more than it holds.
contract EncumbrancesFuzz is ConsentsSuite {
    IEncumbrances.Encumbrance[] private records;
    bool[] private ended;
    address private spare = address(0x5A);

    function setUp() public override {
        super.setUp();
        onboard(spare, identityOf(alice), KOREA, GENERAL, KYC, LATER);
        token.mint(bob, 50);
    }

    function test_fuzz_the_sums_are_the_records(uint256[24] memory choices) public {
        for (uint256 i = 0; i < choices.length; i++) {
            uint256 choice = choices[i];
            uint256 which = choice >> 8;
            // What is refused must change nothing either.
            try this.act(choice % 9, which) {} catch {}
            _check();
        }
    }

    function act(uint256 kind, uint256 seed) external {
        uint96 units = uint96(seed % 40);
        if (kind == 0) {
            _add(IEncumbrances.Encumbrance(address(token), units, _account(seed), START + 9, 1, address(0), 0));
        } else if (kind == 1) {
            _add(IEncumbrances.Encumbrance(address(token), units, _account(seed), 0, 2, dan, "loan"));
        } else if (kind == 2) {
            _add(IEncumbrances.Encumbrance(address(token), units, _account(seed), 0, 3, dan, "deed"));
        } else if (kind == 3) {
            _add(IEncumbrances.Encumbrance(address(token), units, _account(seed), START + 9, 4, address(0), "why"));
        } else if (kind == 4) {
            _add(IEncumbrances.Encumbrance(address(token), units, _account(seed), 0, 5, address(0), DOCUMENT));
        } else if (kind == 5) {
            _end(seed % records.length);
        } else if (kind == 6) {
            _carry(seed % records.length, seed);
        } else if (kind == 7) {
            token.forcedTransfer(_account(seed), _account(seed >> 8), units);
        } else {
            token.recoveryAddress(alice, spare, identityOf(alice));
        }
    }

    function _account(uint256 seed) private view returns (address) {
        return seed % 3 == 0 ? alice : seed % 3 == 1 ? bob : spare;
    }

    function _add(IEncumbrances.Encumbrance memory record) private {
        bytes32 id = bytes32(records.length + 1);
        if (record.kind == 1) encumbrances.lock(id, address(token), record.account, 1, record.units, record.until);
        else if (record.kind == 5) encumbrances.decree(id, record, BASIS);
        else set(id, record);
        records.push(record);
        ended.push(false);
    }

    function _end(uint256 at) private {
        IEncumbrances.Encumbrance memory record = records[at];
        bytes32 id = bytes32(at + 1);
        if (record.kind == 1) vm.warp(START + 9);
        if (record.kind == 1) encumbrances.release(id, record);
        else if (record.kind == 5) encumbrances.lift(id, record, BASIS, DOCUMENT);
        else if (record.kind == 2 && at % 2 == 0) encumbrances.enforce(id, record, BASIS, DOCUMENT);
        else free(id, record);
        ended[at] = true;
    }

    function _carry(uint256 at, uint256 seed) private {
        address to = _account(seed >> 16);
        move(bytes32(at + 1), records[at], to, bytes32(seed), BROKER_A_KEY);
        records[at].account = to;
    }

    function _check() private view {
        address[3] memory accounts = [alice, bob, spare];
        for (uint256 i = 0; i < 3; i++) {
            uint96[6] memory sums;
            uint256 total;
            for (uint256 j = 0; j < records.length; j++) {
                if (ended[j] || encumbrances.holderOf(address(token), records[j].account) != accounts[i]) continue;
                sums[records[j].kind] += records[j].units;
                total += records[j].units;
            }
            (uint96 lockup, uint96 pledged, uint96 restricted) = encumbrances.sums(address(token), accounts[i]);
            assertEq(lockup, sums[1], "lockup");
            assertEq(pledged, sums[2], "pledged");
            assertEq(restricted, sums[3] + sums[4] + sums[5], "restricted");
            (uint256 balance,, uint256 encumbered,) = token.accountOf(accounts[i]);
            assertEq(encumbered, total, "encumbered");
            assertLe(encumbered, balance, "more is encumbered than is there");
        }
    }
}
