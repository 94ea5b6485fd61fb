// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {ICompliance} from "../../../contracts/interfaces/ICompliance.sol";
import {IModularCompliance} from "../../../contracts/interfaces/IModularCompliance.sol";
import {IRegisteredQuantity} from "../../../contracts/interfaces/IRegisteredQuantity.sol";
import {Refusals} from "../../../contracts/interfaces/Refusals.sol";
import {ISecurityToken, Wiring} from "../../../contracts/interfaces/ISecurityToken.sol";
import {IToken} from "../Interfaces.sol";
import {Answering} from "../mocks/Answering.sol";
import {Witness, WordsRegistry} from "../mocks/Counterparts.sol";
import {Test} from "../Test.sol";

/// @notice What a token asks of its registry and its compliance contract and tells them, word for word; wherever the
/// registry lies, since its address shares a word with what the token notes of itself.
contract CounterpartsTest is Test, Refusals {
    uint40 private constant _NOW = 1_800_000_000;
    uint256 private constant _GOOD = uint256(_NOW) << 32 | 3;

    address private immutable _SETTLEMENT = address(0x5E77);
    address private immutable _INSTRUCTIONS = address(0x1257);
    address private _alice = address(0xA1);
    address private _bob = address(0xB2);
    address private _carol = address(0xC3);
    /// @dev Another account of the first one's identity.
    address private _spare = address(0x5A);

    IRegisteredQuantity private _quantity;
    Answering private _encumbrances;
    address private _code;
    WordsRegistry[2] private _registries;
    WordsRegistry private _registry;
    Witness private _witness;
    IToken private _token;

    function setUp() public {
        vm.warp(_NOW);
        _quantity = IRegisteredQuantity(
            deploy(
                "ERC1967Proxy",
                abi.encode(
                    deploy("RegisteredQuantity"), abi.encodeCall(IRegisteredQuantity.initialize, (address(this)))
                )
            )
        );
        _encumbrances = new Answering(Answering.Manner.ANSWER, abi.encode(0, 0, 0));
        _code = deploy("SecurityToken", abi.encode(deploy("SecurityTokenExtension")));
        // Of its address no bit is set but the highest, or every one.
        _registries = [WordsRegistry(address(1 << 159)), WordsRegistry(address(type(uint160).max))];
        bytes memory code = address(new WordsRegistry()).code;
        for (uint256 i = 0; i < 2; i++) {
            vm.etch(address(_registries[i]), code);
            _registries[i].set(_alice, _wordOf(_alice));
            _registries[i].set(_spare, _wordOf(_alice));
            _registries[i].set(_bob, _wordOf(_bob));
            _registries[i].set(_carol, _wordOf(_carol));
        }
    }

    function _wordOf(address account) private pure returns (uint256) {
        return uint256(uint160(account)) << 97 | _GOOD;
    }

    function _identityOf(address account) private pure returns (address) {
        return address(uint160(account) << 1);
    }

    /// @dev A token with odd balances: 101 units of the first, 51 of the second.
    function _issue(uint256 place, Witness.Kind kind) private {
        _issueFor(place, kind, _SETTLEMENT);
    }

    function _issueFor(uint256 place, Witness.Kind kind, address settlement) private {
        _witness = new Witness(kind);
        _registry = _registries[place];
        Wiring memory wiring = Wiring({
            owner: address(this),
            agent: address(this),
            registry: address(_registry),
            compliance: address(_witness),
            quantity: address(_quantity),
            encumbrances: address(_encumbrances),
            settlement: settlement,
            legal: address(0),
            conversions: address(0),
            instructions: _INSTRUCTIONS
        });
        _token = IToken(
            deploy(
                "ERC1967Proxy",
                abi.encode(_code, abi.encodeCall(ISecurityToken.initialize, ("Busan", "BPL1", "ZZ0000000BP1", wiring)))
            )
        );
        _quantity.register(address(_token), 1000);
        _token.mint(_alice, 101);
        _token.mint(_bob, 51);
        _token.unpause();
        _witness.heard();
    }

    function _hears(bytes memory call) private {
        bytes[] memory calls = _witness.heard();
        assertEq(calls.length, 1, "calls");
        assertEq(calls[0], call, "call");
    }

    function _move(address from, address to, uint256 units, uint256 supply, uint8 channel)
        private
        view
        returns (bytes memory)
    {
        (uint256 fromWord, uint256 toWord) = _registry.pair(from, to);
        return abi.encodeCall(IModularCompliance.move, (from, to, units, fromWord, toWord, supply, channel));
    }

    function _recorded(address from, address to, uint256 units) private view returns (bytes memory) {
        (uint256 fromWord, uint256 toWord) = _registry.pair(from, to);
        return abi.encodeCall(IModularCompliance.recordMove, (from, to, units, fromWord, toWord));
    }

    function _two(address first, address second) private pure returns (address[] memory list) {
        list = new address[](2);
        (list[0], list[1]) = (first, second);
    }

    function _two(uint256 first, uint256 second) private pure returns (uint256[] memory list) {
        list = new uint256[](2);
        (list[0], list[1]) = (first, second);
    }

    function test_what_moves_units_is_judged_once_with_words_supply_and_channel() public {
        for (uint256 place = 0; place < 2; place++) {
            _issue(place, Witness.Kind.ENGAGED);
            vm.prank(_alice);
            _token.transfer(_bob, 1);
            _hears(_move(_alice, _bob, 1, 152, 0));
            vm.prank(_alice);
            _token.approve(_carol, 2);
            vm.prank(_carol);
            _token.transferFrom(_alice, _bob, 2);
            _hears(_move(_alice, _bob, 2, 152, 0));
            vm.prank(_SETTLEMENT);
            _token.settle(_alice, _bob, 3);
            _hears(_move(_alice, _bob, 3, 152, 1));
            vm.prank(_INSTRUCTIONS);
            _token.instruct(_alice, _bob, 4);
            _hears(_move(_alice, _bob, 4, 152, 2));
            _token.mint(_bob, 5);
            _hears(_move(address(0), _bob, 5, 152, 3));
            assertEq(_registry.lastFrom(), address(0));
            assertEq(_registry.lastTo(), _bob);
            assertEq(_token.balanceOf(_alice), 91);
            assertEq(_token.balanceOf(_bob), 66);
        }
    }

    function test_what_no_rule_judges_is_recorded_with_both_words() public {
        for (uint256 place = 0; place < 2; place++) {
            _issue(place, Witness.Kind.ENGAGED);
            assertTrue(_token.forcedTransfer(_alice, _bob, 1));
            _hears(_recorded(_alice, _bob, 1));
            _token.burn(_bob, 2);
            _hears(_recorded(_bob, address(0), 2));
            assertTrue(_token.recoveryAddress(_alice, _spare, _identityOf(_alice)));
            _hears(_recorded(_alice, _spare, 100));
            _token.pause();
            _token.rescale(_bob, 57, 0, 0);
            _hears(_recorded(address(0), _bob, 7));
            _token.rescale(_bob, 49, 0, 0);
            _hears(_recorded(_bob, address(0), 8));
        }
    }

    function test_a_batch_is_judged_in_one_call_where_that_is_possible() public {
        address[] memory to = _two(_bob, _carol);
        uint256[] memory units = _two(1, 2);
        for (uint256 place = 0; place < 2; place++) {
            _issue(place, Witness.Kind.ENGAGED);
            vm.prank(_alice);
            _token.batchTransfer(to, units);
            bytes[] memory calls = _witness.heard();
            assertEq(calls.length, 2, "one by one");
            assertEq(calls[0], _move(_alice, _bob, 1, 152, 0));
            assertEq(calls[1], _move(_alice, _carol, 2, 152, 0));
            _witness.set(Witness.Manner.ALLOWS, "", true);
            vm.prank(_alice);
            _token.batchTransfer(to, units);
            (uint256 fromWord, uint256[] memory words) = _registry.wordsFrom(_alice, to);
            _hears(abi.encodeCall(IModularCompliance.moveMany, (_alice, to, units, fromWord, words, 152, 0)));
            vm.prank(_alice);
            _token.batchTransfer(new address[](0), new uint256[](0));
            assertEq(_witness.heard().length, 0, "an empty batch asks nobody");
        }
    }

    function test_the_rules_come_before_what_stops_a_later_transfer_of_a_batch() public {
        _issue(0, Witness.Kind.ENGAGED);
        _witness.set(Witness.Manner.REFUSES, "the rules say no", true);
        vm.prank(_alice);
        vm.expectRevert(bytes("the rules say no"));
        _token.batchTransfer(_two(_bob, address(0xE5)), _two(1, 1));
        vm.prank(_alice);
        vm.expectRevert(abi.encodeWithSelector(InvestorNotVerified.selector, address(0xE5)));
        _token.batchTransfer(_two(address(0xE5), _bob), _two(1, 1));
        _witness.set(Witness.Manner.ALLOWS, "", true);
        vm.prank(_alice);
        vm.expectRevert(abi.encodeWithSelector(InvestorNotVerified.selector, address(0xE5)));
        _token.batchTransfer(_two(_bob, address(0xE5)), _two(1, 1));
    }

    function test_what_compliance_does_while_it_judges_is_not_undone() public {
        _issue(0, Witness.Kind.ENGAGED);
        _token.addAgent(address(_witness));
        _witness.prepare(address(_token), abi.encodeCall(_token.burn, (_alice, 10)));
        vm.prank(_alice);
        _token.transfer(_bob, 5);
        assertEq(_token.balanceOf(_alice), 86);
        assertEq(_token.balanceOf(_bob), 56);
        assertEq(_token.totalSupply(), 142);
    }

    function test_the_verdict_asks_what_the_spenders_own_function_would_ask() public {
        address[5] memory spenders = [_alice, address(0), _carol, _SETTLEMENT, _INSTRUCTIONS];
        uint8[5] memory channels = [0, 0, 0, 1, 2];
        for (uint256 place = 0; place < 2; place++) {
            _issue(place, Witness.Kind.ENGAGED);
            _witness.set(Witness.Manner.ECHOES, "", false);
            (uint256 fromWord, uint256 toWord) = _registry.pair(_alice, _bob);
            for (uint256 i = 0; i < 5; i++) {
                bytes memory question =
                    abi.encodeCall(IModularCompliance.check, (_alice, _bob, 9, fromWord, toWord, 152, channels[i]));
                assertEq(_token.verdict(_alice, _bob, 9, spenders[i]), question);
            }
        }
        _issueFor(0, Witness.Kind.ENGAGED, address(0));
        _witness.set(Witness.Manner.ECHOES, "", false);
        bytes memory plain =
            abi.encodeCall(IModularCompliance.check, (_alice, _bob, 9, _wordOf(_alice), _wordOf(_bob), 152, 0));
        assertEq(_token.verdict(_alice, _bob, 9, address(0)), plain, "nobody is no settlement contract");
    }

    function test_the_verdict_asks_for_an_allowance_of_whoever_has_no_function_of_its_own() public {
        _issue(0, Witness.Kind.ENGAGED);
        bytes memory refusal =
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, _carol, uint256(8), uint256(9));
        vm.prank(_alice);
        _token.approve(_carol, 8);
        assertEq(_token.verdict(_alice, _bob, 9, _carol), refusal);
        address[4] memory free = [_alice, address(0), _SETTLEMENT, _INSTRUCTIONS];
        for (uint256 i = 0; i < 4; i++) {
            assertEq(_token.verdict(_alice, _bob, 9, free[i]), "");
        }
    }

    function test_a_compliance_contract_without_rules_is_asked_and_told_nothing() public {
        for (uint256 place = 0; place < 2; place++) {
            _issue(place, Witness.Kind.IDLE);
            // Whatever it were asked or told, it would refuse.
            _witness.set(Witness.Manner.ECHOES, "", true);
            assertEq(_token.verdict(_alice, _bob, 1, _alice), "");
            vm.startPrank(_alice);
            _token.transfer(_bob, 1);
            _token.batchTransfer(_two(_bob, _carol), _two(1, 1));
            vm.stopPrank();
            _token.mint(_bob, 1);
            _token.forcedTransfer(_alice, _bob, 1);
            _token.burn(_bob, 1);
            _token.recoveryAddress(_alice, _spare, _identityOf(_alice));
            _token.pause();
            _token.rescale(_bob, 60, 0, 0);
            _token.rescale(_bob, 50, 0, 0);
            assertEq(_token.balanceOf(_spare), 97);
            assertEq(_token.totalSupply(), 148);
        }
    }

    function test_a_contract_of_another_make_is_asked_and_told_as_the_standard_says() public {
        for (uint256 place = 0; place < 2; place++) {
            _issue(place, Witness.Kind.FOREIGN);
            _witness.set(Witness.Manner.ALLOWS, "", true);
            vm.prank(_alice);
            _token.transfer(_bob, 1);
            _hears(abi.encodeCall(ICompliance.transferred, (_alice, _bob, 1)));
            _token.mint(_bob, 2);
            _hears(abi.encodeCall(ICompliance.created, (_bob, 2)));
            _token.burn(_bob, 3);
            _hears(abi.encodeCall(ICompliance.destroyed, (_bob, 3)));
            _token.forcedTransfer(_alice, _bob, 4);
            _hears(abi.encodeCall(ICompliance.transferred, (_alice, _bob, 4)));
            vm.prank(_alice);
            _token.batchTransfer(_two(_bob, _carol), _two(1, 2));
            bytes[] memory calls = _witness.heard();
            assertEq(calls.length, 2, "one by one");
            assertEq(calls[1], abi.encodeCall(ICompliance.transferred, (_alice, _carol, 2)));
            _token.recoveryAddress(_alice, _spare, _identityOf(_alice));
            _hears(abi.encodeCall(ICompliance.transferred, (_alice, _spare, 93)));
            _token.pause();
            _token.rescale(_bob, 60, 0, 0);
            _hears(abi.encodeCall(ICompliance.created, (_bob, 4)));
            _token.rescale(_bob, 50, 0, 0);
            _hears(abi.encodeCall(ICompliance.destroyed, (_bob, 10)));
        }
    }

    function test_what_a_contract_of_another_make_refuses_is_the_refusal() public {
        for (uint256 place = 0; place < 2; place++) {
            _issue(place, Witness.Kind.FOREIGN);
            _witness.set(Witness.Manner.ECHOES, "", true);
            bytes memory question = abi.encodeCall(ICompliance.canTransfer, (_alice, _bob, 9));
            assertEq(_token.verdict(_alice, _bob, 9, _alice), question);
            vm.prank(_alice);
            vm.expectRevert(question);
            _token.transfer(_bob, 9);
            vm.expectRevert(abi.encodeCall(ICompliance.canTransfer, (address(0), _bob, 9)));
            _token.mint(_bob, 9);
        }
    }

    function test_a_contract_of_another_make_allows_by_a_whole_word_of_one_alone() public {
        _issue(0, Witness.Kind.FOREIGN);
        bytes memory refused = abi.encodeWithSelector(
            ISecurityToken.SecurityTokenComplianceRefused.selector, address(_witness), _alice, _bob, uint256(9)
        );
        bytes[5] memory answers = [bytes(""), hex"01", abi.encode(0), abi.encode(2), abi.encode(1 << 255)];
        for (uint256 i = 0; i < 5; i++) {
            _witness.set(Witness.Manner.ANSWERS, answers[i], false);
            assertEq(_token.verdict(_alice, _bob, 9, _alice), refused);
        }
        _witness.set(Witness.Manner.ANSWERS, abi.encodePacked(uint256(1), "and more"), false);
        assertEq(_token.verdict(_alice, _bob, 9, _alice), "");
        _witness.set(Witness.Manner.REFUSES, "", false);
        assertEq(_token.verdict(_alice, _bob, 9, _alice), refused, "a refusal without a word");
        bytes[3] memory refusals = [bytes(hex"01"), abi.encode(1), "a longer one, which is no whole number of words"];
        for (uint256 i = 0; i < 3; i++) {
            _witness.set(Witness.Manner.REFUSES, refusals[i], false);
            assertEq(_token.verdict(_alice, _bob, 9, _alice), refusals[i]);
        }
    }

    function test_every_refusal_has_its_number_and_its_text() public {
        _issue(0, Witness.Kind.FOREIGN);
        (bytes4[18] memory selectors, string[18] memory texts) = _codes();
        for (uint256 i = 0; i < 18; i++) {
            _witness.set(Witness.Manner.REFUSES, abi.encodeWithSelector(selectors[i], _alice), false);
            assertEq(_token.detectTransferRestriction(_alice, _bob, 1), i + 1);
            _witness.set(Witness.Manner.REFUSES, abi.encodePacked(selectors[i]), false);
            assertEq(_token.detectTransferRestriction(_alice, _bob, 1), i + 1);
            assertEq(_token.messageForTransferRestriction(uint8(i + 1)), texts[i]);
        }
        bytes[3] memory others = [
            bytes(hex"ff"),
            abi.encodePacked(bytes3(TokenPaused.selector)),
            abi.encodePacked(OffVenueSaleBarred.selector)
        ];
        for (uint256 i = 0; i < 3; i++) {
            _witness.set(Witness.Manner.REFUSES, others[i], false);
            assertEq(_token.detectTransferRestriction(_alice, _bob, 1), 255);
        }
        uint8[3] memory codes = [19, 20, 255];
        for (uint256 i = 0; i < 3; i++) {
            assertEq(_token.messageForTransferRestriction(codes[i]), "OTHER");
        }
    }

    function _codes() private pure returns (bytes4[18] memory selectors, string[18] memory texts) {
        selectors = [
            TokenPaused.selector,
            AccountLegalHold.selector,
            SenderNotVerified.selector,
            InvestorNotVerified.selector,
            InvestorClaimExpired.selector,
            LotInvalid.selector,
            JurisdictionBarred.selector,
            InvestorClassNotEligible.selector,
            HoldingLimit.selector,
            HolderCountLimit.selector,
            InsufficientSecurities.selector,
            LockupActive.selector,
            SecuritiesPledged.selector,
            SecuritiesRestricted.selector,
            SecuritiesFrozen.selector,
            InstrumentTerminated.selector,
            EmergencySuspension.selector,
            InstitutionTransferRestricted.selector
        ];
        texts = [
            "TOKEN_PAUSED",
            "ACCOUNT_LEGAL_HOLD",
            "SENDER_NOT_VERIFIED",
            "INVESTOR_NOT_VERIFIED",
            "INVESTOR_CLAIM_EXPIRED",
            "LOT_INVALID",
            "JURISDICTION_BARRED",
            "INVESTOR_CLASS_NOT_ELIGIBLE",
            "HOLDING_LIMIT",
            "HOLDER_COUNT_LIMIT",
            "INSUFFICIENT_SECURITIES",
            "LOCKUP_ACTIVE",
            "SECURITIES_PLEDGED",
            "SECURITIES_RESTRICTED",
            "SECURITIES_FROZEN",
            "INSTRUMENT_TERMINATED",
            "EMERGENCY_SUSPENSION",
            "INSTITUTION_TRANSFER_RESTRICTED"
        ];
    }

    /// @dev The registry restricts everybody: only the word says whether it is asked.
    function test_every_bit_of_both_words_means_what_it_says() public {
        for (uint256 place = 0; place < 2; place++) {
            _issue(place, Witness.Kind.IDLE);
            for (uint256 bits = 0; bits < 256; bits++) {
                _judges(_NOW, bits, 3);
                _judges(_NOW, 3, bits);
                _judges(_NOW, bits, bits);
            }
            _judges(_NOW, 16 | 3, 32 | 3);
            _judges(_NOW, 64 | 3, 16 | 3);
            _judges(_NOW - 1, 3, 3);
            _judges(_NOW + 1, 3, 3);
        }
    }

    function test_a_manager_restricted_for_other_issues_restricts_nobody_here() public {
        _issue(0, Witness.Kind.IDLE);
        _registry.spare(_alice);
        _registry.set(_alice, _GOOD | 16);
        assertEq(_token.verdict(_alice, _bob, 1, _alice), "");
        _registry.set(_bob, _GOOD | 16);
        assertEq(_token.verdict(_alice, _bob, 1, _alice), _restricted(_bob));
    }

    function _judges(uint40 until, uint256 fromBits, uint256 toBits) private {
        _registry.set(_alice, uint256(until) << 32 | fromBits);
        _registry.set(_bob, uint256(until) << 32 | toBits);
        assertEq(_token.verdict(_alice, _bob, 1, _alice), _model(until, fromBits, toBits));
        _ends(abi.encodeCall(_token.mint, (_bob, 0)), _model(until, 1, toBits));
        bytes memory refusal = toBits & 2 == 0
            ? abi.encodeWithSelector(InvestorNotVerified.selector, _bob)
            : until < _NOW ? abi.encodeWithSelector(InvestorClaimExpired.selector, _bob, until) : bytes("");
        _ends(abi.encodeCall(_token.forcedTransfer, (_alice, _bob, 0)), refusal);
    }

    function _ends(bytes memory call, bytes memory refusal) private {
        (bool done, bytes memory answer) = address(_token).call(call);
        assertEq(done, refusal.length == 0);
        if (!done) assertEq(answer, refusal);
    }

    function _model(uint40 until, uint256 fromBits, uint256 toBits) private view returns (bytes memory) {
        if ((fromBits | toBits) & 32 != 0) return abi.encodeWithSelector(EmergencySuspension.selector);
        if (fromBits & 16 != 0) return _restricted(_alice);
        if (toBits & 16 != 0) return _restricted(_bob);
        if (fromBits & 64 != 0) return abi.encodeWithSelector(AccountLegalHold.selector, _alice);
        if (toBits & 128 != 0) return abi.encodeWithSelector(AccountLegalHold.selector, _bob);
        if (fromBits & 1 == 0 || fromBits & 4 != 0) return abi.encodeWithSelector(SenderNotVerified.selector, _alice);
        if (toBits & 2 == 0) return abi.encodeWithSelector(InvestorNotVerified.selector, _bob);
        if (until < _NOW) return abi.encodeWithSelector(InvestorClaimExpired.selector, _bob, until);
        return "";
    }

    function _restricted(address account) private view returns (bytes memory) {
        return abi.encodeWithSelector(InstitutionTransferRestricted.selector, _registry.MANAGER() ^ bytes20(account));
    }

    function test_what_is_encumbered_is_named_by_the_first_kind_that_falls_short() public {
        _issue(0, Witness.Kind.IDLE);
        vm.prank(address(_encumbrances));
        _token.lock(_alice, 60);
        _token.freezePartialTokens(_alice, 10);
        _encumbrances.set(Answering.Manner.ANSWER, abi.encode(10, 20, 30));
        _short(92, LockupActive.selector, 91);
        _short(91, SecuritiesPledged.selector, 71);
        _short(72, SecuritiesPledged.selector, 71);
        _short(71, SecuritiesRestricted.selector, 41);
        _short(42, SecuritiesRestricted.selector, 41);
        _short(41, SecuritiesFrozen.selector, 31);
        _short(32, SecuritiesFrozen.selector, 31);
        vm.prank(_alice);
        _token.transfer(_bob, 31);
    }

    function _short(uint256 units, bytes4 refusal, uint256 free) private {
        bytes memory expected = abi.encodeWithSelector(refusal, _alice, free, units);
        assertEq(_token.verdict(_alice, _bob, units, _alice), expected);
        vm.prank(_alice);
        vm.expectRevert(expected);
        _token.transfer(_bob, units);
        vm.prank(address(_encumbrances));
        vm.expectRevert(expected);
        _token.lock(_alice, uint96(units));
    }

    function test_a_token_pauses_freezes_and_ends_wherever_its_registry_lies() public {
        for (uint256 place = 0; place < 2; place++) {
            _issue(place, Witness.Kind.IDLE);
            assertFalse(_token.paused());
            assertFalse(_token.terminated());
            vm.expectRevert(abi.encodeWithSelector(ISecurityToken.SecurityTokenNotPaused.selector));
            _token.rescale(_alice, 1, 0, 0);
            _token.pause();
            assertTrue(_token.paused());
            assertEq(_token.verdict(_alice, _bob, 1, _alice), abi.encodeWithSelector(TokenPaused.selector));
            _token.unpause();
            for (uint256 i = 0; i < 2; i++) {
                assertFalse(_token.isFrozen(_alice));
                (,,, bool frozen) = _token.accountOf(_alice);
                assertFalse(frozen);
                _token.setAddressFrozen(_alice, true);
                (,,, frozen) = _token.accountOf(_alice);
                assertTrue(frozen && _token.isFrozen(_alice));
                _token.setAddressFrozen(_alice, false);
                assertEq(_token.balanceOf(_alice), 101);
            }
            _token.burn(_alice, 101);
            _token.burn(_bob, 51);
            _token.terminate("file");
            assertTrue(_token.terminated());
            assertFalse(_token.paused());
            assertEq(_token.identityRegistry(), address(_registry));
            bytes memory refusal = abi.encodeWithSelector(InstrumentTerminated.selector);
            assertEq(_token.verdict(_alice, _bob, 1, _alice), refusal);
            vm.prank(_alice);
            vm.expectRevert(refusal);
            _token.transfer(_bob, 0);
        }
    }

    function test_what_compliance_is_asked_follows_the_contract_that_is_set() public {
        _issue(0, Witness.Kind.ENGAGED);
        Witness.Kind[3] memory kinds = [Witness.Kind.FOREIGN, Witness.Kind.IDLE, Witness.Kind.ENGAGED];
        bytes[3] memory refusals = [
            abi.encodeCall(ICompliance.canTransfer, (_alice, _bob, 9)),
            bytes(""),
            abi.encodeCall(IModularCompliance.check, (_alice, _bob, 9, _wordOf(_alice), _wordOf(_bob), 152, 0))
        ];
        for (uint256 i = 0; i < 3; i++) {
            Witness next = new Witness(kinds[i]);
            next.set(Witness.Manner.ECHOES, "", false);
            _token.setCompliance(address(next));
            assertEq(_token.verdict(_alice, _bob, 9, _alice), refusals[i]);
        }
    }
}
