# SPDX-License-Identifier: Apache-2.0
"""Yes, or which rule says no, for an order or a transfer, from mirrored state."""
