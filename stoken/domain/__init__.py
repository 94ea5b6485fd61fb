# SPDX-License-Identifier: Apache-2.0
"""Pure values and rules of the market: no I/O, no clock, no database."""
