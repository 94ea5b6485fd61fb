# SPDX-License-Identifier: Apache-2.0
"""Whether the contracts still say what the gateway says: asked of a node apart from the order path."""
