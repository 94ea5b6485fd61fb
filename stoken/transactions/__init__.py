# SPDX-License-Identifier: Apache-2.0
"""The only writer of the chain: signed first, sent again until mined, confirmed by what the mirror saw."""
