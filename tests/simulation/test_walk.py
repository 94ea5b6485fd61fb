# SPDX-License-Identifier: Apache-2.0
"""A long random walk over the deployed contracts: each outcome is the model's, and so is the state after each block."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import pytest
from eth_hash.auto import keccak

from stoken.issuance.calldata import interface
from tests.deployed import GAS, Deployed, deployed
from tests.simulation.decision_operations import decided, prepared
from tests.simulation.drawing import Draw, Operation
from tests.simulation.ending import cleared, ended
from tests.simulation.market import World, refusal_of
from tests.simulation.operations import operation
from tests.simulation.terms import Block, Refusal

OPERATIONS: Final = 10_000
_A_BLOCK: Final = 40
_SEED: Final = 3643
#: Before how many of the blocks everything is split or merged.
_DECIDED: Final = 0.08
_FAILED: Final = next(
    event for event in interface("DvpSettlement").events.values() if event.name == "TradeFailed"
)  # fmt: skip
#: The walk is worth its time only if it comes by each of these.
_MET: Final = {
    *("TokenPaused", "AccountLegalHold", "SenderNotVerified", "InvestorNotVerified", "InvestorClaimExpired"),
    *("LotInvalid", "JurisdictionBarred", "InvestorClassNotEligible", "HoldingLimit", "HolderCountLimit"),
    *("InsufficientSecurities", "LockupActive", "SecuritiesFrozen", "ERC20InsufficientAllowance", "InsufficientCash"),
    *("SupplyCapExceeded", "ComplianceNoticeTooShort", "ClaimIssuerUntrusted", "SecurityTokenIdentityMismatch"),
    *("EncumbrancesIdUsed", "EncumbrancesEndPassed", "EncumbrancesStillActive", "EncumbrancesIdUnknown"),
    *("AccountClosed", "EmergencySuspension", "InstitutionTransferRestricted"),
    *("SubscriptionLimit", "OffVenueSaleBarred", "TransferReasonRequired", "SecurityTokenUnitsOutstanding"),
    *("NonceReplayed", "DvpLegMissing", "HoldExpired", "SettlementModesHoldActive"),
    *("ConversionsBusy", "ConversionsIdUnknown", "ConversionsNotPaused", "ConversionsRatioInvalid"),
    *("ConversionsAccountConverted", "ConversionQuantityMismatch", "CaRecordDateInvalid"),
    *("BallotIdUnknown", "BallotIdUsed", "BallotQuestionInvalid", "BallotNotOpen", "BallotAlreadyOpen"),
    *("DistributionIdUsed", "DistributionIdUnknown", "DistributionEmpty", "DistributionClosed", "CaPoolMismatch"),
    *("MemberVotesProposalInvalid", "MemberVotesProposalUnknown", "MemberVotesMajorityMissing"),
    *("SignatureInvalid", "DuplicateInstruction", "MemberRegistryMemberInvalid"),
    *("DistributionProofInvalid", "DistributionLinePaid", "RoleRequired"),
    *("BallotOptionUnknown", "NotAccountManager", "SecuritiesRestricted", "TooLate"),
}


class Walk:
    """Sends drawn operations block by block, and lets the model do the same in the order in which they were mined."""

    def __init__(self, chain: Deployed, seed: int) -> None:
        self.rpc = chain.rpc
        self.world = World(chain)
        self.draw = Draw(self.world, random.Random(seed))  # noqa: S311 - a seed, no secret
        self.met: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.rpc.call("evm_setAutomine", False)  # noqa: FBT003 - JSON-RPC

    def next(self, seconds: int) -> Block:
        head = self.rpc.call("eth_getBlockByNumber", "latest", False)  # noqa: FBT003 - JSON-RPC
        self.draw.at = Block(int(head["number"], 16) + 1, int(head["timestamp"], 16) + seconds)
        return self.draw.at

    def block(self) -> None:
        if self.draw.chance(_DECIDED):
            self.mine(prepared(self.draw), self.next(400))
            self.mine(decided(self.draw), self.next(1))
        block = self.next(self.draw.choose.choice((1, 3, 20)))
        self.mine([operation(self.draw) for _ in range(_A_BLOCK)], block)

    def mine(self, operations: list[Operation], block: Block) -> None:
        sent = self.rpc.batch([("eth_sendTransaction", [_transaction(each)]) for each in operations])
        self.rpc.call("evm_setNextBlockTimestamp", block.time)
        self.rpc.call("evm_mine")
        by_hash = dict(zip(sent, operations, strict=True))
        receipts = self.rpc.call("eth_getBlockReceipts", hex(block.number))
        assert len(receipts) == len(operations), "a block holds them all"
        traces = self._reverts([each["transactionHash"] for each in receipts if each["status"] == "0x0"])
        for receipt in receipts:
            done = by_hash[receipt["transactionHash"]]
            found = _outcome(receipt, traces)
            promised = done.promise(self.world.model, block)
            assert found == promised, f"{done.what} at {block}: the contracts say {found}"
            self.done[done.what] += 1
            self.met[promised[0] if promised else "done"] += 1
        self._compare(block)

    def _reverts(self, hashes: list[str]) -> dict[str, bytes]:
        calls = [("debug_traceTransaction", [each, {"tracer": "callTracer"}]) for each in hashes]
        return {
            each: bytes.fromhex(trace.get("output", "0x")[2:])
            for each, trace in zip(hashes, self.rpc.batch(calls), strict=True)
        }

    def _compare(self, block: Block) -> None:
        chain, model = self.world.state(block), self.world.model.state(block)
        if _digest(chain) != _digest(model):
            differences = {name: (chain[name], model[name]) for name in chain if chain[name] != model[name]}
            raise AssertionError(f"at {block} the chain and the model say: {differences}")


def _transaction(operation: Operation) -> dict[str, str]:
    return {
        "from": "0x" + operation.sender.hex(),
        "to": "0x" + operation.to.hex(),
        "data": "0x" + operation.data.hex(),
        "gas": hex(GAS // 20),
        "gasPrice": "0x0",
    }


def _outcome(receipt: dict[str, Any], reverts: dict[str, bytes]) -> Refusal | None:
    if receipt["status"] == "0x0":
        return refusal_of(reverts[receipt["transactionHash"]])
    failed = [log for log in receipt["logs"] if log["topics"][0] == "0x" + _FAILED.topic.hex()]
    if not failed:
        return None
    reason = _FAILED.decode(
        [bytes.fromhex(each[2:]) for each in failed[0]["topics"]], bytes.fromhex(failed[0]["data"][2:])
    )
    return refusal_of(reason["reason"])


def _digest(state: Any) -> bytes:  # noqa: ANN401 - any names and values
    return keccak(repr(sorted(state.items())).encode())


@pytest.fixture(scope="module")
def walk() -> Iterator[Walk]:
    with deployed() as chain:
        yield Walk(chain, _SEED)


class TestWalk:
    @pytest.mark.slow
    def test_ten_thousand_operations_leave_the_contracts_where_the_model_is(self, walk: Walk) -> None:
        while walk.done.total() < OPERATIONS:
            walk.block()
        assert walk.met["done"] > OPERATIONS // 3
        assert walk.met.keys() >= _MET, _MET - walk.met.keys()

    def test_at_its_end_an_issue_is_cleared_and_terminated_for_ever(self, walk: Walk) -> None:
        walk.block()
        walk.mine(cleared(walk.draw), walk.next(1_000))
        model = walk.world.model
        assert not any(each.encumbered or each.held for each in model.accounts.values())
        walk.mine(ended(walk.draw), walk.next(1))
        assert model.terminated
        assert model.supply == 0
        assert "InstrumentTerminated" in walk.met

    def test_a_difference_of_one_won_is_seen(self, walk: Walk) -> None:
        payer = next(iter(walk.world.model.cash))
        walk.world.model.cash[payer] += 1
        with pytest.raises(AssertionError, match=r"the chain and the model say|the contracts say"):
            walk.block()
