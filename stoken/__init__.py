# SPDX-License-Identifier: Apache-2.0
"""stoken: a permissioned Ethereum toolkit for exchanges of tokenised securities."""
