# SPDX-License-Identifier: Apache-2.0
"""What a transaction may become, pair by pair."""

import pytest

from stoken.domain.transaction_states import (
    TRANSACTION_TRANSITIONS,
    TransactionEvent,
    TransactionStatus,
    next_transaction_status,
    sources,
)

PAIRS = [(status, event) for status in TransactionStatus for event in TransactionEvent]


class TestTransitions:
    @pytest.mark.parametrize(("status", "event"), PAIRS)
    def test_a_pair_that_is_not_listed_raises(self, status: TransactionStatus, event: TransactionEvent) -> None:
        if (status, event) in TRANSACTION_TRANSITIONS:
            assert next_transaction_status(status, event) is TRANSACTION_TRANSITIONS[status, event]
        else:
            with pytest.raises(ValueError, match="is not possible"):
                next_transaction_status(status, event)

    def test_only_what_never_left_is_canceled(self) -> None:
        assert sources(TransactionEvent.CANCEL) == {TransactionStatus.SIGNED}

    def test_a_block_may_hold_any_of_them(self) -> None:
        in_block = {TransactionStatus.MINED, TransactionStatus.FAILED}
        assert sources(TransactionEvent.MINE) == set(TransactionStatus) - in_block
