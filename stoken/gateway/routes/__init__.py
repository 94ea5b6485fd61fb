# SPDX-License-Identifier: Apache-2.0
"""One module a resource; each declares its paths, schemas and roles."""
