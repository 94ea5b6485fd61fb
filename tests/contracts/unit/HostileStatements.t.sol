// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Attested} from "../../../contracts/interfaces/IAttestedIdentityRegistry.sol";
import {Act} from "../../../contracts/interfaces/IAuthority.sol";
import {CashAccount, CashEntry, CashMove} from "../../../contracts/interfaces/IDepositToken.sol";
import {IERC3643} from "../../../contracts/interfaces/IERC3643.sol";
import {Instruction} from "../../../contracts/interfaces/IInstructions.sol";
import {Key} from "../../../contracts/interfaces/IMemberRegistry.sol";
import {Batches} from "./Batches.sol";

/// @title HostileStatementsTest
/// @notice What anybody may carry must not serve in another shape, on another chain, at another contract, too late or
/// twice: every kind of signed statement with one signature under attack. Orders have tests of their own.
contract HostileStatementsTest is Batches {
    /// @dev A statement: where it counts, under which name, what its signature covers, and who signs.
    struct Statement {
        string name;
        address at;
        bytes32 hash;
        uint256 key;
    }

    uint256 private constant _KINDS = 8;
    uint256 private constant _TIMELESS = 7;
    uint40 private constant _DEADLINE = START + 10;
    uint256 private constant _CURVE = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    function setUp() public override {
        super.setUp();
        openCash(address(0xCA98), BROKER_2, 1);
    }

    function test_no_other_shape_of_a_signature_counts() public {
        for (uint256 kind = 0; kind < _KINDS; kind++) {
            Statement memory statement = _statement(kind);
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(statement.key, _digest(statement, statement.at, block.chainid));
            bytes[9] memory shapes = [
                abi.encodePacked(r, bytes32(_CURVE - uint256(s)), v ^ 7),
                abi.encodePacked(r, bytes32(_CURVE - uint256(s)), v),
                abi.encodePacked(r, s, v - 27),
                abi.encodePacked(r, bytes32(uint256(s) | (uint256(v - 27) << 255))),
                abi.encodePacked(r, s, v, uint8(0)),
                abi.encodePacked(r, s),
                bytes(""),
                new bytes(65),
                abi.encodePacked(r, s, uint8(29))
            ];
            for (uint256 i = 0; i < shapes.length; i++) {
                _refuses(kind, shapes[i]);
            }
            _accepts(kind, abi.encodePacked(r, s, v));
        }
    }

    function test_no_statement_for_another_chain_or_contract_counts() public {
        for (uint256 kind = 0; kind < _KINDS; kind++) {
            Statement memory statement = _statement(kind);
            _refuses(kind, signatureOf(statement.key, _digest(statement, statement.at, block.chainid + 1)));
            _refuses(kind, signatureOf(statement.key, _digest(statement, address(0xD4), block.chainid)));
            bytes memory here = signatureOf(statement.key, _digest(statement, statement.at, block.chainid));
            uint256 chain = block.chainid;
            vm.chainId(chain + 1);
            _refuses(kind, here);
            vm.chainId(chain);
            _accepts(kind, here);
        }
    }

    function test_the_second_of_the_deadline_is_in_time_and_the_next_is_not() public {
        for (uint256 kind = 0; kind < _TIMELESS; kind++) {
            Statement memory statement = _statement(kind);
            bytes memory signature = signatureOf(statement.key, _digest(statement, statement.at, block.chainid));
            vm.warp(_DEADLINE + 1);
            _refuses(kind, signature);
            vm.warp(_DEADLINE);
            _accepts(kind, signature);
        }
    }

    function test_no_statement_counts_twice() public {
        for (uint256 kind = 0; kind < _KINDS; kind++) {
            Statement memory statement = _statement(kind);
            bytes memory signature = signatureOf(statement.key, _digest(statement, statement.at, block.chainid));
            _accepts(kind, signature);
            _refuses(kind, signature);
        }
    }

    function _refuses(uint256 kind, bytes memory signature) private {
        (bool success,) = _carry(kind, signature);
        assertFalse(success, vm.toString(kind));
    }

    function _accepts(uint256 kind, bytes memory signature) private {
        (bool success,) = _carry(kind, signature);
        assertTrue(success, vm.toString(kind));
    }

    function _digest(Statement memory statement, address at, uint256 chainId) private pure returns (bytes32) {
        return typedAt(statement.name, at, chainId, statement.hash);
    }

    function _statement(uint256 kind) private view returns (Statement memory) {
        uint256 broker = SIGNER + BROKER_1_NO;
        if (kind == 0) return Statement("stoken DepositToken", address(cash), _entryHash(), SIGNER + CASH_AGENT_NO);
        if (kind == 1) return Statement("stoken DepositToken", address(cash), _openingHash(), SIGNER + CASH_AGENT_NO);
        if (kind == 2) return Statement("stoken DepositToken", address(cash), _moveHash(), SIGNER + BROKER_2_NO);
        if (kind == 3) return Statement("stoken Instructions", address(instructions), _instructionHash(), broker);
        if (kind == 4) return Statement("stoken IdentityRegistry", address(registry), _attestHash(), CLAIM_ISSUER_KEY);
        if (kind == 5) return Statement("stoken Authority", address(authority), _actHash(), SIGNER + REGISTRAR_NO);
        if (kind == 6) return Statement("stoken MemberRegistry", address(members), _keysHash(), PERSON + BROKER_1_NO);
        return Statement("stoken DvpSettlement", address(settlement), _cancelHash(), broker);
    }

    function _carry(uint256 kind, bytes memory signature) private returns (bool, bytes memory) {
        if (kind == 0) return _call(address(cash), abi.encodeCall(cash.credit, (_entry(), signature)));
        if (kind == 1) return _call(address(cash), abi.encodeCall(cash.openAccount, (_opening(), signature)));
        if (kind == 2) return _call(address(cash), abi.encodeCall(cash.move, (_move(), signature)));
        if (kind == 3) {
            bytes32 digest = typed("stoken Instructions", address(instructions), _instructionHash());
            bytes[2] memory both = [signature, signatureOf(SIGNER + BROKER_2_NO, digest)];
            return _call(address(instructions), abi.encodeCall(instructions.instruct, (_instruction(), both)));
        }
        if (kind == 4) {
            return _call(
                address(registry),
                abi.encodeCall(registry.attest, (claimIssuer, _attested(), 900, _DEADLINE, signature))
            );
        }
        if (kind == 5) {
            bytes[] memory list = approvals(_act(), REGISTRAR_NO, VENUE_NO);
            list[0] = signature;
            return _call(address(authority), abi.encodeCall(authority.execute, (_act(), list)));
        }
        if (kind == 6) {
            bytes32 digest = typed("stoken MemberRegistry", address(members), _keysHash());
            bytes[2] memory both = [signature, signatureOf(PERSON + 0x800 + BROKER_1_NO, digest)];
            return _call(
                address(members),
                abi.encodeCall(members.setKeys, (BROKER_1, new Key[](0), _retired(), none(), 900, _DEADLINE, both))
            );
        }
        return _call(address(settlement), abi.encodeCall(settlement.cancelOrder, (BROKER_1, 900, signature)));
    }

    function _call(address target, bytes memory data) private returns (bool, bytes memory) {
        return target.call(data);
    }

    function _entry() private view returns (CashEntry memory) {
        return CashEntry(cash1, 1, "entry", _DEADLINE);
    }

    function _entryHash() private view returns (bytes32) {
        bytes32 kind = keccak256("CashCredit(address account,uint96 amount,bytes32 ref,uint40 deadline)");
        return keccak256(abi.encode(kind, _entry()));
    }

    function _opening() private pure returns (CashAccount memory) {
        return CashAccount(address(0xCA99), BROKER_2, 1, 900, _DEADLINE);
    }

    function _openingHash() private pure returns (bytes32) {
        bytes32 kind = keccak256("CashAccount(address account,bytes20 member,uint8 kind,uint256 nonce,uint40 deadline)");
        return keccak256(abi.encode(kind, _opening()));
    }

    function _move() private view returns (CashMove memory) {
        return CashMove(BROKER_2, cash2, address(0xCA98), 5, 901, _DEADLINE);
    }

    function _moveHash() private view returns (bytes32) {
        bytes32 kind =
            keccak256("CashMove(bytes20 member,address from,address to,uint96 amount,uint256 nonce,uint40 deadline)");
        return keccak256(abi.encode(kind, _move()));
    }

    function _instruction() private view returns (Instruction memory) {
        return Instruction(seller, buyer, address(token), 1, "GIFT", keccak256("deed"), 900, _DEADLINE);
    }

    function _instructionHash() private view returns (bytes32) {
        bytes32 kind = keccak256(
            "Instruction(address from,address to,address token,uint96 units,bytes32 reason,bytes32 document,uint256 nonce,uint40 deadline)"
        );
        return keccak256(abi.encode(kind, _instruction()));
    }

    function _attested() private view returns (Attested[] memory items) {
        items = new Attested[](1);
        items[0] = Attested(address(uint160(buyer) + 1), TOPIC_BITS, LATER);
    }

    function _attestHash() private view returns (bytes32) {
        string memory item = "Attested(address identity,uint64 topics,uint40 until)";
        bytes32 kind = keccak256(
            bytes.concat("Attest(address claimIssuer,Attested[] items,uint256 nonce,uint40 deadline)", bytes(item))
        );
        bytes32 items = keccak256(abi.encodePacked(keccak256(abi.encode(keccak256(bytes(item)), _attested()[0]))));
        return keccak256(abi.encode(kind, claimIssuer, items, uint256(900), _DEADLINE));
    }

    function _act() private view returns (Act memory) {
        bytes memory data = abi.encodeCall(IERC3643.pause, ());
        return Act(address(token), data, "CAPITAL_MARKETS_ACT", keccak256("document"), 900, _DEADLINE);
    }

    function _actHash() private view returns (bytes32) {
        Act memory act = _act();
        bytes32 kind =
            keccak256("Act(address target,bytes data,bytes32 basis,bytes32 document,uint256 salt,uint40 deadline)");
        return
            keccak256(
                abi.encode(kind, act.target, keccak256(act.data), act.basis, act.document, act.salt, act.deadline)
            );
    }

    function _retired() private pure returns (address[] memory) {
        return only(vm.addr(CARRIER + BROKER_1_NO));
    }

    function _keysHash() private pure returns (bytes32) {
        bytes32 kind = keccak256(
            "KeyChange(bytes20 member,Key[] add,address[] retire,address[] revoke,uint256 nonce,uint40 deadline)Key(address key,uint8 scopes,uint40 since,uint40 until)"
        );
        bytes32 empty = keccak256("");
        return keccak256(
            abi.encode(kind, BROKER_1, empty, keccak256(abi.encodePacked(_retired())), empty, uint256(900), _DEADLINE)
        );
    }

    function _cancelHash() private pure returns (bytes32) {
        return keccak256(abi.encode(keccak256("OrderCancel(bytes20 broker,uint64 nonce)"), BROKER_1, uint64(900)));
    }
}
