# SPDX-License-Identifier: Apache-2.0
"""JSON-RPC, ABI, typed data, signatures and the contract artifacts; knows every engine's answers."""
