# SPDX-License-Identifier: Apache-2.0
"""The model's half for trades that are held and settle on a later day, instructions, and cash paid in and out."""

from tests.simulation.terms import Block, Deal, Move, Refusal
from tests.simulation.verdicts import Verdicts


class LaterDay(Verdicts):
    """One issue, its investors, and the cash of their brokers."""

    def carry(self, move: Move) -> None:
        """Move units that nothing holds back."""
        if move.units:
            self.accounts[move.sender].balance -= move.units
            self.accounts[move.receiver].balance += move.units

    def receive(self, move: Move, block: Block) -> None:
        """Count what rules allowed in the receiver's window; acts of force use none up."""
        rules, receiver = self.rules_at(block), self.account(move.receiver).identity
        if move.units and rules.window_seconds and self.account(move.sender).identity != receiver:
            self.windows[receiver] = self.window(rules, move, block)

    def holder(self, address: bytes) -> bytes:
        """Return where an account's encumbered units are now, after its recoveries."""
        while self.accounts[address].successor:
            address = self.accounts[address].successor
        return address

    def free_cash(self, address: bytes) -> int:
        """Return the cash that no held trade waits for."""
        return self.cash[address] - self.held_cash.get(address, 0)

    def unpaid(self, payer: bytes, cost: int) -> Refusal | None:
        """Return what free cash falls short of."""
        free = self.free_cash(payer)
        return ("InsufficientCash", (payer, free, cost)) if free < cost else None

    def voided(self, deal: Deal) -> Refusal | None:
        """Return the order that its broker canceled, the buyer's first."""
        for order in ((deal.buyer_broker, deal.buy_nonce), (deal.seller_broker, deal.sell_nonce)):
            if order in self.void:
                return "NonceReplayed", order
        return None

    def cancel(self, broker: bytes, nonce: int) -> Refusal | None:
        """Void an order, once; what of it is held stays held."""
        if (broker, nonce) in self.void:
            return "NonceReplayed", (broker, nonce)
        self.void.add((broker, nonce))
        return None

    def hold_trade(self, trade: Deal) -> Refusal | None:
        """Hold units and cash of a trade, or neither; no rule is asked before it settles."""
        seller, void = self.accounts[trade.seller], self.voided(trade)
        if void is not None:
            return void
        if seller.successor:
            return "AccountClosed", (trade.seller,)
        refusal = self.uncovered(trade.seller, trade.quantity, releasable=0)
        refusal = refusal or self.unpaid(trade.buyer_cash, trade.cost)
        if refusal is None:
            seller.held += trade.quantity
            self.held_cash[trade.buyer_cash] = self.held_cash.get(trade.buyer_cash, 0) + trade.cost
            self.held_trades[trade.trade_id] = trade
        return refusal

    def settle_held(self, trade: Deal, block: Block) -> Refusal | None:
        """Settle a held trade until its expiry; one that settled is passed over."""
        if trade.trade_id in self.settled_trades:
            return None
        if self.held_trades.get(trade.trade_id) != trade:
            return "DvpLegMissing", (trade.trade_id,)
        if block.time > trade.expires_at:
            return "HoldExpired", (trade.trade_id, trade.expires_at)
        holder = self.holder(trade.seller)
        self.accounts[holder].held -= trade.quantity
        move = Move(holder, trade.buyer, trade.quantity, plain=False)
        refusal = self.verdict(move, block)
        if refusal is not None:
            self.accounts[holder].held += trade.quantity
            return refusal
        self.receive(move, block)
        self.carry(move)
        self.held_cash[trade.buyer_cash] -= trade.cost
        self.cash[trade.buyer_cash] -= trade.cost
        self.cash[trade.seller_cash] += trade.cost
        self.settled_trades.add(trade.trade_id)
        del self.held_trades[trade.trade_id]
        return None

    def release_held(self, trade: Deal, block: Block) -> Refusal | None:
        """Give units and cash of a held trade free after its expiry."""
        if self.held_trades.get(trade.trade_id) != trade:
            return "DvpLegMissing", (trade.trade_id,)
        if block.time <= trade.expires_at:
            return "SettlementModesHoldActive", (trade.trade_id, trade.expires_at)
        self.accounts[self.holder(trade.seller)].held -= trade.quantity
        self.held_cash[trade.buyer_cash] -= trade.cost
        del self.held_trades[trade.trade_id]
        return None

    def instruct(self, move: Move, block: Block, *, explained: bool) -> Refusal | None:
        """Move units as both managers sign: a change of owner says why."""
        if move.units == 0:
            return "LotInvalid", (0, 1)
        if move.sender == move.receiver:
            return "SelfTransfer", (move.sender,)
        if self.account(move.sender).identity != self.account(move.receiver).identity and not explained:
            return "TransferReasonRequired", (move.sender, move.receiver)
        refusal = self.verdict(move, block)
        if refusal is None:
            self.receive(move, block)
            self.carry(move)
        return refusal

    def pay_in(self, address: bytes, amount: int) -> Refusal | None:
        """Credit cash."""
        self.cash[address] += amount
        return None

    def pay_out(self, address: bytes, amount: int) -> Refusal | None:
        """Debit cash that is free."""
        refusal = self.unpaid(address, amount)
        if refusal is None:
            self.cash[address] -= amount
        return refusal
