# SPDX-License-Identifier: Apache-2.0
"""Create the tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
_SCHEMAS = ("mirror", "ledger", "market", "ops")


def upgrade() -> None:
    """Create what this revision adds."""
    if op.get_bind().dialect.name == "postgresql":
        for name in _SCHEMAS:
            op.execute(f"CREATE SCHEMA IF NOT EXISTS {name}")
    op.create_table(
        "accounts",
        sa.Column("account", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("manager", sa.LargeBinary(), nullable=False),
        sa.Column("identity", sa.LargeBinary(), nullable=False),
        sa.Column("country", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("investor_class", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("owner_type", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_accounts")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "blocks",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("parent_hash", sa.LargeBinary(), nullable=False),
        sa.Column("time", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_blocks")),
        schema="ledger",
        sqlite_with_rowid=True,
    )
    op.create_table(
        "cash_accounts",
        sa.Column("account", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("member", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("balance", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_cash_accounts")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cash_totals",
        sa.Column("token", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("credited", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("debited", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_cash_totals")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "claim_issuers",
        sa.Column("issuer", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("topics", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("issuer", name=op.f("pk_claim_issuers")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "claim_topics",
        sa.Column("topic", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("topic", name=op.f("pk_claim_topics")),
        schema="ledger",
        sqlite_with_rowid=True,
    )
    op.create_table(
        "claims",
        sa.Column("identity", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("issuer", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("topics", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("until", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.Column("for_cause", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("identity", "issuer", name=op.f("pk_claims")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "encumbrances",
        sa.Column("id", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("units", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("until", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.Column("party", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_encumbrances")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "fills",
        sa.Column("broker", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("nonce", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("filled", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("canceled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("broker", "nonce", name=op.f("pk_fills")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "instruments",
        sa.Column("token", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("isin", sa.Text(), nullable=False),
        sa.Column("compliance", sa.LargeBinary(), nullable=False),
        sa.Column("supply", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("minted", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("burned", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("registered", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("terminated", sa.Boolean(), nullable=False),
        sa.Column("terminated_block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_instruments")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_instruments_isin"), "instruments", ["isin"], unique=False, schema="ledger")
    op.create_table(
        "keys",
        sa.Column("key", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("member", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("since", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("until", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("status", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_keys")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "measures",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("scope", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("effect", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("units", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("until", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("author", sa.LargeBinary(), nullable=False),
        sa.Column("approver", sa.LargeBinary(), nullable=False),
        sa.Column("basis", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("lifted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measures")),
        schema="ledger",
        sqlite_with_rowid=True,
    )
    op.create_table(
        "corrections",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("original", sa.LargeBinary(), nullable=False),
        sa.Column("cause", sa.LargeBinary(), nullable=False),
        sa.Column("author", sa.LargeBinary(), nullable=False),
        sa.Column("approver", sa.LargeBinary(), nullable=False),
        sa.Column("basis", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("block_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
        schema="ledger",
        sqlite_with_rowid=True,
    )
    op.create_table(
        "nodes",
        sa.Column("id", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("member", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("since", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("until", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nodes")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "anchors",
        sa.Column("member", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("period", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("block_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("member", "kind", "period", name=op.f("pk_anchors")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "members",
        sa.Column("member", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("roles", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("status", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("member", name=op.f("pk_members")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "position_changes",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column(
            "changed_block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("balance", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("frozen_units", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lockup", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pledged", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("restricted", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", "changed_block", name=op.f("pk_position_changes")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "positions",
        sa.Column("token", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("account", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("changed_block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("balance", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("frozen_units", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lockup", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pledged", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("restricted", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("token", "account", name=op.f("pk_positions")),
        schema="ledger",
        postgresql_with={"fillfactor": 50},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "quarantine",
        sa.Column(
            "block_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "log_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_quarantine")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "record_dates",
        sa.Column("token", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("block_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("time", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("token", "id", name=op.f("pk_record_dates")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "relocations",
        sa.Column("token", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("account", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("successor", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("token", "account", name=op.f("pk_relocations")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rule_sets",
        sa.Column("compliance", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("effective_block", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cap_units", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("cap_bps", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("classes", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("holder_limit", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lot", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("countries_allowed", sa.Boolean(), nullable=False),
        sa.Column("countries", sa.LargeBinary(), nullable=False),
        sa.Column("window_units", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("window_seconds", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("off_venue_barred", sa.Boolean(), nullable=False),
        sa.Column("modules", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("compliance", "version", name=op.f("pk_rule_sets")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "trades",
        sa.Column("venue", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column(
            "trade_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("seller", sa.LargeBinary(), nullable=False),
        sa.Column("buyer", sa.LargeBinary(), nullable=False),
        sa.Column("quantity", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("price", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sell_nonce", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("buy_nonce", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("block_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("venue", "trade_id", name=op.f("pk_trades")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "undo",
        sa.Column(
            "block_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("table_name", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("row_key", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("before", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("block_number", "table_name", "row_key", name=op.f("pk_undo")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "journal",
        sa.Column(
            "sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("epoch", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_journal")),
        schema="market",
    )
    op.create_table(
        "lease",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lease")),
        schema="market",
    )
    op.create_table(
        "notice_receipts",
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("read_at_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("read_by", sa.Text(), nullable=False),
        sa.Column("acknowledged_at_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("notice", name=op.f("pk_notice_receipts")),
        schema="market",
    )
    op.create_table(
        "requests",
        sa.Column(
            "sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("received_at_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_requests")),
        sa.UniqueConstraint("tenant", "id", name=op.f("uq_requests_tenant_id")),
        schema="market",
    )
    op.create_index("ix_requests_tenant_sequence", "requests", ["tenant", "sequence"], unique=False, schema="market")
    op.create_table(
        "blocks",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("parent_hash", sa.LargeBinary(), nullable=False),
        sa.Column("time", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_blocks")),
        schema="mirror",
    )
    op.create_table(
        "checkpoint",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("final_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("time", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkpoint")),
        schema="mirror",
    )
    op.create_table(
        "roots",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("blocks", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("logs", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("period_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roots")),
        schema="mirror",
    )
    op.create_table(
        "heartbeat",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("looked_at_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lag_blocks", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("period_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("blocks", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("logs", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("advanced_at_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_heartbeat")),
        schema="mirror",
    )
    op.create_table(
        "logs",
        sa.Column(
            "block_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "log_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("transaction_index", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("topics", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "log_index", name=op.f("pk_logs")),
        schema="mirror",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "seals",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("round", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("validators", sa.LargeBinary(), nullable=False),
        sa.Column("signers", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_seals")),
        schema="mirror",
    )
    op.create_table(
        "transactions",
        sa.Column(
            "block_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column(
            "transaction_index",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("block_number", "transaction_index", name=op.f("pk_transactions")),
        schema="mirror",
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_transactions_hash"), "transactions", ["hash"], unique=False, schema="mirror")
    op.create_table(
        "chain",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("chain_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("genesis_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chain")),
        schema="ops",
    )
    op.create_table(
        "cursors",
        sa.Column("name", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_cursors")),
        schema="ops",
    )
    op.create_table(
        "decisions",
        sa.Column(
            "sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("received_at_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("transaction_key", sa.Text(), nullable=True),
        sa.Column("failure", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("(transaction_key IS NULL) <> (failure IS NULL)", name=op.f("ck_decisions_outcome")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_decisions")),
        sa.UniqueConstraint("tenant", "id", name=op.f("uq_decisions_tenant_id")),
        schema="ops",
    )
    op.create_table(
        "instructions",
        sa.Column(
            "trade_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("transaction_key", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("block_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("failure", sa.LargeBinary(), nullable=True),
        sa.Column("failure_sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("status IN ('matched', 'settled', 'failed')", name=op.f("ck_instructions_status")),
        sa.PrimaryKeyConstraint("trade_id", name=op.f("pk_instructions")),
        sa.UniqueConstraint("failure_sequence", name=op.f("uq_instructions_failure_sequence")),
        schema="ops",
    )
    op.create_index("ix_instructions_status", "instructions", ["status"], unique=False, schema="ops")
    op.create_index("ix_instructions_transaction_key", "instructions", ["transaction_key"], unique=False, schema="ops")
    op.create_table(
        "key_ceremonies",
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signatures", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_key_ceremonies")),
        sa.UniqueConstraint("digest", name=op.f("uq_key_ceremonies_digest")),
        schema="ops",
    )
    op.create_table(
        "outbox",
        sa.Column("sender", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("nonce", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("receiver", sa.LargeBinary(), nullable=False),
        sa.Column("gas", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("block_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("block_hash", sa.LargeBinary(), nullable=True),
        sa.Column("failure", sa.LargeBinary(), nullable=True),
        sa.Column("replaced_by", sa.LargeBinary(), nullable=True),
        sa.Column("command", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("held", sa.Text(), nullable=True),
        sa.Column("policy", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("command IN ('retry', 'cancel', 'replace', 'fill')", name=op.f("ck_outbox_command")),
        sa.CheckConstraint(
            "status IN ('signed', 'broadcast', 'mined', 'failed', 'canceled', 'replaced')",
            name=op.f("ck_outbox_status"),
        ),
        sa.PrimaryKeyConstraint("sender", "nonce", "version", name=op.f("pk_outbox")),
        sa.UniqueConstraint("hash", name=op.f("uq_outbox_hash")),
        sa.UniqueConstraint("key", name=op.f("uq_outbox_key")),
        sa.UniqueConstraint("sequence", name=op.f("uq_outbox_sequence")),
        schema="ops",
    )
    op.create_index("ix_outbox_block", "outbox", ["block_number"], unique=False, schema="ops")
    op.create_index("ix_outbox_command", "outbox", ["command"], unique=False, schema="ops")
    op.create_index("ix_outbox_owner", "outbox", ["owner", "status"], unique=False, schema="ops")
    op.create_index("ix_outbox_status", "outbox", ["status", "sender", "nonce"], unique=False, schema="ops")
    op.create_table(
        "senders",
        sa.Column("address", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("next_nonce", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("epoch", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("lease_ends_at_ms", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_senders")),
        schema="ops",
    )
    op.create_table(
        "verdict_drifts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("sender", sa.LargeBinary(), nullable=False),
        sa.Column("receiver", sa.LargeBinary(), nullable=False),
        sa.Column("units", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("channel", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("block_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("local", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("seen", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("found_at_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("resolved_at_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdict_drifts")),
        schema="ops",
    )
    op.create_table(
        "generation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_generation")),
        schema="ledger",
        sqlite_with_rowid=True,
    )
    op.create_table(
        "books",
        sa.Column("token", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("manager", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("own", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customers", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("token", "manager", name=op.f("pk_books")),
        schema="ledger",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reconciliations",
        sa.Column(
            "block_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("invariant", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("subject", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "evaluated_at_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("lhs", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rhs", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("at_close", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(
            "block_number", "invariant", "subject", "evaluated_at_ns", name=op.f("pk_reconciliations")
        ),
        schema="ops",
    )
    op.create_table(
        "break_notices",
        sa.Column(
            "block_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("invariant", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("subject", sa.Text(), autoincrement=False, nullable=False),
        sa.Column(
            "stamped_at_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("place", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("institution", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(
            "block_number", "invariant", "subject", "stamped_at_ns", "place", name=op.f("pk_break_notices")
        ),
        schema="ops",
    )
    op.create_table(
        "clock_log",
        sa.Column("at_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("host", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("process", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("offset_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("error_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("synchronised", sa.Boolean(), nullable=False),
        sa.Column("within", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("at_ns", "host", "process", name=op.f("pk_clock_log")),
        schema="ops",
    )
    op.create_table(
        "final_blocks",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("final_at_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_final_blocks")),
        schema="ops",
    )
    op.create_table(
        "ledger_breaks",
        sa.Column(
            "block_number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("table_name", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("row_key", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("field", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("mirror", sa.Text(), nullable=False),
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("opened_at_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("closed_at_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("block_number", "table_name", "row_key", "field", name=op.f("pk_ledger_breaks")),
        schema="ops",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger_sweep",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_key", sa.LargeBinary(), nullable=True),
        sa.Column("rows", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("completed_at_ns", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("completed_rows", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_sweep")),
        schema="ops",
    )
    # ### end Alembic commands ###


def downgrade() -> None:
    """Drop what this revision added."""
    op.drop_table("verdict_drifts", schema="ops")
    op.drop_table("ledger_sweep", schema="ops")
    op.drop_table("ledger_breaks", schema="ops")
    op.drop_table("generation", schema="ledger")
    op.drop_table("break_notices", schema="ops")
    op.drop_table("reconciliations", schema="ops")
    op.drop_table("books", schema="ledger")
    op.drop_table("clock_log", schema="ops")
    op.drop_table("final_blocks", schema="ops")
    op.drop_table("seals", schema="mirror")
    op.drop_table("senders", schema="ops")
    op.drop_index("ix_outbox_owner", table_name="outbox", schema="ops")
    op.drop_index("ix_outbox_command", table_name="outbox", schema="ops")
    op.drop_index("ix_outbox_block", table_name="outbox", schema="ops")
    op.drop_index("ix_outbox_status", table_name="outbox", schema="ops")
    op.drop_table("outbox", schema="ops")
    op.drop_table("key_ceremonies", schema="ops")
    op.drop_index("ix_instructions_transaction_key", table_name="instructions", schema="ops")
    op.drop_index("ix_instructions_status", table_name="instructions", schema="ops")
    op.drop_table("instructions", schema="ops")
    op.drop_table("decisions", schema="ops")
    op.drop_table("cursors", schema="ops")
    op.drop_table("chain", schema="ops")
    op.drop_index(op.f("ix_transactions_hash"), table_name="transactions", schema="mirror")
    op.drop_table("transactions", schema="mirror")
    op.drop_table("logs", schema="mirror")
    op.drop_table("heartbeat", schema="mirror")
    op.drop_table("roots", schema="mirror")
    op.drop_table("checkpoint", schema="mirror")
    op.drop_table("blocks", schema="mirror")
    op.drop_index("ix_requests_tenant_sequence", table_name="requests", schema="market")
    op.drop_table("requests", schema="market")
    op.drop_table("notice_receipts", schema="market")
    op.drop_table("lease", schema="market")
    op.drop_table("journal", schema="market")
    op.drop_table("undo", schema="ledger")
    op.drop_table("trades", schema="ledger")
    op.drop_table("rule_sets", schema="ledger")
    op.drop_table("relocations", schema="ledger")
    op.drop_table("record_dates", schema="ledger")
    op.drop_table("quarantine", schema="ledger")
    op.drop_table("positions", schema="ledger")
    op.drop_table("position_changes", schema="ledger")
    op.drop_table("members", schema="ledger")
    op.drop_table("anchors", schema="ledger")
    op.drop_table("nodes", schema="ledger")
    op.drop_table("corrections", schema="ledger")
    op.drop_table("measures", schema="ledger")
    op.drop_table("keys", schema="ledger")
    op.drop_index(op.f("ix_instruments_isin"), table_name="instruments", schema="ledger")
    op.drop_table("instruments", schema="ledger")
    op.drop_table("fills", schema="ledger")
    op.drop_table("encumbrances", schema="ledger")
    op.drop_table("claims", schema="ledger")
    op.drop_table("claim_topics", schema="ledger")
    op.drop_table("claim_issuers", schema="ledger")
    op.drop_table("cash_totals", schema="ledger")
    op.drop_table("cash_accounts", schema="ledger")
    op.drop_table("blocks", schema="ledger")
    op.drop_table("accounts", schema="ledger")
    # ### end Alembic commands ###
    if op.get_bind().dialect.name == "postgresql":
        for name in _SCHEMAS:
            op.execute(f"DROP SCHEMA {name}")
