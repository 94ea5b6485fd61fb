# SPDX-License-Identifier: Apache-2.0
"""The demo: the main job of stoken, end to end, on real parts."""
