# SPDX-License-Identifier: Apache-2.0
"""One module a revision, named by number and subject."""
