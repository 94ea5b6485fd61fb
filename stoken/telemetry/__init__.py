# SPDX-License-Identifier: Apache-2.0
"""Logs, metrics and traces; and the failpoints that the kill tests use."""
