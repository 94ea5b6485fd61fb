# SPDX-License-Identifier: Apache-2.0
"""Accept, match, cancel; the journal of order events; trades; reservations."""
