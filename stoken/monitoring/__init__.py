# SPDX-License-Identifier: Apache-2.0
"""What `work` says of itself: metrics for Prometheus, and whether it is alive and ready."""
