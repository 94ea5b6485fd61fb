# SPDX-License-Identifier: Apache-2.0
"""Turns trades into batches that settle delivery versus payment, and learns from the ledger what became of them."""
