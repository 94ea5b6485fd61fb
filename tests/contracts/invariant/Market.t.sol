// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Test} from "../Test.sol";
import {IRegistry, IToken} from "../Interfaces.sol";
import {IEncumbrances} from "../../../contracts/interfaces/IEncumbrances.sol";
import {IModularCompliance} from "../../../contracts/interfaces/IModularCompliance.sol";
import {MarketHandler} from "./MarketHandler.sol";

/// @notice What holds of an issue whatever agents, holders, claim issuers and time do.
/// @dev One function checks all, after every call: each further invariant function would walk anew.
contract MarketInvariants is Test {
    MarketHandler private _market;
    IToken private _token;
    IModularCompliance private _compliance;
    IEncumbrances private _encumbrances;
    uint256 private _registered;
    uint24 private _epoch;
    uint32 private _version;

    function setUp() public {
        _market = new MarketHandler();
        _market.setUp();
        (_token, _compliance, _encumbrances) = (_market.theToken(), _market.theCompliance(), _market.theEncumbrances());
        targetContract(address(_market));
        targetSender(address(0xCA11));
    }

    function invariant_of_units() public {
        uint256 supply = _token.totalSupply();
        uint256 sum;
        for (uint256 i = 0; i < _market.accountCount(); i++) {
            sum += _account(_market.accounts(i));
        }
        assertEq(supply, sum, "1. the supply is the sum of the balances");
        assertEq(supply, _market.minted() - _market.burnt(), "2. only mint and burn change the supply");
        assertLe(supply, _market.registered(), "3. the supply stays within the registered quantity");
        assertGe(_market.registered(), _registered, "4. the registered quantity never falls");
        _registered = _market.registered();
        _identities(supply);
        assertEq(_market.lies(), 0, "10. the verdict is what the transfer does");
        assertEq(_market.strays(), 0, "11. only the verified receive");
        assertEq(_market.breaches(), 0, "12. nothing passes a rule in force, a freeze or an encumbrance");
        assertEq(_market.movesWhilePaused(), 0, "13. a pause stops every transfer");
        _lockups();
        _versions();
        _recordDates();
    }

    function _account(address account) private view returns (uint256) {
        (uint256 balance, uint256 frozen, uint256 encumbered,) = _token.accountOf(account);
        assertLe(frozen + encumbered, balance, "5. what is held back is there");
        (uint96 lockup, uint96 pledged, uint96 restricted) = _encumbrances.sums(address(_token), account);
        assertEq(encumbered, uint256(lockup) + pledged + restricted, "6. the token and the encumbrances agree");
        assertEq(balance, _token.balanceOf(account), "7. both views of a balance agree");
        return balance;
    }

    function _identities(uint256 supply) private view {
        uint256 positions;
        uint256 holders;
        for (uint256 i = 0; i < _market.identityCount(); i++) {
            address identity = _market.identities(i);
            uint256 position = _compliance.positionOf(identity);
            positions += position;
            if (position != 0) holders++;
            assertEq(position, _market.unitsOf(identity), "8. a position is the sum of its accounts");
        }
        assertEq(positions, supply, "9. the positions are the supply");
        assertEq(_compliance.holders(), holders, "14. holders are the identities with a position");
    }

    function _lockups() private view {
        uint256 open;
        for (uint256 i = 0; i < _market.lockupCount(); i++) {
            open += _market.lockedBy(_market.lockups(i));
        }
        uint256 held;
        for (uint256 i = 0; i < _market.accountCount(); i++) {
            (,, uint256 encumbered,) = _token.accountOf(_market.accounts(i));
            held += encumbered;
        }
        assertEq(open, held, "15. encumbered units are those of open records, through recoveries too");
    }

    function _recordDates() private view {
        for (uint24 id = 1; id <= _token.recordDates(); id++) {
            uint256 sum;
            for (uint256 i = 0; i < _market.accountCount(); i++) {
                address account = _market.accounts(i);
                uint256 held = _token.balanceOfAt(account, id);
                assertEq(held, _market.heldAt(id, account), "29. what was held at a record date never changes");
                sum += held;
            }
            assertEq(_token.totalSupplyAt(id), sum, "30. the supply at a record date is the sum of what was held");
            assertEq(_token.totalSupplyAt(id), _market.supplyAt(id), "31. and is what it was");
        }
    }

    function _versions() private {
        IRegistry registry = _market.theRegistry();
        assertGe(registry.epoch(), _epoch, "16. the epoch never falls");
        _epoch = registry.epoch();
        (uint32 version,) = _compliance.rules();
        assertGe(version, _version, "17. no rule set comes back into force");
        _version = version;
        for (uint256 i = 0; i < _market.accountCount(); i++) {
            address account = _market.accounts(i);
            assertEq(
                registry.isVerified(account), _market.attested(account), "18. verified is who is attested now, not once"
            );
            assertEq(registry.identity(account), _market.identities(i % 4), "19. nothing rebinds an account");
        }
    }
}
