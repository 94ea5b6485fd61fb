# SPDX-License-Identifier: Apache-2.0
"""Issues: their files, the institutions' signed requests, and the instructions that follow from them."""
