# SPDX-License-Identifier: Apache-2.0
"""The ledger's tables; all but `undo`, `generation` and the two of schema `ops` follow from mirrored logs alone."""

from typing import Any, Final

from sqlalchemy import Column, Index, Table

from stoken.db.metadata import BOOL, BYTES, INT64, TEXT, field, key, metadata, optional


def _table(name: str, *columns: Column[Any], with_rowid: bool = False, fillfactor: int = 100) -> Table:
    room = {"fillfactor": fillfactor}
    return Table(name, metadata, *columns, schema="ledger", sqlite_with_rowid=with_rowid, postgresql_with=room)


#: The venue's feed: `facts` is the msgpack list of what the block's events say.
blocks = _table(
    "blocks",
    key("number", INT64),
    field("hash", BYTES),
    field("parent_hash", BYTES),
    field("time", INT64),
    field("facts", BYTES),
    with_rowid=True,
)

#: `frozen` is the whole account, `frozen_units` a part of it; `changed_block` is the last change of this row, `number`
#: its place among the rows in the order in which they came to be.
positions = _table(
    "positions",
    key("token", BYTES),
    key("account", BYTES),
    field("number", INT64),
    field("changed_block", INT64),
    field("balance", INT64),
    field("frozen_units", INT64),
    field("lockup", INT64),
    field("pledged", INT64),
    field("restricted", INT64),
    field("frozen", BOOL),
    # Catch-up changes each row again and again: with room on its page no index has to learn of it.
    fillfactor=50,
)

#: A position as a block left it, for each block that changed it, by the position's number: what as-of reads need.
#: Nothing else is written as often, so its key is two integers.
position_changes = _table(
    "position_changes",
    key("number", INT64),
    key("changed_block", INT64),
    field("balance", INT64),
    field("frozen_units", INT64),
    field("lockup", INT64),
    field("pledged", INT64),
    field("restricted", INT64),
    field("frozen", BOOL),
)

accounts = _table(
    "accounts",
    key("account", BYTES),
    field("manager", BYTES),
    field("identity", BYTES),
    field("country", INT64),
    field("investor_class", INT64),
    field("owner_type", INT64),
)

#: A withdrawn claim stays as a row: `revoked`, and `for_cause` where the identity may not even sell.
claims = _table(
    "claims",
    key("identity", BYTES),
    key("issuer", BYTES),
    field("topics", INT64),
    field("until", INT64),
    field("revoked", BOOL),
    field("for_cause", BOOL),
)

#: `topics` is a msgpack list.
claim_issuers = _table("claim_issuers", key("issuer", BYTES), field("topics", BYTES))

claim_topics = _table("claim_topics", key("topic", INT64), with_rowid=True)

instruments = _table(
    "instruments",
    key("token", BYTES),
    field("isin", TEXT),
    field("compliance", BYTES),
    field("supply", INT64),
    field("minted", INT64),
    field("burned", INT64),
    field("registered", INT64),
    field("paused", BOOL),
    field("terminated", BOOL),
    field("terminated_block", INT64),
)
Index(None, instruments.c.isin)

record_dates = _table(
    "record_dates", key("token", BYTES), key("id", INT64), field("block_number", INT64), field("time", INT64)
)

#: `countries` holds the four words of the bitmap, lowest countries first; `modules` the addresses, in ascending order.
rule_sets = _table(
    "rule_sets",
    key("compliance", BYTES),
    key("version", INT64),
    field("effective_block", INT64),
    field("cap_units", INT64),
    field("cap_bps", INT64),
    field("classes", INT64),
    field("holder_limit", INT64),
    field("lot", INT64),
    field("countries_allowed", BOOL),
    field("countries", BYTES),
    field("window_units", INT64),
    field("window_seconds", INT64),
    field("off_venue_barred", BOOL),
    field("modules", BYTES),
)

encumbrances = _table(
    "encumbrances",
    key("id", BYTES),
    field("token", BYTES),
    field("account", BYTES),
    field("kind", INT64),
    field("units", INT64),
    field("until", INT64),
    field("released", BOOL),
    field("party", BYTES),
    field("reason", BYTES),
)

#: Where the encumbrances of a lost account went; a release follows them.
relocations = _table("relocations", key("token", BYTES), key("account", BYTES), field("successor", BYTES))

cash_accounts = _table(
    "cash_accounts", key("account", BYTES), field("member", BYTES), field("kind", INT64), field("balance", INT64)
)

#: What the cash agent put into and took out of a deposit token.
cash_totals = _table("cash_totals", key("token", BYTES), field("credited", INT64), field("debited", INT64))

members = _table("members", key("member", BYTES), field("roles", INT64), field("status", INT64))

keys = _table(
    "keys",
    key("key", BYTES),
    field("member", BYTES),
    field("scopes", INT64),
    field("since", INT64),
    field("until", INT64),
    field("status", INT64),
)

#: `settled` is false while only failures were seen; `reason` holds the last failure's revert data.
trades = _table(
    "trades",
    key("venue", BYTES),
    key("trade_id", INT64),
    field("settled", BOOL),
    field("token", BYTES),
    field("seller", BYTES),
    field("buyer", BYTES),
    field("quantity", INT64),
    field("price", INT64),
    field("sell_nonce", INT64),
    field("buy_nonce", INT64),
    field("reason", BYTES),
    field("block_number", INT64),
)

#: What settled of a broker's signed order, and whether it is void.
fills = _table("fills", key("broker", BYTES), key("nonce", INT64), field("filled", INT64), field("canceled", BOOL))

#: Pauses, restrictions, holds and freezes, by whom and why; a lifted one stays as a row.
measures = _table(
    "measures",
    key("id", INT64),
    field("scope", INT64),
    field("token", BYTES),
    field("subject", BYTES),
    field("effect", INT64),
    field("units", INT64),
    field("until", INT64),
    field("provisional", BOOL),
    field("author", BYTES),
    field("approver", BYTES),
    field("basis", BYTES),
    field("document", BYTES),
    field("lifted", BOOL),
    with_rowid=True,
)

#: Entries that correct others, which stay as they are.
corrections = _table(
    "corrections",
    key("id", INT64),
    field("original", BYTES),
    field("cause", BYTES),
    field("author", BYTES),
    field("approver", BYTES),
    field("basis", BYTES),
    field("document", BYTES),
    field("block_number", INT64),
    with_rowid=True,
)

#: Nodes that may take part; `id` is the keccak256 of the public key.
nodes = _table(
    "nodes",
    key("id", BYTES),
    field("member", BYTES),
    field("public_key", BYTES),
    field("role", INT64),
    field("since", INT64),
    field("until", INT64),
)

#: Roots that institutions anchored.
anchors = _table(
    "anchors",
    key("member", BYTES),
    key("kind", INT64),
    key("period", INT64),
    field("root", BYTES),
    field("block_number", INT64),
)

#: Logs of our contracts that do not decode; the alarm names them.
quarantine = _table(
    "quarantine",
    key("block_number", INT64),
    key("log_index", INT64),
    field("address", BYTES),
    field("reason", TEXT),
)

#: Rows as they were before a block that is not final touched them; `before` is NULL where there was none.
undo = _table(
    "undo",
    key("block_number", INT64),
    key("table_name", TEXT),
    key("row_key", BYTES),
    optional("before", BYTES),
)

#: One row, id 1: how often the ledger was folded anew. Whoever remembers rows of another generation forgets them.
generation = _table("generation", key("id", INT64), field("number", INT64), with_rowid=True)

#: Rows that differed from the chain, each a case: what the mirror said, what the chain answered at the block, who
#: closed it and when (NULL while it is open). `token` is empty where orders in every token may depend on the row.
ledger_breaks = Table(
    "ledger_breaks",
    metadata,
    key("block_number", INT64),
    key("table_name", TEXT),
    key("row_key", BYTES),
    key("field", TEXT),
    field("block_hash", BYTES),
    field("token", BYTES),
    field("mirror", TEXT),
    field("chain", TEXT),
    field("opened_at_ns", INT64),
    optional("closed_at_ns", INT64),
    optional("closed_by", TEXT),
    schema="ops",
    sqlite_with_rowid=False,
)

#: What each institution holds itself and for customers, by issue; follows from positions and accounts.
books = _table("books", key("token", BYTES), key("manager", BYTES), field("own", INT64), field("customers", INT64))

#: The log of the quantity invariants: each evaluation that gave other figures than the one before, and each of a close.
reconciliations = Table(
    "reconciliations",
    metadata,
    key("block_number", INT64),
    key("invariant", TEXT),
    key("subject", TEXT),
    key("evaluated_at_ns", INT64),
    field("block_hash", BYTES),
    field("lhs", INT64),
    field("rhs", INT64),
    field("holds", BOOL),
    field("at_close", BOOL),
    schema="ops",
)

#: Who was told of a broken invariant, in the order of `place`: the institutions, the registrar, the supervisor.
break_notices = Table(
    "break_notices",
    metadata,
    key("block_number", INT64),
    key("invariant", TEXT),
    key("subject", TEXT),
    key("stamped_at_ns", INT64),
    key("place", INT64),
    field("recipient", TEXT),
    field("institution", BYTES),
    schema="ops",
)

#: Final blocks whose events say something of ours: since when this mirror held them final, and by which rule.
final_blocks = Table(
    "final_blocks",
    metadata,
    key("number", INT64),
    field("hash", BYTES),
    field("final_at_ns", INT64),
    field("rule", TEXT),
    schema="ops",
)

#: One row, id 1: how far the running comparison with the chain has come, and the last one that was complete.
ledger_sweep = Table(
    "ledger_sweep",
    metadata,
    key("id", INT64),
    field("table_name", TEXT),
    optional("row_key", BYTES),
    field("rows", INT64),
    field("completed_at_ns", INT64),
    field("completed_rows", INT64),
    schema="ops",
)

#: The tables that folding facts fills, by name: what the digest covers and unwinding restores.
STATE: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        positions,
        accounts,
        claims,
        claim_issuers,
        claim_topics,
        instruments,
        record_dates,
        rule_sets,
        encumbrances,
        relocations,
        cash_accounts,
        cash_totals,
        members,
        keys,
        trades,
        fills,
        measures,
        corrections,
        nodes,
        anchors,
    )
}
#: The tables that grow by the block, by their block column; they too are part of the digest.
HISTORY: Final[dict[str, Table]] = {table.name: table for table in (blocks, position_changes, quarantine)}
