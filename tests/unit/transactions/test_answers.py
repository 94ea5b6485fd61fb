# SPDX-License-Identifier: Apache-2.0
"""What each client says to a raw transaction, and what it means."""

import pytest

from stoken.chain.rpc import NodeError
from stoken.transactions.answers import Answer, classify

#: Verbatim from Besu, GoQuorum, geth and anvil.
SAID = [
    (-32000, "Known transaction", Answer.KNOWN),
    (-32000, "already known", Answer.KNOWN),
    (-32003, "transaction already imported", Answer.KNOWN),
    (-32001, "Nonce too low", Answer.NONCE_USED),
    (-32000, "nonce too low: next nonce 1, tx nonce 0", Answer.NONCE_USED),
    (-32003, "nonce too low", Answer.NONCE_USED),
    (-32000, "replacement transaction underpriced", Answer.NONCE_TAKEN),
    (-32005, "Transaction gas limit exceeds block gas limit", Answer.UNACCEPTABLE),
    (-32000, "exceeds block gas limit", Answer.UNACCEPTABLE),
    (-32003, "Intrinsic gas exceeds gas limit", Answer.UNACCEPTABLE),
    (-32000, "intrinsic gas too low: gas 20999, minimum needed 21000", Answer.UNACCEPTABLE),
    (-32000, "Gas price not 0", Answer.UNACCEPTABLE),
    (-32000, "insufficient funds for gas * price + value: balance 0, tx cost 1, overshot 1", Answer.UNACCEPTABLE),
    (-32000, "Wrong chainId", Answer.UNACCEPTABLE),
    (-32000, "invalid chain id for signer", Answer.UNACCEPTABLE),
    (-32000, "ether value is not supported for private transactions", Answer.UNACCEPTABLE),
    (-32000, "only replay-protected (EIP-155) transactions allowed over RPC", Answer.UNACCEPTABLE),
    (-32000, "invalid sender", Answer.UNACCEPTABLE),
    (-32002, "Invalid signature", Answer.UNACCEPTABLE),
    (-32000, "invalid transaction v, r, s values", Answer.UNACCEPTABLE),
    (-32000, "transaction type not supported", Answer.UNACCEPTABLE),
    (-32602, "Invalid params", Answer.UNACCEPTABLE),
    (-32000, "rlp: value size exceeds available input length", Answer.UNACCEPTABLE),
    (-32000, "empty typed transaction bytes", Answer.UNACCEPTABLE),
    (-32000, "typed transaction too short", Answer.UNACCEPTABLE),
    (-32000, "oversized data: transaction size 132203, limit 131072", Answer.UNACCEPTABLE),
    (-32007, "Sender account not authorized to send transactions", Answer.UNACCEPTABLE),
    (-32000, "Transaction nonce is too distant from current sender nonce", Answer.LATER),
    (-32000, "txpool is full", Answer.LATER),
    (-32000, "An invalid transaction with a lower nonce exists", Answer.LATER),
    (-32005, "Transaction gas limit cap exceeded", Answer.UNACCEPTABLE),
    (-32603, "Internal error", Answer.UNLISTED),
    (-32000, "transaction underpriced", Answer.UNLISTED),
]


class TestClassify:
    @pytest.mark.parametrize(("code", "message", "answer"), SAID, ids=[said[1] for said in SAID])
    def test_an_error_is_read_by_its_words(self, code: int, message: str, answer: Answer) -> None:
        assert classify(NodeError(code, message)) is answer

    def test_a_hash_means_taken(self) -> None:
        assert classify("0x" + "00" * 32) is Answer.TAKEN

    def test_only_what_the_node_has_counts_as_delivered(self) -> None:
        delivered = {answer for answer in Answer if answer.delivered}
        assert delivered == {Answer.TAKEN, Answer.KNOWN, Answer.NONCE_USED}
